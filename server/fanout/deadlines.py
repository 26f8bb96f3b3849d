"""Times by which something must have happened, all of one length: so the first that was added is the first that is due."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """`late(item)` is called for each item that is still there `seconds()` after it was added. Each item once."""

    def __init__(
        self, seconds: Callable[[], float], late: Callable[[T], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._late = late
        self._clock = clock
        self._since: dict[T, float] = {}

    def add(self, item: T) -> None:
        """From now on; again has no effect."""
        self._since.setdefault(item, self._clock())

    def discard(self, item: T) -> None:
        """It happened, or does not matter any more."""
        self._since.pop(item, None)

    def look(self) -> None:
        """Called every now and then."""
        oldest = self._clock() - self._seconds()
        while self._since:
            item, since = next(iter(self._since.items()))
            if since > oldest:
                return
            del self._since[item]
            self._late(item)

    def end(self) -> None:
        """Nothing more will happen: all are late."""
        items = list(self._since)
        self._since.clear()
        for item in items:
            self._late(item)

    def __len__(self) -> int:
        return len(self._since)
