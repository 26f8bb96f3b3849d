"""The gauges of one town hall on this node: last value wins, never replayed."""

import time
from collections.abc import Callable, Iterable, Sequence

import msgpack
import msgspec

from moderation.hall import Hall
from protocol.frames import Gauges, PollFigures
from protocol.views import Counts

VIEWERS_PER_S = 2_000
"""Viewers told how many they are in a second, about: ten thousand hear it every five seconds while they come in."""


class GaugeBoard:
    """Collects what changed, so that a flood of supports costs one small frame about twice a second.

    `clock`: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.viewers = 0
        self.support: dict[int, int] = {}
        self.poll: PollFigures | None = None
        """Of the newest poll that had enough voters."""
        self._told_poll: PollFigures | None = None
        self._told_viewers = -1
        self._told_viewers_at = 0.0
        self._told_counts: Counts | None = None
        self._dirty: set[int] = set()

    def take(self, payload: bytes) -> None:
        """msgpack {message: count} or {"poll": [id, voters, counts]} as some node or the store published it."""
        for name, figure in msgpack.unpackb(payload, strict_map_key=False).items():
            if name == "poll":
                self.put_poll(*figure)
            else:
                self.put(name, figure)

    def put_poll(self, id: int, voters: int, counts: Sequence[int]) -> None:
        """Figures of the open poll. They come by two ways: what is older than what is known is dropped."""
        if self.poll is None or (id, voters) > (self.poll.id, self.poll.voters):
            self.poll = PollFigures(id, voters, tuple(counts))

    def put(self, message: int, count: int) -> None:
        """`count` supports of `message` now."""
        if self.support.get(message) != count:
            self.support[message] = count
            self._dirty.add(message)

    def touch(self, messages: Iterable[int]) -> None:
        """Entries are about `messages`: who was not told of their figures may be from now on."""
        self._dirty.update(message for message in messages if message in self.support)

    def all(self, hall: Hall) -> Gauges:
        """Every gauge, for somebody who comes in."""
        return Gauges(viewers=self.viewers, support=dict(self.support), counts=hall.counts(), poll=self._poll(hall))

    def _poll(self, hall: Hall) -> PollFigures | None:
        """Nothing once it is closed: what came of it stands in the view."""
        return self.poll if self.poll is not None and self.poll.id == hall.open_poll else None

    def changed(self, hall: Hall) -> Gauges | None:
        """What changed since the last call; None: nothing did."""
        counts = hall.counts()
        waits = self._clock() - self._told_viewers_at < self.viewers / VIEWERS_PER_S and self._told_viewers >= 0
        viewers = self.viewers if not waits and _worth_telling(self._told_viewers, self.viewers) else None
        poll = self._poll(hall)
        if viewers is None and not self._dirty and counts == self._told_counts and poll in (None, self._told_poll):
            return None
        news = Gauges(
            viewers=viewers,
            support={message: self.support[message] for message in self._dirty},
            counts=counts if counts != self._told_counts else None,
            poll=poll if poll != self._told_poll else None,
        )
        self._told_poll = poll or self._told_poll
        self._dirty.clear()
        self._told_counts = counts
        if viewers is not None:
            self._told_viewers, self._told_viewers_at = viewers, self._clock()
        return news


def for_public(hall: Hall, gauges: Gauges) -> Gauges | None:
    """What those may be told of it who see no question that is held or removed; None: nothing."""
    seen = {id: count for id, count in gauges.support.items() if (found := hall.messages.get(id)) and found.is_question}
    public = msgspec.structs.replace(gauges, support=seen)
    return public if public != Gauges() else None


def _worth_telling(told: int, now: int) -> bool:
    """A big crowd's count is news only when it moved by a noticeable part (as lichess' lila-ws does)."""
    step = 1 if now < 100 else 10 if now < 1_000 else 50 if now < 10_000 else 100
    return told < 0 or (told != now and (abs(told - now) >= step or now < 100))
