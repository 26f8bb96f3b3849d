"""A crowd of entries tries to fill a town hall for good: who was there before goes on, and removing makes room again."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from loadtests.client import ticket
from protocol.commands import Join
from protocol.limits import LIMITS, Limit
from server.app import running
from server.gateway.gateway import Session
from server.settings import Settings
from tests.node.world import CODE, World
from tests.waiting import until

HONEST = 30
FLOODERS = 300
SMALL = {"messages_per_hall": 1_200, "messages_burst_per_hall": 1_000}
"""The bounds themselves are held against the clock in tests/rules/test_flood.py."""
NO_OWN_PACE = {"messages_per_10_s": 100_000, "commands_per_10_s": 100_000}
"""One participant's pace is kept by clocks that are not turned here."""


class Turned:
    """A wall clock that goes on by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Crowd:
    """`sessions`: participants with a ticket each, who send what the sockets and the POST interface would."""

    def __init__(self, world: World, sessions: Sequence[Session]) -> None:
        self.world = world
        self.sessions = sessions

    @classmethod
    async def come(cls, world: World, count: int) -> "Crowd":
        sessions = []
        for _ in range(count):
            token = await ticket(world.session, world.node.url, CODE)
            session = await world.node.gateway.join("audience", Join(code=CODE, token=token))
            assert isinstance(session, Session)
            sessions.append(session)
        return cls(world, sessions)

    @classmethod
    async def of_host(cls, world: World) -> "Crowd":
        session = await world.node.gateway.join("host", Join(code=CODE, token=world.token("host", "host-1")))
        assert isinstance(session, Session)
        return cls(world, [session])

    async def post(self, each: int = 1) -> Counter[str]:
        """How many were answered with which code; "" is taken."""

        async def one(session: Session, number: int) -> str:
            payload = {"client_id": uuid4().hex, "text": f"{number}번째 글입니다"}
            ack = await self.world.node.gateway.answer(session, "message:post", payload)
            return ack.error.code if ack.error else ""

        found: Counter[str] = Counter()
        for number in range(each):
            found += Counter(await asyncio.gather(*(one(session, number) for session in self.sessions)))
        return found

    async def ask(self, name: str, **payload: Any) -> Any:
        """Of the first of them."""
        return await self.world.node.gateway.answer(self.sessions[0], name, payload)

    async def act(self, name: str, **payload: Any) -> None:
        """The first of them does what has to work."""
        ack = await self.ask(name, client_id=uuid4().hex, **payload)
        assert ack.ok, ack


async def test_three_hundred_entries_cannot_fill_a_town_hall_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SMALL, **NO_OWN_PACE}.items():
        monkeypatch.setitem(LIMITS, name, Limit(value, "-", "-", LIMITS[name].code))
    clock = Turned()
    async with (
        running(
            Settings(port=0, data_dir=str(tmp_path / "data"), drain_s=0.5, posts_per_s=10_000, fsync="no"), wall=clock
        ) as node,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        world = await World.make(node, session)
        hall, host = world.runtime.hall, await Crowd.of_host(world)
        honest, flooders = await Crowd.come(world, HONEST), await Crowd.come(world, FLOODERS)
        assert await honest.post() == {"": HONEST}
        clock.now += 1_200

        # Five messages each in ten seconds, for a minute: the burst is taken, and then ten a second.
        waves, taken = 0, HONEST
        while hall.kept < SMALL["messages_per_hall"] and waves < 6:
            answers = await flooders.post(each=5)
            assert set(answers) <= {"", "chat_flooded", "hall_full"}
            taken += answers[""]
            # Messages that are under way at once are judged on the same state.
            assert taken <= SMALL["messages_burst_per_hall"] + 10 * 10 * waves + FLOODERS
            waves += 1
            clock.now += 10
        await until(lambda: len(hall.messages) == taken)
        assert hall.kept >= SMALL["messages_per_hall"]
        clock.now += 100
        assert set(await honest.post()) == {"hall_full"}

        await host.act("newcomers:set", on=True, minutes=15)
        settled = await until(lambda: hall.settled)
        assert await flooders.post() == {"newcomers_wait": FLOODERS}
        theirs = [id for id, message in hall.messages.items() if message.author not in settled]
        for id in theirs[: SMALL["messages_per_hall"] // 2]:
            await host.act("message:remove", message=id, reason="spam")
        await until(lambda: hall.kept < SMALL["messages_per_hall"])
        assert await honest.post() == {"": HONEST}

        late = await Crowd.come(world, FLOODERS)
        assert await late.post() == {"newcomers_wait": FLOODERS}
        checked = await late.ask("participation:check")
        assert checked.data["barred"] == "newcomers_wait"
        assert (await honest.ask("participation:check")).data["barred"] is None
        question = next(id for id, message in hall.messages.items() if message.state == "visible")
        refused = await late.ask("question:support", message=question, on=True)
        assert refused.error.code == "newcomers_wait"

        await host.act("newcomers:set", on=False)
        await until(lambda: hall.settled is None)
        assert (await late.post())[""] > 0
