"""Browsers that hold a token and wait for a round: counted in memory, by an opaque key, for as long as they say so again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from protocol.limits import limit
from server.store.tokens import Tally

STALE_S = 45.0
"""A browser that has not said so again for this long has gone."""


@dataclass(slots=True)
class _Seen:
    """`first`, `last`: when it said that it waits; `few`: whether it will come in with few, as it said last."""

    first: float
    last: float
    few: bool


class Awaiting:
    """Of one town hall on one node. `clock`: unix seconds.

    `everybody`: how many wait on all nodes, those who have shown their tokens among them. `arrived_s`: for how long the first
    of those has. Both as they were looked up last (rounds.py).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[bytes, _Seen] = {}
        self.everybody = 0
        self.arrived_s = 0.0

    def add(self, key: bytes, *, few: bool = False) -> float:
        """It waits, still; for how many seconds it has."""
        now = self._clock()
        seen = self._seen.get(key)
        if seen is not None:
            seen.last, seen.few = now, few
            return now - seen.first
        if len(self._seen) < limit("awaiting"):
            self._seen[key] = _Seen(now, now, few)
        return 0.0

    def clear(self, *, few: bool) -> None:
        """A round has begun, `few`: only for those who will come in with few. Whoever still waits says so again."""
        self._seen = {key: seen for key, seen in self._seen.items() if few and not seen.few}

    def tallies(self) -> tuple[Tally, Tally]:
        """Of all that wait, and of those that will come in with few."""
        now = self._clock()
        for key, seen in list(self._seen.items()):
            if now - seen.last > STALE_S:
                del self._seen[key]
        return _tally(self._seen.values(), now), _tally((seen for seen in self._seen.values() if seen.few), now)


def _tally(waiting: Iterable[_Seen], now: float) -> Tally:
    since = [seen.first for seen in waiting]
    return Tally(len(since), now - min(since, default=now))
