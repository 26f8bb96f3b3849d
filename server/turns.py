"""Work of one kind that comes thick is done in goes: what it needs is then in the processor's caches, and those who wait for
it are woken together. A join in a row of twenty costs about two thirds of one by itself
(docs/decisions/0047-joins-in-goes.md).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

GATHER_S = 0.02
"""From the beginning of one go to that of the next, at least. Whoever comes after a pause of as long does not wait."""
SLICE_S = 0.01
"""How long a go may hold up everything else."""


class Turns(Generic[T]):
    """`serve(item)` is called for one item after the other, in the order in which they came. Whoever puts items bounds them."""

    def __init__(self, serve: Callable[[T], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._serve = serve
        self._clock = clock
        self._waiting: deque[T] = deque()
        self._next = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, item: T) -> None:
        """It has its turn after those who wait; never before this returns."""
        if not self._waiting:
            loop, wait = asyncio.get_running_loop(), self._next - self._clock()
            if wait > 0:
                loop.call_later(wait, self._go)
            else:
                loop.call_soon(self._go)
        self._waiting.append(item)

    def _go(self) -> None:
        began = self._clock()
        self._next = began + GATHER_S
        try:
            while self._waiting:
                self._serve(self._waiting.popleft())
                if self._clock() - began > SLICE_S:
                    break
        finally:  # one that fails must not leave the others waiting
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._go)
