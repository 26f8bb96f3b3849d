"""How much of the time to join is used up: less of it where a busy machine, theirs or ours, keeps honest newcomers waiting."""

from server.fanout.heartbeat import PLACES_PER_S

STORM = 50
"""Joins a second from which on it counts as a storm."""
LATE_S = 1.5 / PLACES_PER_S
"""A look that comes so long after the last one is late."""
SLOWER = 4
"""So many times longer may joining take in a storm, or while we are late."""


class Patience:
    """A clock for those who join. `now`: monotonic second."""

    def __init__(self, now: float) -> None:
        self._looked_at = now
        self.seconds = 0.0
        self.joined = 0
        """How many since the last look."""

    def look(self, now: float, *, busy: bool) -> None:
        """Called PLACES_PER_S times a second. `busy`: somebody who has asked to join waits for us."""
        passed = now - self._looked_at
        storm = self.joined >= STORM * passed
        self.seconds += passed / SLOWER if busy or storm or passed > LATE_S else passed
        self._looked_at, self.joined = now, 0
