"""Two nodes on one store: cut links, races of two hosts, closing everywhere at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from loadtests.client import Client, ticket
from loadtests.recovery.fault_proxy import FaultProxy, Mode
from moderation.context import Actor
from protocol import commands as c
from protocol.limits import limit
from protocol.refusals import Refusal
from server.app import Node, running
from server.halls.execute import NAME_BYTES
from server.http.organiser import known
from server.settings import Settings
from server.store.embedded import EmbeddedValkey
from server.store.keys import Keys
from tests.town import HOST, HOST_2, ORGANISER, SETUP
from tests.waiting import until


class Pair:
    """Nodes `a` and `b`; b's link to the store can be broken."""

    def __init__(self, a: Node, b: Node, proxy: FaultProxy) -> None:
        self.a = a
        self.b = b
        self.proxy = proxy

    async def do(self, node: Node, actor: Actor, command: c.Command) -> object:
        runtime = await node.gateway.directory.get("TESTED")
        assert runtime is not None
        return await node.executor.execute(runtime, actor, uuid4().bytes, command)


@pytest.fixture
async def pair(tmp_path: Path, valkey: EmbeddedValkey) -> AsyncIterator[Pair]:
    proxy = FaultProxy(valkey.socket, tmp_path / "proxy.sock")
    await proxy.start()
    own = Settings(port=0, data_dir=str(tmp_path / "node"), redis_url=valkey.url, drain_s=0.2)
    through = Settings(
        port=0, data_dir=str(tmp_path / "node"), redis_url=valkey.url.replace(str(valkey.socket), str(proxy.listen)), drain_s=0.2
    )
    async with contextlib.AsyncExitStack() as stack:
        a = await stack.enter_async_context(running(own))
        b = await stack.enter_async_context(running(through))
        made = await a.gateway.directory.create("TESTED", SETUP, ORGANISER, known(a.settings))
        assert not isinstance(made, Refusal)
        found = Pair(a, b, proxy)
        await found.do(a, ORGANISER, c.OpenHall(client_id="open-the-hall"))
        yield found
    await proxy.stop()


async def post(session: aiohttp.ClientSession, node: Node, text: str) -> int:
    client = Client(session, node.url, "TESTED", "audience", await ticket(session, node.url, "TESTED"))
    await client.connect()
    ack = await client.call("message:post", {"client_id": uuid4().hex, "text": text, "asked": True})
    await client.close()
    assert ack["ok"], ack
    return int(ack["seq"])


async def ready(session: aiohttp.ClientSession, node: Node) -> bool:
    async with session.get(f"{node.url}/readyz") as response:
        return "not followed" not in await response.text()


@pytest.mark.parametrize("mode", ["swallow", "refuse"])
async def test_a_node_whose_link_is_broken_says_so_and_catches_up(pair: Pair, mode: Mode) -> None:
    async with aiohttp.ClientSession() as session:
        await post(session, pair.a, "먼저")
        b = await pair.b.gateway.directory.get("TESTED")
        a = await pair.a.gateway.directory.get("TESTED")
        assert a is not None
        assert b is not None
        await until(lambda: ready(session, pair.b))
        pair.proxy.mode = mode
        if mode == "refuse":
            pair.proxy.cut()
        for number in range(5):
            await post(session, pair.a, f"그동안 {number}")

        async def red() -> bool:
            return not await ready(session, pair.b)

        await until(red)
        await post(session, pair.a, "마지막으로 일어난 일")
        pair.proxy.mode = "pass"
        await until(lambda: b.seq == a.seq and b.hall == a.hall)
        await until(lambda: ready(session, pair.b))


async def test_two_hosts_at_once_one_wins_and_the_other_is_told_who(pair: Pair) -> None:
    async with aiohttp.ClientSession() as session:
        for number in range(12):
            id = await post(session, pair.a, f"질문 {number}")
            for node in (pair.a, pair.b):
                runtime = await node.gateway.directory.get("TESTED")
                assert runtime is not None
                await until(lambda runtime=runtime, id=id: runtime.seq >= id)
            first, second = await asyncio.gather(
                pair.do(pair.a, HOST, c.PickMessage(client_id="host-one-picks", message=id)),
                pair.do(pair.b, HOST_2, c.PickMessage(client_id="host-two-picks", message=id)),
            )
            refusals = [one for one in (first, second) if isinstance(one, Refusal)]
            assert len(refusals) == 1, (first, second)
            assert refusals[0].code == "already_picked"
            assert refusals[0].params["by"] == ("도지사" if refusals[0] is second else "진행팀")


async def test_closing_lets_no_later_message_in_anywhere(pair: Pair) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        clients = []
        for number in range(30):
            node = pair.a if number % 2 else pair.b
            client = Client(session, node.url, "TESTED", "audience", await ticket(session, node.url, "TESTED"))
            await client.connect()
            clients.append(client)
        acks = []

        async def keep_posting(client: Client) -> None:
            for number in range(4):
                acks.append(await client.call("message:post", {"client_id": uuid4().hex, "text": f"글 {number}"}))

        posting = [asyncio.create_task(keep_posting(client)) for client in clients]
        await asyncio.sleep(0.05)
        await pair.do(pair.b, HOST, c.CloseHall(client_id="close-the-hall"))
        await asyncio.gather(*posting)
        a = await pair.a.gateway.directory.get("TESTED")
        b = await pair.b.gateway.directory.get("TESTED")
        assert a is not None
        assert b is not None
        await until(lambda: a.hall.phase == b.hall.phase == "closed" and a.seq == b.seq)
        accepted = [ack["seq"] for ack in acks if ack["ok"]]
        assert sorted(accepted) == sorted(a.hall.messages)
        assert a.hall.gate == a.seq
        assert max(accepted, default=0) < a.hall.gate
        assert {ack["error"]["code"] for ack in acks if not ack["ok"]} <= {"hall_closed"}
        for client in clients:
            await client.close()


async def test_a_message_sent_again_anywhere_is_the_same_message(pair: Pair) -> None:
    """R-11."""
    async with aiohttp.ClientSession() as session:
        token = await ticket(session, pair.a.url, "TESTED")
        other = await ticket(session, pair.a.url, "TESTED")

        async def send(node: Node, who: str, text: str, client_id: str) -> Any:
            client = Client(session, node.url, "TESTED", "audience", who)
            await client.connect()
            ack = await client.call("message:post", {"client_id": client_id, "text": text})
            await client.close()
            return ack

        first = await send(pair.a, token, "한 번만 남는 글", "the-same-client-id")
        assert first["ok"]
        # On the other node, after a reconnect, on both at once.
        assert await send(pair.b, token, "한 번만 남는 글", "the-same-client-id") == first
        assert await send(pair.a, token, "한 번만 남는 글", "the-same-client-id") == first
        both = await asyncio.gather(*(send(node, token, "동시에", "another-client-id") for node in (pair.a, pair.b)))
        assert both[0] == both[1]
        for node in (pair.a, pair.b):
            changed = await send(node, token, "다른 글", "the-same-client-id")
            assert changed["error"]["code"] == "client_id_reused"
        # Another participant's ids have nothing to do with these.
        theirs = await send(pair.b, other, "한 번만 남는 글", "the-same-client-id")
        assert theirs["ok"]
        assert theirs["seq"] != first["seq"]
        a = await pair.a.gateway.directory.get("TESTED")
        assert a is not None
        await until(lambda: a.seq == theirs["seq"])
        assert [m.text for m in a.hall.messages.values()] == ["한 번만 남는 글", "동시에", "한 번만 남는 글"]
        # And for how long: nine minutes later they are still known.
        for who, client_id in ((token, "the-same-client-id"), (token, "another-client-id"), (other, "the-same-client-id")):
            admitted = pair.a.gateway.admission.admit(a.hall, a.author_key, "audience", who)
            assert not isinstance(admitted, Refusal)
            seconds = await pair.a.store.of("TESTED").ttl(Keys("TESTED").dedupe(admitted.sender.dedupe(client_id)[:NAME_BYTES]))
            assert limit("client_id_s") - 30 < seconds <= limit("client_id_s") == 600


async def test_who_connects_to_another_node_does_not_get_to_post_more(pair: Pair) -> None:
    async with aiohttp.ClientSession() as session:
        token = await ticket(session, pair.a.url, "TESTED")
        acks = []
        for node in (pair.a, pair.b):
            client = Client(session, node.url, "TESTED", "audience", token)
            await client.connect()
            acks += [
                await client.call("message:post", {"client_id": uuid4().hex, "text": f"글 {number}"})
                for number in range(limit("messages_per_10_s"))
            ]
            await client.close()
        taken = [ack["ok"] for ack in acks]
        assert taken == [True] * limit("messages_per_10_s") + [False] * limit("messages_per_10_s")
        assert {ack["error"]["code"] for ack in acks if not ack["ok"]} == {"too_fast"}
        assert all(0 < ack["error"]["retry_after_ms"] <= 2_000 for ack in acks if not ack["ok"])
