"""R-16: a node is told to stop while people watch; they come back to another one, spread over time, and miss nothing."""

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from loadtests.client import Client, NotAdmitted, ticket
from server.store.embedded import EmbeddedValkey
from tests.faults.served import Served
from tests.waiting import until

VIEWERS = int(os.environ.get("DEPLOY_VIEWERS", "150"))
"""2,000 are the figure of R-16; fewer show the same, sooner."""
TRIES = 20
"""A page tries for ever; a full node tells it to."""


class Watching:
    """Somebody who obeys a Bye: comes back when told to, where told to by the proxy (here: the other node)."""

    def __init__(self, session: aiohttp.ClientSession, there: str) -> None:
        self._session = session
        self._there = there
        self._token = ""
        self.texts: list[str] = []
        self.client: Client | None = None
        self.moved_after_ms = 0
        self.moving: asyncio.Task[None] | None = None

    async def begin(self, url: str, token: str) -> None:
        self._token = token
        self.client = Client(self._session, url, "TESTED", "audience", token, self._news)
        await self.client.connect()

    def _news(self, name: str, body: Any) -> None:
        if name == "bye":
            assert body["code"] == 3001
            self.moved_after_ms = body["come_back_after_ms"]
            self.moving = asyncio.create_task(self._move())
        if name == "view:reset":
            self.texts = []
        self.texts += [one["text"] for one in body.get("entries", ()) if one["k"] == "message"]

    async def _move(self) -> None:
        assert self.client is not None
        await asyncio.sleep(self.moved_after_ms / 1_000)
        position = self.client.position
        for _ in range(TRIES):
            self.client = Client(self._session, self._there, "TESTED", "audience", self._token, self._news)
            self.client.position = position
            with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError, NotAdmitted):
                return await self.client.connect()
            await asyncio.sleep(0.5)
        raise AssertionError("never let in")


async def test_a_node_that_stops_sends_its_viewers_to_another_spread_and_whole(tmp_path: Path, valkey: EmbeddedValkey) -> None:
    environ = {
        "TOWNHALL_REDIS_URL": valkey.url,
        "TOWNHALL_SECRET_FILE": str(tmp_path / "secret"),
        "TOWNHALL_DRAIN_S": "5",
    }
    old, new = (Served(tmp_path / name, environ=environ) for name in ("old", "new"))
    try:
        await old.start()
        await new.start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await old.open_hall(session)
            poster_token = await ticket(session, new.url, "TESTED")
            poster = Client(session, new.url, "TESTED", "audience", poster_token)
            await poster.connect()
            people = [Watching(session, new.url) for _ in range(VIEWERS)]
            for person in people:
                await person.begin(old.url, await ticket(session, old.url, "TESTED"))
            posted: list[str] = []

            async def post(text: str) -> None:
                async def taken() -> bool:
                    ack = await poster.call("message:post", {"client_id": uuid4().hex, "text": text})
                    return bool(ack["ok"])

                await until(taken)
                posted.append(text)

            await post("서버를 바꾸기 전")
            await until(lambda: all(person.texts == posted for person in people), 30)
            assert old.process is not None
            began = time.monotonic()
            old.process.terminate()
            for number in range(4):
                await post(f"옮기는 동안 {number}")
                await asyncio.sleep(1.0)
            assert await old.process.wait() == 0
            await until(lambda: all(person.moving is not None and person.moving.done() for person in people), 30)
            await asyncio.gather(*(person.moving for person in people if person.moving))
            await post("모두 옮긴 뒤")
            await until(lambda: all(person.texts == posted for person in people), 30)
            print(f"{VIEWERS} moved within {time.monotonic() - began:.1f} s")
            waits = sorted(person.moved_after_ms for person in people)
            assert waits[-1] - waits[0] > 3_000, "they would all come at once"
            for tenth in range(10):
                share = sum(tenth * 500 <= wait < (tenth + 1) * 500 for wait in waits)
                assert share < VIEWERS / 3, f"{share} of {VIEWERS} in one half second"
            for person in people:
                assert person.client is not None
                await person.client.close()
            await poster.close()
    finally:
        await old.stop()
        await new.stop()
