"""The latest fragments of one view, so that whoever missed some can resume. Bounded by count, bytes and age."""

from collections import OrderedDict
from collections.abc import Sequence

from protocol.limits import limit


class Ring:
    """Keeps the newest value of each name only: what was hidden or erased is not kept anywhere.

    Covers the interval of the log (`floor`, `seq`]: for any position in it `since` has all that is needed.
    """

    def __init__(self, seq: int = 0) -> None:
        self._kept: OrderedDict[str, tuple[int, float, bytes]] = OrderedDict()
        self._bytes = 0
        self.floor = seq
        self.seq = seq

    def append(self, seq: int, fragments: Sequence[tuple[str, bytes]], now: float) -> None:
        """What entry `seq` changed, at monotonic second `now`; call it for entries that changed nothing too."""
        self.seq = seq
        for name, body in fragments:
            self.scrub(name)
            self._kept[name] = (seq, now, body)
            self._bytes += len(body)
        oldest = now - limit("ring_s")
        while self._kept:
            _, (kept_seq, at, body) = next(iter(self._kept.items()))
            if len(self._kept) <= limit("ring_entries") and self._bytes <= limit("ring_bytes") and at >= oldest:
                break
            self._kept.popitem(last=False)
            self._bytes -= len(body)
            self.floor = kept_seq

    def scrub(self, name: str) -> None:
        """Forget every value of `name`."""
        kept = self._kept.pop(name, None)
        if kept is not None:
            self._bytes -= len(kept[2])

    def since(self, after: int) -> list[bytes] | None:
        """Fragments that bring position `after` to `seq`, in order; None: too old, or from the future."""
        if not self.floor <= after <= self.seq:
            return None
        newer: list[bytes] = []
        for seq, _, body in reversed(self._kept.values()):
            if seq <= after:
                break
            newer.append(body)
        newer.reverse()
        return newer

    def reset(self, seq: int) -> None:
        """Nothing before `seq` can be resumed."""
        self._kept.clear()
        self._bytes = 0
        self.floor = self.seq = seq
