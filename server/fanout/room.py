"""One view of one town hall: its ring, its viewers, and a snapshot that all who join share."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence

from protocol import wire
from protocol.closings import comes_back
from protocol.frames import CHANGED, GAUGES, RESET
from protocol.limits import limit
from server.fanout.figures import figures
from server.fanout.flusher import Flusher
from server.fanout.forms import Form
from server.fanout.ring import Ring
from server.fanout.section import MOST, Section, Written
from server.fanout.viewer import GONE, Viewer

SLOW_LOOK_S = 0.25
"""How often slow viewers are looked at."""
SPREAD_MS = 5_000
"""Over how long those who are told to come back are spread."""
SNAPSHOT_S = 0.5
"""How old the snapshot may be that newcomers get; a frame from there to the present goes with it."""
GAUGES_MAX = 4
"""Gauge frames that wait for the next flush; beyond that one with all figures stands for them."""
MADE_MAX = 256
"""Frames for viewers who stand elsewhere than the others that are kept while nothing changes."""


class Room:
    """`snapshot()` → fragments of the whole view now; `position()` → (epoch, seq); `gauges()` → all gauges as JSON.

    `advance` is called for every entry. Viewers are written to from the event loop only.
    """

    def __init__(
        self,
        snapshot: Callable[[], Sequence[bytes]],
        position: Callable[[], tuple[int, int]],
        gauges: Callable[[], bytes],
        flusher: Flusher,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._snapshot = snapshot
        self._position = position
        self._all_gauges = gauges
        self._flusher = flusher
        self._clock = clock
        self._slow: dict[Viewer, float] = {}
        self._slow_timer: asyncio.TimerHandle | None = None
        self._ring = Ring(position()[1])
        self._sections = [self._section()]
        self._gauges: list[bytes] = []
        self._shared = _Shared(-1, -1, 0.0, b"")
        self._told_all: dict[Form, bytes] = {}
        """All figures as who comes in is sent them; empty: they have changed."""
        self._made: dict[tuple[Form, int], bytes | None] = {}
        self._made_at = -1
        self.empty_since = clock()

    @property
    def viewers(self) -> int:
        """Connections in this room."""
        return sum(section.count for section in self._sections) + len(self._slow)

    def _section(self) -> Section:
        return Section(self._ring, self._missed, self._place, self._clock, self._flusher.uring)

    def _somebody(self) -> bool:
        return any(section.count for section in self._sections)

    def _roomy(self) -> Section:
        """Where a newcomer goes."""
        for section in self._sections:
            if section.count < MOST:
                return section
        self._sections.append(self._section())
        return self._sections[-1]

    # --- from the log ---
    def advance(self, seq: int, fragments: Sequence[tuple[str, bytes]], *, scrub: Sequence[str] = ()) -> None:
        """Entry `seq` changed `fragments` (name, JSON). `scrub`: names whose older values may be kept no longer."""
        for name in scrub:
            self._ring.scrub(name)
        if scrub:
            self._forget()
        self._ring.append(seq, fragments, self._clock())
        if self._somebody():
            self._flusher.want(self)
        else:
            for section in self._sections:
                section.flushed = seq

    def reset(self) -> None:
        """The log was read afresh: everybody gets the snapshot."""
        self._ring.reset(self._position()[1])
        for section in self._sections:
            section.flushed = self._ring.seq
        self._forget()
        for viewer in self._everybody():
            self._place_at(viewer, -1)

    def gauges(self, body: bytes) -> None:
        """Figures for everybody, soon; those who are slow get all figures once they have drained."""
        self._told_all.clear()
        if not self._somebody():
            return
        self._gauges = [*self._gauges, body] if len(self._gauges) < GAUGES_MAX else [self._all_gauges()]
        self._flusher.want_soon(self)

    def _forget(self) -> None:
        """Drop ready bytes: they may hold what must not be sent or kept any longer."""
        for section in self._sections:
            section.windows.clear()
        self._made.clear()
        self._shared = _Shared(-1, -1, 0.0, b"")

    # --- viewers ---
    def resumable(self, since: tuple[int, int] | None) -> bool:
        """Whether a client at (epoch, seq) can go on from there instead of taking the snapshot."""
        return since is not None and since[0] == self._position()[0] and self._ring.since(since[1]) is not None

    def join(self, viewer: Viewer, since: tuple[int, int] | None, opening: bytes = b"") -> None:
        """Let it in, and bring it to the present: what it missed, or the shared snapshot. In one synchronous step.

        `opening` is written before that.
        """
        viewer.seq = since[1] if since is not None and self.resumable(since) else -1
        self._roomy().add(viewer)
        figures.joins += 1
        viewer.transport.write(opening + self._missed(viewer) + self._figures(viewer.form))
        if not viewer.flows():
            self.stuck(viewer)

    def _figures(self, form: Form) -> bytes:
        if form not in self._told_all:
            self._told_all[form] = form.ready(GAUGES, self._all_gauges(), "")
        return self._told_all[form]

    def resume(self, viewer: Viewer, since: tuple[int, int]) -> None:
        """A page saw a gap."""
        self._place_at(viewer, since[1] if self.resumable(since) else -1)

    def _place_at(self, viewer: Viewer, seq: int) -> None:
        """It stands there, and is brought to the present unless it is slow."""
        if viewer.section is not None:
            viewer.section.part(viewer)
        viewer.seq = seq
        if not viewer.slow:
            self._catch_up(viewer)

    def leave(self, viewer: Viewer) -> None:
        """The connection has ended, or is about to; nothing more is written to it from here."""
        viewer.transport = GONE
        if viewer.section is not None:
            viewer.section.discard(viewer)
        if self._slow.pop(viewer, None) is not None:
            figures.slow -= 1
        if not self.viewers:
            self.empty_since = self._clock()

    def bye_all(self, code: int) -> None:
        """End all connections; those who may come back are spread over some seconds."""
        for viewer in self._everybody():
            viewer.bye(code, random.randint(200, SPREAD_MS) if comes_back(code) else None)

    def untie(self) -> None:
        """Let each viewer forget who it was."""
        for viewer in self._everybody():
            viewer.untie()

    def _everybody(self) -> list[Viewer]:
        return [*(viewer for section in self._sections for viewer in section), *self._slow]

    # --- flushing ---
    def flush(self) -> Iterator[None]:
        """Write to everybody, section after section. Yields between, and every SLICE_S of writing."""
        gauges, self._gauges = self._gauges, []
        written = Written()
        for section in tuple(self._sections):
            if section is not self._sections[0]:
                yield  # so that the next one's news is as new as can be
            yield from section.flush(gauges, written)
        self._sections = [section for section in self._sections if section.count] or self._sections[:1]
        if not written.frames:
            return
        figures.flushes += 1
        figures.frames += written.frames
        figures.deliveries += written.deliveries
        figures.entries += written.entries
        figures.flush_bytes += written.size
        figures.flush_s += written.seconds
        if figures.on_flush is not None:
            figures.on_flush(written.seconds, written.size, written.entries)

    def _catch_up(self, viewer: Viewer) -> None:
        """One frame over all that it missed, or the snapshot."""
        ready = self._missed(viewer)
        if ready:
            viewer.transport.write(ready)

    def _missed(self, viewer: Viewer) -> bytes:
        """Ready bytes that bring it to the present: a frame, or the shared snapshot and a frame; b"": it is there.

        They are the last that it was sent, so it is on its own in the next flush.
        """
        epoch, seq = self._position()
        if viewer.seq == seq:
            return b""
        figures.catch_ups += 1
        form, after = viewer.form, viewer.seq
        viewer.seq = seq
        if self._ring.seq != seq:  # the log is being read afresh, and a reset follows
            return form.ready(RESET, wire.reset(epoch, seq, self._snapshot()), self._place(seq))
        if after >= 0 and (ready := self._changed_since(form, after)) is not None:
            return ready
        shared = self._shared_snapshot(epoch, seq)
        if form not in shared.ready:
            shared.ready[form] = form.ready(RESET, shared.body, f"{epoch}-{shared.seq}")
        if shared.seq == seq:
            return shared.ready[form]
        return shared.ready[form] + (self._changed_since(form, shared.seq) or b"")

    def _changed_since(self, form: Form, after: int) -> bytes | None:
        """A frame from `after` to the present, made once for all who stand there; None: that is too long ago."""
        seq = self._ring.seq
        if self._made_at != seq or len(self._made) >= MADE_MAX:
            self._made.clear()
            self._made_at = seq
        key = (form, after)
        if key not in self._made:
            missed = self._ring.since(after)
            ready = None if missed is None else form.ready(CHANGED, wire.changed(after, seq, missed), self._place(seq))
            self._made[key] = ready
        return self._made[key]

    def _shared_snapshot(self, epoch: int, seq: int) -> "_Shared":
        """Rendered and encoded for all who join within SNAPSHOT_S."""
        shared, now = self._shared, self._clock()
        fresh = shared.seq == seq or (now - shared.at < SNAPSHOT_S and self._ring.since(shared.seq) is not None)
        if shared.epoch != epoch or not fresh:
            figures.snapshots += 1
            shared = self._shared = _Shared(epoch, seq, now, wire.reset(epoch, seq, self._snapshot()))
        return shared

    def _place(self, seq: int) -> str:
        return f"{self._position()[0]}-{seq}"

    # --- slow viewers ---
    def stuck(self, viewer: Viewer) -> None:
        """It does not take what it was sent: skip it. Its position tells what it missed once it has drained."""
        if viewer.section is None:
            return
        viewer.section.discard(viewer)
        viewer.slow = True
        self._slow[viewer] = self._clock()
        figures.slow += 1
        if self._slow_timer is None:
            self._slow_timer = asyncio.get_running_loop().call_later(SLOW_LOOK_S, self._look_at_slow)

    def drained(self, viewer: Viewer) -> None:
        """It has taken all: bring it to the present."""
        if self._slow.pop(viewer, None) is None:
            return
        figures.slow -= 1
        viewer.slow = False
        self._roomy().add(viewer)
        viewer.transport.write(self._missed(viewer) + self._figures(viewer.form))
        if not viewer.flows():
            self.stuck(viewer)

    def _look_at_slow(self) -> None:
        """Some connections do not tell when they have drained; and who stays slow is sent away."""
        self._slow_timer = None
        too_long = self._clock() - limit("slow_viewer_s")
        for viewer, since in list(self._slow.items()):
            if viewer.flows():
                self.drained(viewer)
            elif since < too_long:
                viewer.bye(3008, random.randint(200, SPREAD_MS))
        if self._slow:
            self._slow_timer = asyncio.get_running_loop().call_later(SLOW_LOOK_S, self._look_at_slow)


class _Shared:
    """A snapshot at a position: its JSON, and what became of it for each form."""

    __slots__ = ("at", "body", "epoch", "ready", "seq")

    def __init__(self, epoch: int, seq: int, at: float, body: bytes) -> None:
        self.epoch = epoch
        self.seq = seq
        self.at = at
        self.body = body
        self.ready: dict[Form, bytes] = {}
