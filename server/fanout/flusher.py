"""Whose turn it is to write: one room after the other over all rooms of a loop, in slices, with rests between."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import structlog

from server.fanout.pace import Pace
from server.fanout.uring import Uring

log = structlog.get_logger()

SMALL = 64
"""Rooms of so many viewers (staff's, mostly) are written within a millisecond: they go first, also between slices."""
AHEAD_S = 0.05
"""So much sooner than the rest would end may a small room be written."""
WAIT_MAX_S = 0.25
GATHER_S = 1e-6
"""For each viewer, how long the first news is kept for what comes with it: a tenth of what writing it will take. People laugh at
the same moment, and the log takes the first of them alone."""
GATHER_MAX_S = 0.01


class Flushing(Protocol):
    """A room."""

    @property
    def viewers(self) -> int: ...
    def flush(self) -> Iterator[None]:
        """Write what has gathered; whenever it yields, others may have a turn."""


class Flusher:
    """`wait_max_s`: the most that coalescing may add to a message's way. `uring`: what rooms write with; None: call by call."""

    def __init__(
        self, wait_max_s: float = WAIT_MAX_S, clock: Callable[[], float] = time.monotonic, uring: Uring | None = None
    ) -> None:
        self.uring = uring
        self._pace = Pace(wait_max_s)
        self._clock = clock
        self._waiting: dict[Flushing, float] = {}
        self._patient: dict[Flushing, asyncio.TimerHandle] = {}
        self._begun: Iterator[None] | None = None
        self._begun_room: Flushing | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0

    def want(self, room: Flushing) -> None:
        """`room` has news. Called any number of times, flushed once."""
        if room not in self._waiting:
            self._waiting[room] = self._clock()
            self._set_timer()

    def want_soon(self, room: Flushing) -> None:
        """`room` has figures: in a large one they go with its next news, or by themselves after the most that a message waits."""
        if room.viewers <= SMALL:
            self.want(room)
        elif room not in self._waiting and room not in self._patient:
            loop = asyncio.get_running_loop()
            self._patient[room] = loop.call_later(self._pace.wait_max_s, self._patient_no_longer, room)

    def _patient_no_longer(self, room: Flushing) -> None:
        del self._patient[room]
        self.want(room)

    def _take(self, room: Flushing) -> Iterator[None]:
        """It is flushed now, with all that it has."""
        del self._waiting[room]
        if (timer := self._patient.pop(room, None)) is not None:
            timer.cancel()
        return room.flush()

    def _set_timer(self) -> None:
        due = self._due()
        if due is None or (self._timer is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self._clock()), self._turn)

    def _due(self) -> float | None:
        """When the next turn is; None: nobody waits."""
        if self._begun is not None:
            return 0.0
        if not self._waiting:
            return None
        first, wanted = next(iter(self._waiting.items()))
        if self._small() is not None:
            return min(self._pace.ready_at - AHEAD_S, wanted + self._pace.wait_max_s)
        gathered = wanted + min(GATHER_S * first.viewers, GATHER_MAX_S)
        return min(max(self._pace.ready_at, gathered), wanted + self._pace.wait_max_s)

    def _small(self) -> Flushing | None:
        return next((room for room in self._waiting if room.viewers <= SMALL and room is not self._begun_room), None)

    def _turn(self) -> None:
        self._timer = None
        began = self._clock()
        try:
            self._write()
        except Exception:
            self._begun = self._begun_room = None
            log.exception("flush_failed")
        self._pace.spent(began, self._clock())
        self._set_timer()

    def _write(self) -> None:
        """A small room whole, or one slice of a large one."""
        small = self._small()
        if small is not None:
            for _ in self._take(small):
                pass
            return
        if self._begun is None and self._waiting:
            room = next(iter(self._waiting))
            self._begun, self._begun_room = self._take(room), room
        if self._begun is not None and next(self._begun, self) is self:
            self._begun = self._begun_room = None
