"""What the fan-out of this process has done, as plain numbers: /metrics reads them, nobody else does."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Totals since the start, but for `slow`. Seconds are of writing."""

    flushes: int = 0
    flush_s: float = 0.0
    flush_bytes: int = 0
    """Handed to connections by flushes."""
    frames: int = 0
    """Written to connections by flushes; each may carry several entries."""
    deliveries: int = 0
    """Fragments in them: entries that reached a viewer."""
    entries: int = 0
    """Fragments that flushes carried, each counted once whatever the viewers: entries / flushes is the coalescing."""
    catch_ups: int = 0
    """Viewers brought to the present by a frame or a snapshot of their own."""
    snapshots: int = 0
    """Rendered and encoded."""
    slow: int = 0
    """Viewers that have not taken what they were sent, now."""
    joins: int = 0
    closes: Counter[int] = field(default_factory=Counter)
    """Connections that the server closed, by code."""
    refused: Counter[str] = field(default_factory=Counter)
    """Those of them that were not worth keeping, by reason."""
    connections: Counter[str] = field(default_factory=Counter)
    """Open now, by role; those that have joined nothing yet under `none`."""
    on_flush: Callable[[float, int, int], None] | None = None
    """Called after every flush: seconds, bytes, entries."""


figures = Figures()
