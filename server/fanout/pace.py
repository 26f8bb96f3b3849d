"""When to flush: pure, the clock is an argument. Seconds throughout."""

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Idle: at once. Busy: whoever has written for a while rests for as long, so that flushing takes half of the time.

    Over all rooms of a loop together: they share it. `wait_max_s`: the most that resting may add to a message's way.
    """

    wait_max_s: float
    ready_at: float = 0.0

    def spent(self, began: float, ended: float) -> None:
        """Note a time of writing: a slice of a flush, or a whole one."""
        self.ready_at = min(max(self.ready_at, began) + 2 * (ended - began), ended + self.wait_max_s)
