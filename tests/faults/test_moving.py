"""R-02: whoever looked on at a node that died goes on at another, from where they stood; the others notice nothing."""

import contextlib
from pathlib import Path
from uuid import uuid4

import aiohttp

from loadtests.client import ticket
from server.store.embedded import EmbeddedValkey
from tests.faults.two_nodes import CODE, Sender, Viewer, two_nodes, whole_view
from tests.waiting import until


async def test_viewers_of_a_dead_node_go_on_at_another_without_a_gap(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    async with (
        two_nodes(valkey, tmp_path) as nodes,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        contextlib.AsyncExitStack() as stack,
    ):
        await nodes.served[0].open_hall(session, CODE)
        here, there = [[Viewer(session, nodes, place) for _ in range(20)] for place in (0, 1)]
        for viewer in (*here, *there):
            viewer.begin()
            stack.push_async_callback(viewer.close)
        await until(lambda: all(viewer.frames for viewer in (*here, *there)), 60)
        sender = Sender(session, nodes)
        tokens = [await ticket(session, nodes.served[1].url, CODE) for _ in range(60)]
        for number, token in enumerate(tokens):
            if number == 20:
                await nodes.served[0].kill()
            await sender.send(token, f"글 {number}", uuid4().hex, twice=False)
        last = max(sender.acknowledged)
        await until(lambda: all(viewer.seq == last for viewer in (*here, *there)), 60)
        _, whole = await whole_view(session, nodes.served[1].url)
        for viewer in (*here, *there):
            assert (viewer.gaps, viewer.resets) == (0, 1)
            assert viewer.live == sorted(sender.acknowledged)
            assert {name: viewer.view[name] for name in whole} == whole
        assert all(viewer.resumed == 1 for viewer in here)
        assert all(viewer.moves == 0 for viewer in there)
        await nodes.served[0].start()
