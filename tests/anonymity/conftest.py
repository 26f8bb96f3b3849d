from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.anonymity.meeting import Meeting, meeting


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Meeting]:
    """Two nodes on one store, and an issuer; people come in one by one, and one is enough."""
    async with meeting(tmp_path, nodes=2) as found:
        await found.make(minimum_participants=1, round_s=0, round_people=1)
        yield found
