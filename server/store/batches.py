"""Many small calls of one kind made as few large ones: a whole house votes within seconds, and a call waits for the disk."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from server.store.appender import Busy

Place = TypeVar("Place", bound=Hashable)
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Batches(Generic[Place, Asked, Answer]):
    """`call(place, many)` answers each of at most `most`, in order. Of one place one call is under way at a time, each with
    all that have gathered meanwhile; at most `waiting_max` wait there.
    """

    def __init__(self, call: Callable[[Place, list[Asked]], Awaitable[Sequence[Answer]]], *, most: int, waiting_max: int) -> None:
        self._call = call
        self._most = most
        self._waiting_max = waiting_max
        self._waiting: dict[Place, deque[tuple[Asked, asyncio.Future[Answer]]]] = {}
        self._tasks: dict[Place, asyncio.Task[None]] = {}

    async def ask(self, place: Place, asked: Asked) -> Answer:
        """Its answer. Raises Busy, and what the call raises."""
        waiting = self._waiting.setdefault(place, deque())
        if len(waiting) >= self._waiting_max:
            raise Busy
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        waiting.append((asked, answer))
        if place not in self._tasks:
            self._tasks[place] = asyncio.create_task(self._work(place), name="batches")
        return await answer

    async def _work(self, place: Place) -> None:
        waiting = self._waiting[place]
        try:
            while waiting:
                batch = [waiting.popleft() for _ in range(min(len(waiting), self._most))]
                try:
                    answers = await self._call(place, [asked for asked, _ in batch])
                except BaseException as error:
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error) if isinstance(error, Exception) else future.cancel()
                    if not isinstance(error, Exception):
                        raise
                    continue
                for (_, future), answer in zip(batch, answers, strict=True):
                    if not future.done():
                        future.set_result(answer)
        finally:
            del self._tasks[place]
            if not waiting:
                del self._waiting[place]
