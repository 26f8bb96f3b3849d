"""R-10: more is written at once than a town hall takes. What is beyond is refused with a code and a time, nothing else."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from loadtests.client import ticket
from loadtests.poster import Poster
from protocol.limits import limit
from server.app import running
from server.settings import Settings
from tests.node.world import CODE, World
from tests.waiting import until

ALLOWED = 40
POSTERS = 150
STORM_S = 3.0


@pytest.fixture
async def narrow(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose node takes ALLOWED messages a second."""
    async with running(Settings(port=0, data_dir=str(tmp_path / "data"), drain_s=0.5, posts_per_s=ALLOWED)) as node:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            world = await World.make(node, session)
            yield world
            await world.close()


async def posters(world: World) -> list[Poster]:
    """POSTERS participants that are in."""
    loop, found = asyncio.get_running_loop(), []
    for _ in range(POSTERS):
        token = await ticket(world.session, world.node.url, CODE)
        _, poster = await loop.create_connection(lambda token=token: Poster("x", CODE, token), "127.0.0.1", world.node.port)  # type: ignore[misc]  # mypy does not infer lambdas with defaults
        await poster.joined
        found.append(poster)
    return found


async def test_a_flood_is_refused_and_what_was_taken_stands_in_order(narrow: World) -> None:
    viewer, crowd = await narrow.person(), await posters(narrow)
    each = limit("messages_per_10_s")
    answers: list[list[Any]] = [[] for _ in crowd]

    async def write(place: int) -> None:
        """All that one participant may write, spread over the storm."""
        for number in range(each):
            answers[place].append(await crowd[place].post(uuid4().hex, f"{place}의 {number}번째 글", 30))
            await asyncio.sleep(STORM_S / each)

    began = time.monotonic()
    await asyncio.gather(*map(write, range(POSTERS)))
    took = time.monotonic() - began
    acks = [ack for row in answers for ack in row]
    taken = [ack for ack in acks if ack["ok"]]
    refused = Counter(ack["error"]["code"] for ack in acks if not ack["ok"])
    assert len(acks) == POSTERS * each
    assert set(refused) == {"chat_flooded"}
    assert ALLOWED <= len(taken) <= ALLOWED * (took + 1) + 1
    for error in (ack["error"] for ack in acks if not ack["ok"]):
        assert error["temporary"] and 1_000 <= error["retry_after_ms"] <= 5_000 and error["message"]
    assert len({ack["error"]["retry_after_ms"] for ack in acks if not ack["ok"]}) > 50, "spread"
    # Each author's in the order in which they were written, and everybody sees all that was taken and nothing else.
    assert all(seqs == sorted(seqs) for seqs in ([ack["seq"] for ack in row if ack["ok"]] for row in answers))
    await until(lambda: viewer.position == (narrow.runtime.epoch, max(ack["seq"] for ack in taken)))
    seen = [fragment["id"] for fragment in viewer.fragments() if fragment["k"] == "message"]
    assert seen == sorted(ack["seq"] for ack in taken)
    assert viewer.gaps == 0
    for poster in crowd:
        poster.close()


async def test_after_the_flood_the_same_message_is_taken_once(narrow: World) -> None:
    crowd = await posters(narrow)
    met: list[str] = []

    async def write(poster: Poster) -> int:
        """As a page does: the same again when it was told to."""
        client_id = uuid4().hex
        while not (ack := await poster.post(client_id, f"{client_id}의 글", 30))["ok"]:
            met.append(ack["error"]["code"])
            await asyncio.sleep(ack["error"]["retry_after_ms"] / 1_000)
        return int(ack["seq"])

    seqs = await asyncio.gather(*map(write, crowd))
    assert set(met) == {"chat_flooded"}
    assert len(set(seqs)) == POSTERS
    await until(lambda: narrow.runtime.hall.counts().received == POSTERS)
    for poster in crowd:
        poster.close()


async def test_one_town_halls_flood_is_not_anothers_and_moderators_act_in_it(narrow: World) -> None:
    gateway, host = narrow.node.gateway, await narrow.person("host")
    while not gateway._floods.take(CODE.encode(), time.monotonic()):
        pass
    assert not gateway._floods.take(b"OTHER1", time.monotonic())
    assert (await host.command("chat:pause"))["ok"]
