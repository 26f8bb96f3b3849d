from collections.abc import AsyncIterator

import aiohttp
import pytest

from server.app import Node
from tests.node.world import World


@pytest.fixture
async def world(node: Node) -> AsyncIterator[World]:
    """An open town hall."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        found = await World.make(node, session)
        yield found
        await found.close()
