"""What a viewer was sent, checked: every seq once, in order, and every message of this run. Pure.

Everybody gets the same bytes, so a frame is read once, and each viewer only adds up what stood in it: that is exact,
since every byte was compared, and cheap enough for ten thousand viewers. `native/check.c` does the same.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

Kind = Literal["reset", "changed", "other"]
_MASK = (1 << 64) - 1


def mixed(number: int) -> int:
    """A number spread over 64 bits (splitmix64), so that the sum of a set of them tells it from any other in practice."""
    value = (number + 1) * 0x9E3779B97F4A7C15 & _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31


class News:
    """One frame, read. `marks`: (message id, number, due_ns) of this run's messages in it, as they stand there."""

    __slots__ = ("after", "count", "first", "kind", "last", "marks", "ordered", "seq", "sum")

    def __init__(self, kind: Kind, after: int = 0, seq: int = 0, marks: tuple[tuple[int, int, int], ...] = ()) -> None:
        self.kind = kind
        self.after = after
        self.seq = seq
        self.marks = marks
        ids = [id for id, _, _ in marks]
        self.count = len(ids)
        self.first = ids[0] if ids else 0
        self.last = ids[-1] if ids else 0
        self.ordered = all(a < b for a, b in pairwise(ids))
        self.sum = sum(mixed(number) for _, number, _ in marks) & _MASK


class Track:
    """Where one viewer stands, and what went wrong on its way there. `start`: the seq of its last snapshot."""

    __slots__ = ("count", "disorders", "doubles", "holes", "last", "position", "resets", "start", "sum")

    def __init__(self) -> None:
        self.position = self.start = -1
        self.count = self.sum = self.last = 0
        self.holes = self.doubles = self.disorders = self.resets = 0

    def take(self, news: News) -> None:
        """The next frame of this viewer."""
        if news.kind == "reset":
            self.resets += self.position >= 0
            self.position = self.start = news.seq
            self.count = self.sum = self.last = 0
        elif news.kind == "changed":
            if news.after != self.position:
                self.holes += news.after > self.position
                self.doubles += news.after < self.position
            self.position = news.seq
            if news.count:
                self.disorders += not news.ordered or news.first <= self.last
                self.last = news.last
                self.count += news.count
                self.sum = self.sum + news.sum & _MASK

    def row(self) -> tuple[int, int, int, int]:
        """(start, position, count, sum): what the driver compares with what was acknowledged."""
        return self.start, self.position, self.count, self.sum


@dataclass(slots=True)
class Verdict:
    """Viewers, by what became of them. `whole`: saw every message, once."""

    whole: int = 0
    behind: int = 0
    """Has not come to the last acknowledged message."""
    short: int = 0
    """Missed messages, or saw some twice, though its seqs were in order."""


def judge(rows: Iterable[tuple[int, int, int, int]], acknowledged: Mapping[int, int]) -> Verdict:
    """Compare `Track.row`s with `acknowledged` (seq → number of the message)."""
    seqs = sorted(acknowledged)
    sums = [0, *accumulate(mixed(acknowledged[seq]) for seq in seqs)]
    verdict = Verdict()
    for start, position, count, found in rows:
        first, end = bisect_right(seqs, start), bisect_right(seqs, position)
        if end < len(seqs):
            verdict.behind += 1
        elif count != end - first or found != sums[end] - sums[first] & _MASK:
            verdict.short += 1
        else:
            verdict.whole += 1
    return verdict
