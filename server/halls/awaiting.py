"""Browsers that hold a token and wait for a round: counted in memory, by an opaque key, for as long as they say so again."""

from collections.abc import Callable

from protocol.limits import limit

STALE_S = 45.0
"""A browser that has not said so again for this long has gone."""


class Awaiting:
    """Of one town hall on one node. `clock`: unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[bytes, tuple[float, float]] = {}

    def add(self, key: bytes) -> None:
        """It waits, still."""
        now = self._clock()
        if key in self._seen or len(self._seen) < limit("awaiting"):
            self._seen[key] = (self._seen.get(key, (now, now))[0], now)

    def clear(self) -> None:
        """A round has begun: whoever still waits says so again."""
        self._seen.clear()

    def count(self) -> tuple[int, float]:
        """(how many wait, for how many seconds the first of them has)."""
        now = self._clock()
        for key, (_, last) in list(self._seen.items()):
            if now - last > STALE_S:
                del self._seen[key]
        return len(self._seen), max((now - first for first, _ in self._seen.values()), default=0.0)
