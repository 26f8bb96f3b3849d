"""R-01: everything that can break breaks, one after the other, while two nodes serve a busy town hall."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import aiohttp

from loadtests.client import ticket
from server.store import log as store_log
from server.store.client import connect
from server.store.embedded import EmbeddedValkey
from tests.faults.two_nodes import CODE, Nodes, Sender, Viewer, two_nodes, whole_view
from tests.node.feed import Feed
from tests.waiting import until

VIEWERS = 40
FEEDS = 4
PEOPLE = 1_040
EACH = 4
"""Messages of one participant: within what may be sent at once, so that nobody is limited."""
SENDERS = 24


async def kill_a_node(nodes: Nodes) -> None:
    await nodes.served[0].kill()
    await asyncio.sleep(0.5)
    await nodes.served[0].start()


async def kill_the_store(nodes: Nodes) -> None:
    before = nodes.valkey.restarts
    nodes.kill_store()
    await until(lambda: nodes.valkey.restarts > before, 60)


async def stop_the_store(nodes: Nodes) -> None:
    nodes.stop_store()
    await asyncio.sleep(2)
    nodes.resume_store()


async def stop_a_node(nodes: Nodes) -> None:
    os.kill(nodes.served[1].pid, signal.SIGSTOP)
    await asyncio.sleep(6)
    os.kill(nodes.served[1].pid, signal.SIGCONT)


async def swallow_a_link(nodes: Nodes) -> None:
    nodes.proxies[1].mode = "swallow"
    await asyncio.sleep(3.5)
    nodes.proxies[1].mode = "pass"
    nodes.proxies[1].cut()


async def reset_all_links(nodes: Nodes) -> None:
    for proxy in nodes.proxies:
        proxy.cut()


SCHEDULE: list[Callable[[Nodes], Awaitable[None]]] = [
    kill_a_node,
    kill_the_store,
    stop_the_store,
    stop_a_node,
    swallow_a_link,
    reset_all_links,
]


async def test_nothing_is_lost_doubled_or_out_of_order_whatever_breaks(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        two_nodes(valkey, tmp_path) as nodes,
        aiohttp.ClientSession(connector=connector) as session,
        contextlib.AsyncExitStack() as stack,
    ):
        await nodes.served[0].open_hall(session, CODE)
        viewers = [Viewer(session, nodes, place) for place in range(VIEWERS)]
        for viewer in viewers:
            viewer.begin()
            stack.push_async_callback(viewer.close)
        await until(lambda: all(viewer.frames for viewer in viewers), 60)
        url = nodes.served[1].url
        tokens = [await ticket(session, url, CODE) for _ in range(PEOPLE)]
        feeds = [Feed(session, url, CODE, "audience", token) for token in tokens[:FEEDS]]
        for feed in feeds:
            await feed.open()
            stack.push_async_callback(feed.close)

        sender = Sender(session, nodes)
        posts = iter(
            [
                (token, f"{number}의 {part}번째 글{'?' if part == 3 else '.'}", uuid4().hex)
                for part in range(EACH)
                for number, token in enumerate(tokens)
            ]
        )

        async def keep_sending() -> None:
            for number, (token, text, client_id) in enumerate(posts):
                await sender.send(token, text, client_id, twice=number % 20 == 0)

        sending = [asyncio.create_task(keep_sending()) for _ in range(SENDERS)]
        for place, fault in enumerate(SCHEDULE):
            share = PEOPLE * EACH * (place + 1) // (len(SCHEDULE) + 1)
            await until(lambda share=share: len(sender.acknowledged) >= share, 180)
            await fault(nodes)
        async with asyncio.timeout(300):
            await asyncio.gather(*sending)

        # The log: what was acknowledged is there under its number, once.
        assert sender.wrong == [], "\n".join(node.said for node in nodes.served)
        assert len(sender.acknowledged) == PEOPLE * EACH > 4_000
        assert sender.repeats > 0.04 * PEOPLE * EACH
        store = await connect(valkey.url)
        stored = {seq: text async for seq, _, text in store_log.read_all(store, CODE) if text is not None and seq > 2}
        await store.close()
        assert {seq: stored.get(seq) for seq in sender.acknowledged} == sender.acknowledged
        assert [text for text, count in Counter(stored.values()).items() if count > 1] == []

        # The viewers: all stand at the end, have folded the same view as a newcomer takes, and were shown it in order.
        for node in nodes.served:
            await until(lambda node=node: _all_seen(session, node.url, max(stored)), 60)
        seq, whole = await whole_view(session, nodes.served[0].url)
        assert (seq, whole) == await whole_view(session, nodes.served[1].url)
        await until(lambda: all(viewer.seq == seq for viewer in viewers), 60)
        for viewer in viewers:
            assert viewer.gaps == 0
            # Nothing missing, nothing twice, in the order of the log.
            assert viewer.live == [id for id in stored if id > viewer.since]
            assert {name: viewer.view[name] for name in whole} == whole
            assert all(kept["text"] == stored[kept["id"]] for name, kept in viewer.view.items() if name[0] == "message")
        assert sum(viewer.moves for viewer in viewers) >= VIEWERS // 2
        assert sum(viewer.resumed for viewer in viewers) > 0


async def _all_seen(session: aiohttp.ClientSession, url: str, last: int) -> bool:
    return (await whole_view(session, url))[0] >= last
