"""Two server processes on one store, each reached through a proxy that can break its link; and viewers that go on elsewhere."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from loadtests.client import Client, NotAdmitted, ticket
from loadtests.recovery.fault_proxy import FaultProxy
from server.store.embedded import EmbeddedValkey
from tests.faults.served import Served

CODE = "TESTED"


class Nodes:
    """`served`: the two; `proxies`: between each and the store."""

    def __init__(self, valkey: EmbeddedValkey, served: list[Served], proxies: list[FaultProxy]) -> None:
        self.valkey = valkey
        self.served = served
        self.proxies = proxies

    def stop_store(self) -> None:
        """SIGSTOP."""
        os.kill(self.valkey.pid, signal.SIGSTOP)

    def resume_store(self) -> None:
        os.kill(self.valkey.pid, signal.SIGCONT)

    def kill_store(self) -> None:
        """kill -9; its supervisor starts it again."""
        os.kill(self.valkey.pid, signal.SIGKILL)


@contextlib.asynccontextmanager
async def two_nodes(valkey: EmbeddedValkey, folder: Path) -> AsyncIterator[Nodes]:
    """Both up, with one secret; the town hall is not made yet."""
    served, proxies = [], []
    try:
        for name in "ab":
            proxy = FaultProxy(valkey.socket, folder / f"{name}.sock")
            await proxy.start()
            proxies.append(proxy)
            environ = {
                "TOWNHALL_REDIS_URL": valkey.url.replace(str(valkey.socket), str(proxy.listen)),
                "TOWNHALL_SECRET_FILE": str(folder / "secret"),
            }
            one = Served(folder / name, environ=environ)
            await one.start()
            served.append(one)
        yield Nodes(valkey, served, proxies)
    finally:
        for one in served:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGCONT)
            await one.stop()
        for proxy in proxies:
            await proxy.stop()


class Viewer:
    """Looks at the audience's view over a socket; when its connection ends it goes on at another node, from where it stood.

    `view`: {name: fragment}, folded. `since`: seq of its last snapshot. `live`: ids of messages that frames have brought
    since then, as they came.
    """

    def __init__(self, session: aiohttp.ClientSession, nodes: Nodes, place: int) -> None:
        self._session = session
        self._nodes = nodes
        self._place = place
        self.view: dict[tuple[str, int | None], Any] = {}
        self.since = 0
        self.live: list[int] = []
        self.moves = 0
        self.resets = 0
        self.resumed = 0
        self.gaps = 0
        self.frames = 0
        self.client: Client | None = None
        self._token = ""
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look on until `close`."""
        self._task = asyncio.create_task(self._look())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self.client is not None:
            await self.client.close()

    @property
    def seq(self) -> int:
        """Its position."""
        return self.client.position[1] if self.client is not None and self.client.position else 0

    async def _look(self) -> None:
        while True:
            url = self._nodes.served[self._place % 2].url
            with contextlib.suppress(TimeoutError, ConnectionError, aiohttp.ClientError, NotAdmitted):
                self._token = self._token or await ticket(self._session, url, CODE)
                before = self.client
                client = Client(self._session, url, CODE, "audience", self._token, self._news)
                client.position = before.position if before is not None else None
                await client.connect()
                self.gaps += before.gaps if before is not None else 0
                self.client = client
                while client.connected:
                    await asyncio.sleep(0.05)
            self.moves += 1
            self._place += 1
            await asyncio.sleep(random.uniform(0.05, 0.3))

    def _news(self, name: str, body: Any) -> None:
        if name == "hall:joined":
            self.resumed += body["resumed"]
        if name not in ("view:reset", "view:changed"):
            return
        self.frames += 1
        if name == "view:reset":
            self.resets += 1
            self.view, self.live, self.since = {}, [], body["seq"]
        for fragment in body["entries"]:
            if name == "view:changed" and fragment["k"] == "message":
                self.live.append(fragment["id"])
            self._take(fragment)

    def _take(self, fragment: Any) -> None:
        kind, id = fragment["k"], fragment.get("id")
        if kind == "window":
            self.view = {
                name: kept
                for name, kept in self.view.items()
                if name[0] != "message" or "fate" in kept or kept.get("shown", kept["id"]) >= fragment["floor"]
            }
            return
        self.view[(kind, id if kind == "message" else None)] = fragment


async def whole_view(session: aiohttp.ClientSession, url: str) -> tuple[int, dict[tuple[str, int | None], Any]]:
    """(seq, view) of a newcomer."""
    seen: list[Any] = []
    client = Client(
        session, url, CODE, "audience", await ticket(session, url, CODE), lambda name, body: seen.append((name, body))
    )
    await client.connect()
    while not any(name == "view:reset" for name, _ in seen):
        await asyncio.sleep(0.01)
    await client.close()
    body = next(body for name, body in seen if name == "view:reset")
    return body["seq"], {(f["k"], f["id"] if f["k"] == "message" else None): f for f in body["entries"] if f["k"] != "window"}


class Sender:
    """Posts one text by POST, until it is acknowledged, first here, then there; and some of them twice."""

    def __init__(self, session: aiohttp.ClientSession, nodes: Nodes) -> None:
        self._session = session
        self._nodes = nodes
        self.acknowledged: dict[int, str] = {}
        self.refused: dict[str, int] = {}
        self.repeats = 0
        self.wrong: list[Any] = []

    async def send(self, token: str, text: str, client_id: str, *, twice: bool) -> None:
        """Raises AssertionError if it is never acknowledged."""
        seq = await self._until_acknowledged(token, text, client_id, random.randrange(2))
        if seq in self.acknowledged:
            self.wrong.append(("two texts, one seq", seq))
        self.acknowledged[seq] = text
        if twice:
            self.repeats += 1
            again = await self._until_acknowledged(token, text, client_id, random.randrange(2))
            if again != seq:
                self.wrong.append(("one text, two seqs", seq, again))

    async def _until_acknowledged(self, token: str, text: str, client_id: str, place: int) -> int:
        payload = {"client_id": client_id, "text": text, "asked": text.endswith("?")}
        body = orjson.dumps({"command": "message:post", "payload": payload})
        for number in range(300):
            url = self._nodes.served[(place + number) % 2].url
            try:
                async with self._session.post(
                    f"{url}/api/v1/halls/{CODE}/audience/commands",
                    headers={"Authorization": f"Bearer {token}"},
                    data=body,
                    timeout=aiohttp.ClientTimeout(total=5),
                ) as response:
                    ack = await response.json()
            except (TimeoutError, aiohttp.ClientError, ConnectionError):
                await asyncio.sleep(0.1)
                continue
            if ack["ok"]:
                return int(ack["seq"])
            code = ack["error"]["code"]
            self.refused[code] = self.refused.get(code, 0) + 1
            if code not in ("not_saved", "unknown_outcome", "busy", "too_fast", "draining"):
                self.wrong.append(ack)
            await asyncio.sleep(0.2)
        raise AssertionError(f"never acknowledged: {text}")
