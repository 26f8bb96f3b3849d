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
    """`call(place, many)` answers each of at most `most`, in order; one that is an exception is raised. Of one place one call
    is under way at a time, each with all that have gathered meanwhile; at most `waiting_max` wait there.

    `gather_s`: between two calls of one place, unless they are full. Whoever comes alone does not wait.
    """

    def __init__(
        self,
        call: Callable[[Place, list[Asked]], Awaitable[Sequence[Answer | Exception]]],
        *,
        most: int,
        waiting_max: int,
        gather_s: float = 0.0,
    ) -> None:
        self._call = call
        self._most = most
        self._waiting_max = waiting_max
        self._gather_s = gather_s
        self._waiting: dict[Place, deque[tuple[Asked, asyncio.Future[Answer]]]] = {}
        self._tasks: dict[Place, asyncio.Task[None]] = {}

    @property
    def idle(self) -> bool:
        """Whether nobody waits and no call is under way."""
        return not self._waiting and not self._tasks

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
                    if future.done():
                        continue
                    if isinstance(answer, Exception):
                        future.set_exception(answer)
                    else:
                        future.set_result(answer)
                if self._gather_s and len(waiting) < self._most:
                    await asyncio.sleep(self._gather_s)
        finally:
            del self._tasks[place]
            if not waiting:
                del self._waiting[place]
