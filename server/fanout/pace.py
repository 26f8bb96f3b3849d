"""When to flush: pure, the clock is an argument. Seconds throughout."""

from dataclasses import dataclass

WAIT_MAX_S = 0.25
"""The most that coalescing may add to a message's way."""


@dataclass(slots=True)
class Pace:
    """An idle town hall sends at once; a busy one rests as long as its last flush took, so flushing takes half the time."""

    ready_at: float = 0.0

    def wait_s(self, now: float) -> float:
        """How long from `now` until the next flush may begin."""
        return max(0.0, self.ready_at - now)

    def flushed(self, began: float, ended: float) -> None:
        """Note a flush."""
        self.ready_at = ended + min(ended - began, WAIT_MAX_S)
