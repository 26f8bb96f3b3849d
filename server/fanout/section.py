"""A part of a room's viewers: written to in one go, with what is newest when its turn comes.

A large room is written to section after section. What comes while one is written to goes to the next ones at once: nobody
waits for the end of the round, and then for the rest, and then for a whole round again.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from protocol import wire
from protocol.frames import CHANGED, GAUGES
from server.fanout.forms import Form
from server.fanout.group import Group
from server.fanout.ring import Ring
from server.fanout.uring import Uring
from server.fanout.viewer import Viewer
from server.fanout.window import Window

MOST = 2_000
"""Viewers of a section: written to in about 20 ms."""
SLICE_S = 0.005
"""How long a flush writes before others have a turn: joins, heartbeats, commands."""
SLICE_WRITES = 64
"""Writes between two looks at the clock: about half a millisecond."""


@dataclass(slots=True)
class Written:
    """What the sections of a flush add up to: seconds of writing, frames, entries in them, bytes. `entries`: of the last one."""

    seconds: float = 0.0
    frames: int = 0
    deliveries: int = 0
    size: int = 0
    entries: int = 0


class Section:
    """`missed(viewer)`: ready bytes that bring one who stands elsewhere to the present. `place(seq)`: as clients name it.
    `uring`: what is written with; None: call by call.
    """

    __slots__ = ("_clock", "_missed", "_number", "_place", "_ring", "_uring", "count", "flushed", "groups", "windows")

    def __init__(
        self,
        ring: Ring,
        missed: Callable[[Viewer], bytes],
        place: Callable[[int], str],
        clock: Callable[[], float] = time.monotonic,
        uring: Uring | None = None,
    ) -> None:
        self._ring = ring
        self._missed = missed
        self._place = place
        self._clock = clock
        self._uring = uring
        self._number = 0
        self.count = 0
        """Viewers."""
        self.flushed = ring.seq
        """Position of the last flush."""
        self.groups: dict[Form, Group] = {}
        self.windows: dict[Form, Window] = {}

    def __iter__(self) -> Iterator[Viewer]:
        for group in self.groups.values():
            yield from group

    def add(self, viewer: Viewer) -> None:
        """It is on its own until the flush after next."""
        viewer.section = self
        self.groups.setdefault(viewer.form, Group()).apart.add(viewer)
        self.count += 1

    def discard(self, viewer: Viewer) -> None:
        """It is not here any more; it knows where it stands."""
        viewer.section = None
        group = self.groups[viewer.form]
        group.discard(viewer)
        self.count -= 1
        if not len(group):
            del self.groups[viewer.form]
            self.windows.pop(viewer.form, None)

    def part(self, viewer: Viewer) -> None:
        """It goes on its own from where it is."""
        self.groups[viewer.form].part(viewer)

    def flush(self, gauges: list[bytes], written: Written) -> Iterator[None]:
        """Write what has gathered to everybody. Yields every SLICE_S of writing; time between is not counted."""
        seq, after = self._ring.seq, self.flushed
        written.entries = 0
        if seq == after and not gauges:
            return
        missed = self._ring.since(after) if seq > after else None
        body = wire.changed(after, seq, missed) if missed is not None else b""
        last = self._number
        if seq > after:
            self.flushed, self._number = seq, last + 1
        number, entries = self._number, len(missed or ())
        began, frames, sent = self._clock(), 0, 0
        for form, group in list(self.groups.items()):
            figures_ready = b"".join(form.ready(GAUGES, gauge, "") for gauge in gauges)
            together, for_old, old = b"", b"", number
            window = self.windows.get(form)
            if body:
                together = for_old = form.ready(CHANGED, body, self._place(seq), window.last if window else b"") + figures_ready
                if window is not None and window.oldest < last:
                    for_old, old = form.ready(CHANGED, body, self._place(seq), window.whole) + figures_ready, window.oldest
                if kept := form.kept(body):
                    self.windows.setdefault(form, Window()).add(kept, number)
            elif seq > after:
                self.windows.pop(form, None)
            group.close_ranks(window.oldest if window is not None else number)
            for rank in group.ranks:
                if seq == after:
                    ready = figures_ready
                elif together and rank.flush == last:
                    rank.seq, rank.flush = seq, number
                    ready = for_old if rank.since <= old else together
                else:  # the flush before did not reach it, or more happened than a frame may tell
                    group.part_all(rank)
                    continue
                if ready:
                    frames += len(rank)
                    sent += len(rank) * len(ready)
                    rank.write(ready, self._uring)
                    if (now := self._clock()) - began > SLICE_S:
                        written.seconds += now - began
                        yield
                        began = self._clock()
            for viewer in tuple(group.apart):
                if viewer not in group.apart:  # gone or stuck meanwhile
                    continue
                if viewer.seq < seq:
                    # It stands elsewhere than the others: it joined, or was made whole, since the last flush.
                    at_after = viewer.seq == after
                    ready = self._missed(viewer) + figures_ready
                    viewer.transport.write(ready)
                    if viewer.seq == seq and viewer in group.apart and (at_after or form not in self.windows):
                        # What it was sent is what the others were sent: from now on it is one of them.
                        group.fall_in(viewer, seq, number, number if form in self.windows else 0)
                    sent += len(ready)
                elif figures_ready:
                    viewer.transport.write(figures_ready)
                    sent += len(figures_ready)
                else:
                    continue
                frames += 1
                if frames % SLICE_WRITES == 0 and (now := self._clock()) - began > SLICE_S:
                    written.seconds += now - began
                    yield
                    began = self._clock()
        written.seconds += self._clock() - began
        written.frames += frames
        written.deliveries += frames * entries
        written.size += sent
        written.entries = entries
