"""People who look on, and come back as the pages do; when each frame reached them."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import aiohttp

from loadtests.client import Client, NotAdmitted
from protocol.frames import BYE, CHANGED, RESET


def backoff(attempt: int) -> float:
    """Seconds until the next try: static/src/link/backoff.ts."""
    most = min(20.0, 0.5 * 2.0 ** min(attempt, 10))
    return most / 2 + random.random() * most / 2


class Watcher:
    """Looks on at the first of `urls`, and after each loss at the next one, as behind a proxy that knows who is gone.

    `frames`: when each came, in seconds of the monotonic clock. `losses`: connections that ended. `back`: when the first
    frame of the present connection came.
    """

    def __init__(self, session: aiohttp.ClientSession, code: str, token: str, urls: Sequence[str]) -> None:
        self._session = session
        self._code = code
        self._token = token
        self._urls = urls
        self._client: Client | None = None
        self._bye: Any = None
        self._new = True
        self.frames: list[float] = []
        self.losses = 0
        self.back = 0.0
        self.task = asyncio.create_task(self._look(), name="watcher")

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, seq)."""
        return (self._client and self._client.position) or (0, 0)

    def after(self, moment: float) -> float:
        """How long after `moment` its next frame came; infinite: none has yet."""
        return next((frame - moment for frame in self.frames if frame > moment), float("inf"))

    def silence(self, begin: float, end: float) -> float:
        """The longest time without a frame between `begin` and `end`."""
        within = [begin, *(frame for frame in self.frames if begin < frame < end), end]
        return max(b - a for a, b in pairwise(within))

    async def leave(self) -> None:
        """Go away."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        if self._client is not None:
            await self._client.close()

    async def _look(self) -> None:
        attempt = 0
        while True:
            url = self._urls[min(self.losses, 1) % len(self._urls)]
            client = Client(self._session, url, self._code, "audience", self._token, self._news)
            client.position = self._client.position if self._client is not None else None
            self._new = True
            try:
                await client.connect()
                self._client, attempt = client, 0
                await client.ended()
                self.losses += 1
            except (NotAdmitted, aiohttp.ClientError, OSError, TimeoutError):
                await client.close()
            bye, self._bye = self._bye, None
            asked = bye["come_back_after_ms"] if bye else None
            await asyncio.sleep(backoff(attempt) if asked is None else asked / 1e3 + random.random() * 0.3)
            attempt += 1

    def _news(self, name: str, body: Any) -> None:
        if name in (CHANGED, RESET):
            now = time.monotonic()
            self.frames.append(now)
            if self._new:
                self._new, self.back = False, now
        elif name == BYE:
            self._bye = body


@contextlib.asynccontextmanager
async def watching(watchers: Sequence[Watcher]) -> AsyncIterator[Sequence[Watcher]]:
    """They look on until the end; entered once each has been shown something."""
    try:
        async with asyncio.timeout(60):
            while not all(watcher.frames for watcher in watchers):
                await asyncio.sleep(0.02)
        yield watchers
    finally:
        await asyncio.gather(*(watcher.leave() for watcher in watchers))
