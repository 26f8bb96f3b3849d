"""R-09: after a full disconnect everybody comes back at once, and the store notices nothing of it."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.client import ticket
from protocol.limits import LIMITS, limit
from server.front import door
from tests.node.raw import HANDSHAKE, RawSocket
from tests.node.world import CODE, World
from tests.server.serving import serving
from tests.waiting import until

PEOPLE = 200
IDLE_S = 2.0


async def commands(world: World) -> int:
    """How many the store has carried out, by its own count."""
    stats: dict[str, Any] = await world.node.store.of(CODE).info("commandstats")
    return sum(found["calls"] for name, found in stats.items() if not name.startswith("cmdstat_info"))


async def test_a_rejoin_costs_the_store_at_most_one_command(world: World) -> None:
    loop = asyncio.get_running_loop()
    poster = await world.person()
    people = [await world.person() for _ in range(PEOPLE)]
    ack = await poster.command("message:post", text="끊기기 전의 글")
    end = (world.runtime.epoch, ack["seq"])
    await until(lambda: all(person.position == end for person in people))
    for connection in world.node.door.sockets.all():
        connection.cut()
    await until(lambda: not any(person.connected for person in (poster, *people)))
    await poster.connect()
    end = (world.runtime.epoch, (await poster.command("message:post", text="끊긴 동안의 글"))["seq"])
    # What a node asks anyway: it compares heads, and tells who is present.
    before, began = await commands(world), loop.time()
    await asyncio.sleep(IDLE_S)
    anyway = (await commands(world) - before) / (loop.time() - began)
    before, began = await commands(world), loop.time()
    await asyncio.gather(*(person.connect() for person in people))
    await until(lambda: all(person.position == end for person in people))
    took = loop.time() - began
    assert await commands(world) - before <= PEOPLE + 2 * anyway * took
    resumed = [body["resumed"] for person in people for name, body in person.news if name == "hall:joined"]
    assert resumed == [False, True] * PEOPLE
    assert all(len([f for f in person.fragments() if f["k"] == "message"]) == 2 for person in people)
    assert not any(person.gaps for person in people)


async def test_whoever_finds_no_place_is_told_a_time_that_is_spread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sockets.join_queue.limit", lambda name: 0 if name == "joins_waiting" else limit(name))
    token = await ticket(world.session, world.node.url, CODE)
    times = set()
    for _ in range(20):
        raw = await RawSocket.open(world.node.url)
        raw.send(b"40/audience," + json.dumps({"code": CODE, "token": token}).encode())
        data = json.loads((await raw.frame())[1].partition(b",")[2])["data"]
        assert data["code"] == "busy"
        times.add(data["come_back_after_ms"])
        await raw.close()
    assert len(times) > 10


async def test_a_handshake_that_finds_the_node_full_is_told_when_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "limit", lambda name: 0 if name == "connections" else limit(name))
    times = set()
    for _ in range(20):
        raw = await RawSocket.connect(world.node.url)
        raw.writer.write(HANDSHAKE.format(host="x", more="").encode())
        head = await raw.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        times.add(int(head.partition(b"Retry-After: ")[2].partition(b"\r\n")[0]))
        await raw.close()
    assert len(times) > 3
    assert times <= set(range(door.AGAIN_S[0], door.AGAIN_S[1] + 1))


async def test_tickets_beyond_the_bound_are_refused_with_times_that_are_spread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "joins_per_address_per_min", replace(LIMITS["joins_per_address_per_min"], value=1))
    async with serving(tmp_path / "data") as server:
        code = await server.hall()
        await server.ticket(code)
        answers = [await server.ask("POST", f"/api/v1/halls/{code}/join") for _ in range(20)]
    assert {ack["error"]["code"] for _, ack in answers} == {"too_many_joins"}
    assert len({ack["error"]["retry_after_ms"] // 100 for _, ack in answers}) > 5
