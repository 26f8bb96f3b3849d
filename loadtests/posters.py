"""All who write: each message at its time, again until it is acknowledged, and remembered."""

import asyncio
import contextlib
import random
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import uuid4

from loadtests.corpus import load
from loadtests.histogram import Histogram
from loadtests.marks import mark
from loadtests.poster import Poster
from protocol.limits import limit

ANSWER_S = 10.0
TRIES = 4
TOO_MUCH = ("chat_flooded", "too_fast")
"""More is written than the town hall takes, or than one participant may write."""
TEMPORARY = ("not_saved", "unknown_outcome", "busy", "disk_full", "draining", *TOO_MUCH)
"""Refusals after which a page sends the same again."""


class Held(Exception):
    """The town hall holds messages back for review: nobody would see them."""


@dataclass(slots=True)
class Posted:
    """What became of all messages. `acknowledged`: seq → number. `answers`: ms from when a message was due."""

    due: int = 0
    acknowledged: dict[int, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    answers: Histogram = field(default_factory=Histogram)
    writing_s: float = 0.0
    """From the first to the last that was sent, over all phases: less than was meant is written where the machine is too slow."""


def fits(posters: int, rate: float, seconds: float) -> int:
    """0 if `posters` may write `rate` messages a second for so long; otherwise how many it takes."""
    burst = limit("messages_per_10_s")
    enough = -(-rate * seconds // burst) if rate * seconds <= burst * posters else -(-rate * 10 // burst)
    enough = max(enough, -(-rate * seconds // limit("messages_per_participant")))
    return 0 if posters >= enough else int(enough)


def taken(messages: float, seconds: float) -> bool:
    """Whether an empty town hall takes so many messages within `seconds`."""
    return messages <= limit("messages_burst_per_hall") + limit("messages_refill_per_hall_s") * seconds


class Posters:
    """`run`: whose marks the messages carry. `length`: they are filled up to so many letters. `tries`: of each message."""

    def __init__(self, url: str, code: str, tickets: Sequence[str], run: str, length: int = 0, *, tries: int = TRIES) -> None:
        self._tries = tries
        self._url = urlsplit(url)
        self._code = code
        self._tickets = tickets
        self._run = run
        self._texts = [message.text for message in load()]
        self._length = length
        self._chance = random.Random(run)
        self._tasks: set[asyncio.Task[None]] = set()
        self._crowd: list[Poster] = []
        self.posted = Posted()

    async def come(self) -> None:
        """All of them, some at a time. Raises ConnectionError, OSError, TimeoutError."""
        for begin in range(0, len(self._tickets), 20):
            self._crowd += await asyncio.gather(*(self._connect(one) for one in self._tickets[begin : begin + 20]))

    async def _connect(self, token: str) -> Poster:
        url = self._url
        host, secure = url.hostname or "", url.scheme == "https"
        tls = ssl.create_default_context() if secure else None
        async with asyncio.timeout(ANSWER_S):
            _, poster = await asyncio.get_running_loop().create_connection(
                lambda: Poster(url.netloc, self._code, token), host, url.port or (443 if secure else 80), ssl=tls
            )
            await poster.joined
        return poster

    async def write(self, rate: float, seconds: float, burst: int = 1) -> None:
        """`rate` messages a second, `burst` at once, for `seconds`; returns when the last has its answer. Raises Held."""
        began, count = time.monotonic_ns(), max(1, round(rate * seconds))
        for place in range(count):
            due_ns = began + int(place // burst * burst / rate * 1e9)
            if (wait_s := (due_ns - time.monotonic_ns()) / 1e9) > 0:
                await asyncio.sleep(wait_s)
            number = self.posted.due
            self.posted.due += 1
            task = asyncio.create_task(self._post(number, due_ns), name="post")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            if place % 10 == 9:
                await asyncio.sleep(0)
        self.posted.writing_s += max((time.monotonic_ns() - began) / 1e9, seconds)
        if self._tasks:
            await asyncio.gather(*self._tasks)

    async def _post(self, number: int, due_ns: int) -> None:
        place, client_id, text = number % len(self._crowd), uuid4().hex, self._text(number, due_ns)
        for attempt in range(self._tries):
            if attempt:
                await asyncio.sleep(0.2 * 2**attempt)
            try:
                if not self._crowd[place].there:
                    self._crowd[place] = await self._connect(self._tickets[place])
                ack = await self._crowd[place].post(client_id, text, ANSWER_S)
            except (OSError, TimeoutError):
                continue
            if ack["ok"]:
                if ack["state"] == "held":
                    raise Held
                self.posted.acknowledged[ack["seq"]] = number
                self.posted.answers.add((time.monotonic_ns() - due_ns) / 1e6)
                return
            code = ack["error"]["code"]
            self.posted.refused[code] += 1
            if code not in TEMPORARY or (code in TOO_MUCH and self._tries == 1):
                return
        self.posted.unanswered += 1

    def _text(self, number: int, due_ns: int) -> str:
        text = self._chance.choice(self._texts)
        while len(text) < self._length:
            text += " " + self._chance.choice(self._texts)
        sign = mark(self._run, number, due_ns)
        return f"{text[: (self._length or limit('text_graphemes')) - len(sign) - 1].rstrip()} {sign}"

    def leave(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        for poster in self._crowd:
            with contextlib.suppress(OSError):
                poster.close()
