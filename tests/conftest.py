"""What tests share: a real Valkey, a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.app import Node, running
from server.settings import Settings
from server.store.client import Store, connect
from server.store.embedded import EmbeddedValkey
from tests.store.bench import Bench


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    """A fresh embedded Valkey."""
    found = EmbeddedValkey(tmp_path / "data")
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def store(valkey: EmbeddedValkey) -> AsyncIterator[Store]:
    """A connection to it."""
    found = await connect(valkey.url)
    yield found
    await found.close()


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    """An appender and a follower on it."""
    found = Bench(store)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """A whole server on a free port of the loopback."""
    async with running(Settings(port=0, data_dir=str(tmp_path / "data"), drain_s=0.5)) as found:
        yield found
