"""A server as a process of its own with the tests' town hall; and people who post to it and remember what was acknowledged."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from loadtests.client import Client, NotAdmitted, ticket
from loadtests.recovery import served
from tests.town import SETUP


class Served(served.Served):
    """`townhall serve` on a free port; the same port again after a restart."""

    setup = SETUP

    def __init__(
        self, data: Path, *, before: tuple[str, ...] = (), environ: Mapping[str, str] | None = None, issuer: bool = False
    ) -> None:
        """`issuer`: beside it, on the next port."""
        kind = "embedded" if issuer else "none"
        super().__init__(data, before=before, environ={"TOWNHALL_ISSUER": kind, **(environ or {})})


class Poster:
    """Posts one text after another, again with the same client id until it is acknowledged, across reconnects."""

    def __init__(self, session: aiohttp.ClientSession, served: Served, name: str) -> None:
        self._session = session
        self._served = served
        self._name = name
        self.acknowledged: dict[str, int] = {}
        self.refused: list[str] = []
        self.seen: list[str] = []
        self.disconnects = 0
        self.stopping = False
        self._token = ""
        self.client: Client | None = None

    async def run(self, count: int, pause_s: float = 0.05) -> None:
        """Up to `count` texts."""
        for number in range(count):
            if self.stopping:
                return
            await self._post(f"{self._name}의 글 {number}", uuid4().hex)
            await asyncio.sleep(pause_s)

    async def _post(self, text: str, client_id: str) -> None:
        for _ in range(200):
            try:
                client = await self._connected()
                ack = await client.call("message:post", {"client_id": client_id, "text": text})
            except (TimeoutError, ConnectionError, aiohttp.ClientError, NotAdmitted):
                if self.client is not None and not self.client.connected:
                    self.disconnects += 1
                await asyncio.sleep(0.1)
                continue
            if ack["ok"]:
                assert text not in self.acknowledged
                self.acknowledged[text] = ack["seq"]
                return
            self.refused.append(ack["error"]["code"])
            assert ack["error"]["code"] in ("not_saved", "unknown_outcome", "busy", "disk_full", "too_fast", "draining"), ack
            if ack["error"]["code"] == "disk_full" and self.stopping:
                return
            await asyncio.sleep(0.3)
        raise AssertionError(f"never acknowledged: {text}")

    async def _connected(self) -> Client:
        if self.client is None or not self.client.connected:
            self._token = self._token or await ticket(self._session, self._served.url, "TESTED")
            before = self.client.position if self.client else None
            self.client = Client(self._session, self._served.url, "TESTED", "audience", self._token, self._news)
            self.client.position = before
            await self.client.connect()
        return self.client

    def _news(self, name: str, body: Any) -> None:
        if name == "view:reset":
            self.seen = []
        if name in ("view:reset", "view:changed"):
            self.seen += [fragment["text"] for fragment in body["entries"] if fragment["k"] == "message"]

    async def close(self) -> None:
        if self.client is not None:
            await self.client.close()
