"""When to flush: pure, the clock is an argument. Seconds throughout."""

from dataclasses import dataclass


REST = 0.6
"""Of the time of writing. A message waits for the flush before it, the rest, and its own flush: with a rest as long as the writing
the slowest hundredth of them saw 12 % more than half a second pass, at a hundred a second to ten thousand."""


@dataclass(slots=True)
class Pace:
    """Idle: at once. Busy: whoever has written for a while rests for REST of it, so that flushing takes five eighths of the time.

    Over all rooms of a loop together: they share it. `wait_max_s`: the most that resting may add to a message's way.
    """

    wait_max_s: float
    ready_at: float = 0.0

    def spent(self, began: float, ended: float) -> None:
        """Note a time of writing: a slice of a flush, or a whole one."""
        self.ready_at = min(max(self.ready_at, began) + (1 + REST) * (ended - began), ended + self.wait_max_s)
