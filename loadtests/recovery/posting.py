"""People who post at a steady rate over HTTP, and what each was answered and when."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import orjson

UNDERWAY = 400
"""Posts without an answer, at most; further ones are not sent."""
WAIT_S = 10.0
NO_ANSWER = "no answer"


@dataclass(slots=True)
class Post:
    """`code` of the refusal, "" if it was acknowledged. Times of the monotonic clock; `answered` 0: not yet."""

    text: str
    sent: float
    answered: float = 0.0
    code: str = NO_ANSWER


class Posting:
    """`tokens` take turns: with 10 × `rate` of them nobody is limited. Nothing is sent again: what counts is the answer."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, code: str, tokens: Sequence[str], rate: float, more: str = ""
    ) -> None:
        self._session = session
        self._address = f"{url}/api/v1/halls/{code}/audience/commands"
        self._tokens = itertools.cycle(tokens)
        self._pause = 1 / rate
        self._more = more
        self._run = uuid4().hex[:8]
        self._task: asyncio.Task[None] | None = None
        self._underway: set[asyncio.Task[None]] = set()
        self.posts: list[Post] = []

    async def __aenter__(self) -> "Posting":
        self._task = asyncio.create_task(self._go_on(), name="posting")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, *self._underway, return_exceptions=True)

    @property
    def acknowledged(self) -> list[str]:
        """Texts."""
        return [post.text for post in self.posts if post.code == ""]

    def again(self, moment: float) -> float:
        """When the first that was sent after `moment` was acknowledged; infinite: none was yet."""
        return min((post.answered for post in self.posts if post.sent > moment and post.code == ""), default=float("inf"))

    def longest_answer(self, begin: float, end: float) -> float:
        """Seconds, of those sent between `begin` and `end`."""
        waits = (post.answered - post.sent for post in self.posts if begin <= post.sent <= end and post.answered)
        return max(waits, default=0.0)

    async def _go_on(self) -> None:
        due = time.monotonic()
        for number in itertools.count():
            if len(self._underway) < UNDERWAY:
                post = Post(f"{self._run} {number}번째 글입니다.{self._more}", time.monotonic())
                self.posts.append(post)
                task = asyncio.create_task(self._send(post, next(self._tokens)))
                self._underway.add(task)
                task.add_done_callback(self._underway.discard)
            due = max(due + self._pause, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _send(self, post: Post, token: str) -> None:
        body = {"command": "message:post", "payload": {"client_id": uuid4().hex, "text": post.text}}
        headers = {"Authorization": f"Bearer {token}"}
        wait = aiohttp.ClientTimeout(total=WAIT_S)
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with self._session.post(self._address, headers=headers, data=orjson.dumps(body), timeout=wait) as response:
                ack = await response.json()
            post.code = "" if ack["ok"] else ack["error"]["code"]
        post.answered = time.monotonic()
