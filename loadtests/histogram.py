"""Times in buckets that grow by 2 %: small, mergeable, and exact enough for a percentile. Milliseconds throughout."""

import math
from collections import Counter
from collections.abc import Iterable

LEAST_MS = 0.1
GROWTH = math.log(1.02)
BUCKETS = 800
"""The last one begins at about 12 minutes. `native/audience.h` has the same three figures."""


def bucket(ms: float) -> int:
    """Which bucket `ms` falls into."""
    return 0 if ms <= LEAST_MS else min(BUCKETS - 1, int(math.log(ms / LEAST_MS) / GROWTH))


def upper_ms(index: int) -> float:
    """The end of a bucket: a percentile is never told too small."""
    return LEAST_MS * math.exp(GROWTH * (index + 1))


class Histogram:
    """Counts by bucket."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._counts: Counter[int] = Counter()
        self.merge(pairs)

    @property
    def total(self) -> int:
        """How many times were put in."""
        return self._counts.total()

    def add(self, ms: float, times: int = 1) -> None:
        """Put `ms` in, `times` over."""
        self._counts[bucket(ms)] += times

    def merge(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add what another one's `pairs` held."""
        for index, count in pairs:
            self._counts[index] += count

    def pairs(self) -> list[tuple[int, int]]:
        """(bucket, count) of those that are not empty."""
        return sorted(self._counts.items())

    def percentile(self, share: float) -> float:
        """The time that `share` (0 to 1) of all stay within; 0 if there are none."""
        left = math.ceil(self.total * share)
        for index, count in self.pairs():
            left -= count
            if left <= 0:
                return upper_ms(index)
        return 0.0

    def longest(self) -> float:
        """The largest."""
        return upper_ms(max(self._counts)) if self._counts else 0.0

    def clear(self) -> None:
        """Forget all."""
        self._counts.clear()
