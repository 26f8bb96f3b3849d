"""Token buckets in memory: how fast one sender may go. Bounded in number; the longest unused goes first."""

from collections import OrderedDict

BUCKETS_MAX = 100_000


class Bucket:
    """`burst` at once, refilled at `burst` per `seconds`. Times are monotonic seconds."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, burst: float, seconds: float, now: float) -> None:
        self._burst = burst
        self._rate = burst / seconds
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> float:
        """0: taken. Otherwise seconds until the next one is there."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate


class Buckets:
    """A bucket for each key."""

    def __init__(self, burst: float, seconds: float) -> None:
        self._burst = burst
        self._seconds = seconds
        self._kept: OrderedDict[bytes, Bucket] = OrderedDict()

    def take(self, key: bytes, now: float) -> float:
        """As Bucket.take, of the bucket `key`."""
        bucket = self._kept.get(key)
        if bucket is None:
            if len(self._kept) >= BUCKETS_MAX:
                self._kept.popitem(last=False)
            bucket = self._kept[key] = Bucket(self._burst, self._seconds, now)
        else:
            self._kept.move_to_end(key)
        return bucket.take(now)
