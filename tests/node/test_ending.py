"""A town hall that nobody closes: it ends by itself, on any node, after a restart too, and nothing ties anybody to anything."""

import asyncio
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from protocol import commands as c
from protocol.bus import unpack
from protocol.entries import HallClosed, PollClosed
from server.app import Node, running
from server.halls.ending import SURE_S, Ending
from server.halls.runtime import Runtime
from server.settings import Settings
from server.store import secrets
from server.store.client import Store, connect
from server.store.log import read_all
from tests.node.test_flooded import Turned
from tests.node.world import CODE, World
from tests.town import HOST, START, Town
from tests.waiting import until

HOUR = 3_600


async def closings(store: Store) -> list[Any]:
    """The entries of the log that close something."""
    entries = [unpack(body, text) async for _, body, text in read_all(store, CODE)]
    return [entry for entry in entries if isinstance(entry, HallClosed | PollClosed)]


def is_closed(runtime: Runtime) -> bool:
    return runtime.hall.phase == "closed"


async def told(session: aiohttp.ClientSession, node: Node) -> Any:
    """What the organiser's page is told."""
    headers = {"Authorization": f"Bearer {node.links.organiser_key}"}
    async with session.get(f"{node.url}/api/v1/halls/{CODE}/organiser", headers=headers) as answer:
        return (await answer.json())["data"]


async def test_nobody_closed_it_and_nobody_came_back_after_the_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.halls.ending.SURE_S", 0.2)
    clock, settings = Turned(), Settings(port=0, data_dir=str(tmp_path / "data"), drain_s=0.2)
    async with running(settings, wall=clock) as node, aiohttp.ClientSession() as session:
        world = await World.make(node, session)
        people = [await world.person() for _ in range(5)]
        host = await world.person("host")
        poll = (await host.command("poll:open", question="언제?", choices=["아침", "저녁"]))["seq"]
        await until(lambda: world.runtime.hall.open_poll == poll)
        for person in people:
            assert (await person.call("poll:vote", {"poll": poll, "choice": 1}))["ok"]
        question = (await people[0].command("message:post", text="예산은 언제 나오나요?", asked=True))["seq"]
        clock.now += 11 * HOUR
        await asyncio.sleep(1.5)
        shown = await told(session, node)
        assert (shown["phase"], shown["ends_at"] - shown["opened_at"]) == ("open", 12 * HOUR)
        await world.close()

    clock.now += 2 * HOUR
    async with running(settings, wall=clock) as node, aiohttp.ClientSession() as session:
        assert node.valkey is not None
        store = await connect(node.valkey.url)
        # Nobody asks for it: it is there because it has an end to come to. A second node looks at it at the same time.
        more = Settings(
            port=0,
            data_dir=str(tmp_path / "more"),
            redis_url=node.valkey.url,
            secret_file=str(tmp_path / "data" / "secret"),
            drain_s=0.2,
        )
        async with running(more, wall=clock) as other:
            nodes = (node, other)
            for one in nodes:
                directory = one.gateway.directory
                runtime = await until(partial(directory.here, CODE))
                await until(partial(is_closed, runtime))
                await until(partial(directory.untied, CODE))
                assert runtime.author_key is None
                assert runtime.hall.messages[question].fate == "deferred"
            await asyncio.sleep(1.5)
            first, last = await closings(store)
            assert isinstance(first, PollClosed) and (first.voters, first.counts) == (5, (0, 5))
            assert isinstance(last, HallClosed) and (last.by, last.deferred) == ("", (question,))
            assert not await secrets.has(store, CODE, "author")
            shown = await told(session, node)
            assert (shown["phase"], shown["ended_itself"], shown["untied"]) == ("closed", True, True)
            assert "ends_at" not in shown or shown["ends_at"] is None
        await store.close()


async def test_a_draft_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.halls.ending.SURE_S", 0.0)
    clock = Turned()
    async with (
        running(Settings(port=0, data_dir=str(tmp_path), drain_s=0.2), wall=clock) as node,
        aiohttp.ClientSession() as session,
    ):
        world = await World.make(node, session, opened=False)
        clock.now += 400 * 24 * HOUR
        await asyncio.sleep(1.5)
        assert world.runtime.hall.phase == "draft"


class Jumping:
    """An Ending without a store: `noted` counts how often it closed the town hall."""

    def __init__(self) -> None:
        self.town, self.wall, self.steady, self.noted = Town(), float(START), 0.0, 0

        async def note(runtime: object, decision: object) -> bool:
            self.noted += 1
            return True

        async def closed(runtime: object) -> None:
            self.town.must(HOST, c.CloseHall)

        outside = cast(Any, SimpleNamespace(note=note, closed=closed))
        self.runtime = cast(Runtime, SimpleNamespace(code=CODE, stopped=None, hall=self.town.hall))
        self.ending = Ending(outside, outside, outside, clock=lambda: self.wall, monotonic=lambda: self.steady)

    async def look_for(self, seconds: int) -> None:
        for _ in range(seconds):
            self.steady += 1
            self.wall += 1
            await self.ending.look(self.runtime)


async def test_a_clock_that_jumps_ahead_and_is_put_right_closes_nothing() -> None:
    at = Jumping()
    for _ in range(3):
        at.wall += 30 * 24 * HOUR
        await at.look_for(int(SURE_S) - 1)
        at.wall -= 30 * 24 * HOUR
        await at.look_for(2)
    assert at.noted == 0
    at.wall = time.time() + START
    await at.look_for(int(SURE_S) + 2)
    assert at.noted == 1
    await at.look_for(100)
    assert at.noted == 1
