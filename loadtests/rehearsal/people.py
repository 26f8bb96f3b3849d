"""The simulated employees: each has a ticket, a socket, texts to post, and remembers what it was shown."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

from loadtests.client import Client, NotAdmitted, ticket
from loadtests.corpus import Message
from protocol.frames import CHANGED, RESET

TRIES = 60
"""Times that one message is sent, with the same client id, before it counts as lost."""


class Sight:
    """What one connection was shown of messages. `said`: {id: text} shared by all: everybody must see the same."""

    def __init__(self, said: dict[int, str]) -> None:
        self._said = said
        self.ids: dict[int, None] = {}
        self.resets = 0
        self.differing = 0
        self.disordered = 0
        self._last = 0
        self.fragments: list[Any] = []

    def news(self, name: str, body: Any) -> None:
        """Take what the server sends."""
        if name == RESET:
            self.resets += 1
            self.ids, self._last = {}, 0
        if name in (RESET, CHANGED):
            for fragment in body["entries"]:
                self.take(fragment)

    def take(self, fragment: Any) -> None:
        """One fragment."""
        if fragment["k"] != "message" or fragment.get("text") is None:
            return
        id = fragment["id"]
        self.differing += self._said.setdefault(id, fragment["text"]) != fragment["text"]
        if id not in self.ids:
            self.ids[id] = None
            place = fragment.get("shown", id)
            self.disordered += place < self._last
            self._last = place


@dataclass(slots=True)
class Ledger:
    """What was sent and what was answered. Seconds for times."""

    sent: int = 0
    repeated: int = 0
    acknowledged: dict[int, str] = field(default_factory=dict)
    held: int = 0
    twice: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)


class Employee:
    """One participant."""

    def __init__(self, session: aiohttp.ClientSession, url: str, code: str, said: dict[int, str]) -> None:
        self._session = session
        self._url = url
        self._code = code
        self.sight = Sight(said)
        self.client: Client

    async def join(self) -> None:
        """Take a ticket and connect. Raises NotAdmitted, aiohttp's errors."""
        token = await ticket(self._session, self._url, self._code)
        self.client = Client(self._session, self._url, self._code, "audience", token, self.sight.news)
        await self.client.connect()

    async def talk(self, texts: Sequence[Message], seconds: float, chance: random.Random, ledger: Ledger) -> None:
        """Post `texts` spread over `seconds`, each until it is acknowledged."""
        begun, share = time.monotonic(), seconds / max(1, len(texts))
        for place, message in enumerate(texts):
            await asyncio.sleep(max(0.0, begun + (place + chance.random()) * share - time.monotonic()))
            await self._post(message, ledger)

    async def _post(self, message: Message, ledger: Ledger) -> None:
        payload = {"client_id": uuid4().hex, "text": message.text, "asked": message.kind == "question"}
        ledger.sent += 1
        begun = time.monotonic()
        for number in range(TRIES):
            ledger.repeated += number > 0
            try:
                if not self.client.connected:
                    await self.client.connect()
                ack = await self.client.call("message:post", payload)
            except (TimeoutError, ConnectionError, aiohttp.ClientError, NotAdmitted):
                await asyncio.sleep(0.5)
                continue
            if ack["ok"]:
                ledger.twice += ack["seq"] in ledger.acknowledged
                ledger.acknowledged[ack["seq"]] = message.text
                ledger.held += ack["state"] == "held"
                ledger.waits_s.append(time.monotonic() - begun)
                return
            error = ack["error"]
            ledger.refused[error["code"]] = ledger.refused.get(error["code"], 0) + 1
            if not error.get("temporary"):
                break
            await asyncio.sleep(error.get("retry_after_ms", 500) / 1000)
        ledger.lost.append(message.text)
