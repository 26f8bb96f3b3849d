"""R-03 under load: the store is killed while the node acknowledges as much as it can, and everything is sent until it is."""

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from loadtests.recovery.figures import Figure
from loadtests.recovery.house import CODE, house
from loadtests.tickets import tickets

PEOPLE = 5_000
"""Each may write five messages in ten seconds: enough for 2,500 a second."""
LINES = 96
"""Connections that all of them share: as many posts are under way at once."""
FULL_S = 3.0
"""How long it goes on at full rate before each kill, and after the last one."""
AGAIN_S = 0.2
WAIT_S = 10.0
LONG_S = 30.0


class Flood:
    """`acknowledged`: seq → text. `answered`: when, of each, in seconds of the monotonic clock."""

    def __init__(self, url: str, tokens: Sequence[str]) -> None:
        self._url = urlsplit(url)
        self._tokens = tokens
        self._run = uuid4().hex[:8]
        self._numbers = itertools.count()
        self._ends = False
        self.acknowledged: dict[int, str] = {}
        self.answered: deque[float] = deque(maxlen=100_000)

    def rate(self, end: float) -> int:
        """Acknowledged in the second before `end`."""
        return sum(end - 1.0 <= moment < end for moment in self.answered)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Flood"]:
        """Until the context ends, and everything that was begun is acknowledged. Raises TimeoutError."""
        lines = [asyncio.create_task(self._line(), name="line") for _ in range(LINES)]
        try:
            yield self
            self._ends = True
            async with asyncio.timeout(LONG_S):
                await asyncio.gather(*lines)
        finally:
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)

    async def _line(self) -> None:
        """One message after the other over one connection, each again under the same client id until it is acknowledged."""
        writer: asyncio.StreamWriter | None = None
        while not self._ends:
            number = next(self._numbers)
            text, id = f"{self._run} {number}번째 글입니다.", uuid4().hex
            request = self._request(number, {"client_id": id, "text": text})
            while True:
                try:
                    if writer is None:
                        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
                    writer.write(request)
                    async with asyncio.timeout(WAIT_S):
                        head = await reader.readuntil(b"\r\n\r\n")
                        ack = orjson.loads(await reader.readexactly(_length(head)))
                except (OSError, TimeoutError, asyncio.IncompleteReadError):
                    if writer is not None:
                        writer.close()
                    writer = None
                else:
                    if ack["ok"]:
                        self.acknowledged[ack["seq"]] = text
                        self.answered.append(time.monotonic())
                        break
                await asyncio.sleep(AGAIN_S)
        if writer is not None:
            writer.close()

    def _request(self, number: int, payload: dict[str, str]) -> bytes:
        body = orjson.dumps({"command": "message:post", "payload": payload})
        head = (
            f"POST /api/v1/halls/{CODE}/audience/commands HTTP/1.1\r\nHost: {self._url.netloc}\r\n"
            f"Authorization: Bearer {self._tokens[number % len(self._tokens)]}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def killed(folder: Path, rounds: int, fsync: str) -> list[Figure]:
    """kill -9 of the Valkey, `rounds` times, at the highest rate that the node and this program reach on this machine."""
    each = Figure("R-03", f"ms for each acknowledged post in the second before the store is killed (`{fsync}`)", 1.0, "ms")
    works = Figure("R-03", f"posting works again after that (`{fsync}`)", 3.0)
    missing = Figure("R-03", f"of those acknowledged: lost, at another place, or twice in the record (`{fsync}`)", 0, "")
    async with house(folder, fsync=fsync, more={"TOWNHALL_POSTS_PER_S": "10000"}) as at:
        tokens = await tickets(at.first.url, CODE, PEOPLE, least=PEOPLE, lang="en")
        async with Flood(at.first.url, tokens).running() as flood:
            for _ in range(rounds):
                await asyncio.sleep(FULL_S)
                pid, begin = at.first.valkey_pid(), time.monotonic()
                os.kill(pid, signal.SIGKILL)
                each.add(round(1_000 / max(1, flood.rate(begin)), 2))
                there = await at.store_is_back(pid)
                works.add(await _again(flood, there) - there)
            await asyncio.sleep(FULL_S)
        missing.add(false(flood.acknowledged, await at.first.messages(at.session, CODE)))
    return [each, works, missing]


async def _again(flood: Flood, moment: float) -> float:
    """When the first after `moment` was acknowledged; infinite: not within LONG_S."""
    while time.monotonic() < moment + LONG_S:
        if flood.answered and flood.answered[-1] > moment:
            return next(one for one in flood.answered if one > moment)
        await asyncio.sleep(0.01)
    return float("inf")


def false(acknowledged: Mapping[int, str], record: Sequence[tuple[int, str]]) -> int:
    """How many acknowledgements (seq → text) the record does not bear out, and how many messages stand in it once too often."""
    there = dict(record)
    wrong = sum(there.get(seq) != text for seq, text in acknowledged.items())
    return wrong + len(record) - len({text for _, text in record})
