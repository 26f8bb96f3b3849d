from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server.app import Node
from tests.anonymity.meeting import Meeting, meeting
from tests.node.world import World


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Meeting]:
    """Two nodes on one store, and an issuer; people come in one by one, and one is enough."""
    async with meeting(tmp_path, nodes=2) as found:
        await found.make(minimum_participants=1, round_s=0, round_people=1)
        yield found


@pytest.fixture
async def world(node: Node) -> AsyncIterator[World]:
    """An open town hall without an issuer."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        found = await World.make(node, session)
        yield found
        await found.close()
