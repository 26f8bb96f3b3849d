"""Between the parent and a worker: questions and answers as lines of JSON over a socket pair that no one else has.

It is also the lifeline: whoever reads its end knows that the other process is gone, however it ended.
"""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

LINE_MAX_BYTES = 4 * 1024**2
"""A worker's figures are some ten kilobytes."""
ASKED_MAX = 64
"""Questions that one side may have open at the other."""


class LinkBroken(Exception):
    """The other process is gone, or does not answer."""


class Link:
    """`answer(what)` answers what the other side asks. `closed` is set once the other side is gone."""

    def __init__(self, end: socket.socket, answer: Callable[[str], Awaitable[Any]]) -> None:
        self._end = end
        self._answer = answer
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()

    async def start(self) -> None:
        """Begin to read."""
        reader, self._writer = await asyncio.open_connection(sock=self._end, limit=LINE_MAX_BYTES)
        self._reading = asyncio.create_task(self._read(reader), name="link")

    async def ask(self, what: str, timeout_s: float) -> Any:
        """The other side's answer. Raises LinkBroken."""
        if self.closed.is_set() or len(self._open) >= ASKED_MAX:
            raise LinkBroken(what)
        number = next(self._numbers)
        future = self._open[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"ask": what, "number": number})
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise LinkBroken(what) from None
        finally:
            del self._open[number]

    async def close(self) -> None:
        """End it; the other side notices."""
        for task in (self._reading, *self._answering):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._writer is not None
        self._writer.write(orjson.dumps(message) + b"\n")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                message = orjson.loads(line)
                if "ask" in message:
                    task = asyncio.create_task(self._reply(message["ask"], message["number"]), name="link-answer")
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
                elif (future := self._open.get(message["number"])) is not None and not future.done():
                    future.set_result(message["answer"])
        except (OSError, ValueError):
            pass  # cut in the middle of a line, or longer than the bound: as good as gone
        finally:
            self.closed.set()
            for future in self._open.values():
                if not future.done():
                    future.set_exception(LinkBroken("the other process is gone"))

    async def _reply(self, what: str, number: int) -> None:
        self._send({"number": number, "answer": await self._answer(what)})
