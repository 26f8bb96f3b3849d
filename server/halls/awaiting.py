"""Browsers that wait for a round: counted in memory, by the ids of their waiting tokens, for as long as they say so again."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from protocol.limits import limit
from server.store.waiting import SHORT, TOLD_MAX, Waiting

STALE_S = 75.0
"""A browser that has not said so again for this long has gone: one in the background speaks once a minute."""


@dataclass(slots=True)
class _Seen:
    """`first`, `last`: when it said that it waits, in unix seconds; `first` None: not since the last round began. `few`:
    whether it will come in with few, as it said last.
    """

    first: float | None
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
        self._taken: dict[bytes, None] = {}
        self.everybody = 0
        self.arrived_s = 0.0

    def again(self, id: bytes, *, few: bool = False) -> float | None:
        """It waits, still; for how many seconds it has. None: its token is not known here, or no more."""
        seen, now = self._seen.get(id), self._clock()
        if seen is None:
            return None
        first = seen.first = now if seen.first is None else seen.first
        seen.last, seen.few = now, few
        return now - first

    def add(self, id: bytes, *, few: bool = False) -> bool:
        """The token with this id is good, and no round has taken it: its holder waits. False: there is no room."""
        if id not in self._seen and len(self._seen) >= limit("awaiting"):
            return False
        if self.again(id, few=few) is None:
            now = self._clock()
            self._seen[id] = _Seen(now, now, few)
        return True

    def is_taken(self, id: bytes) -> bool:
        """Whether it is known here that a round has taken it."""
        return id[:SHORT] in self._taken

    def take(self, ids: Iterable[bytes]) -> None:
        """Rounds have taken the tokens with these short ids: they count no more. The longest known are forgotten first."""
        for id in ids:
            if len(self._taken) >= limit("awaiting"):
                del self._taken[next(iter(self._taken))]
            self._taken[id] = None
        self._seen = {id: seen for id, seen in self._seen.items() if id[:SHORT] not in self._taken}

    def clear(self, *, few: bool) -> None:
        """A round has begun, `few`: only for those who will come in with few. Whoever still waits says so again."""
        for seen in self._seen.values():
            if seen.few or not few:
                seen.first = None

    def ids(self) -> Sequence[bytes]:
        """Short ones of all that are known here."""
        return [id[:SHORT] for id in self._seen]

    def waiting(self) -> tuple[Waiting, Waiting]:
        """All that wait, and those that will come in with few."""
        now = self._clock()
        for id, seen in list(self._seen.items()):
            if now - seen.last > STALE_S:
                del self._seen[id]
        found = [(seen.first, id[:SHORT], seen.few) for id, seen in self._seen.items() if seen.first is not None]
        return _longest(found, now), _longest((one for one in found if one[2]), now)


def _longest(found: Iterable[tuple[float, bytes, bool]], now: float) -> Waiting:
    """Those who have waited longest, as many as are told."""
    first = heapq.nsmallest(TOLD_MAX, found)
    return Waiting(frozenset(id for _, id, _ in first), now - first[0][0] if first else 0.0)
