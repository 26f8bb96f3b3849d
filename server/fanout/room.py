"""One view of one town hall: its ring, its viewers, and a snapshot that all who join share."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from protocol import wire
from protocol.closings import comes_back
from protocol.frames import CHANGED, GAUGES, RESET
from protocol.limits import limit
from server.fanout.forms import Form
from server.fanout.pace import Pace
from server.fanout.ring import Ring
from server.fanout.viewer import Viewer

RETRY_SLOW_S = 0.25
"""How often slow viewers are looked at while nothing else happens."""
SPREAD_MS = 5_000
"""Over how long those who are told to come back are spread."""


class Room:
    """`snapshot()` → fragments of the whole view now; `position()` → (epoch, seq); `gauges()` → all gauges as JSON.

    `advance` is called for every entry. Viewers are written to from the event loop only.
    """

    def __init__(
        self,
        snapshot: Callable[[], Sequence[bytes]],
        position: Callable[[], tuple[int, int]],
        gauges: Callable[[], bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._snapshot = snapshot
        self._position = position
        self._gauges = gauges
        self._clock = clock
        self._viewers: set[Viewer] = set()
        self._slow: set[Viewer] = set()
        self._ring = Ring(position()[1])
        self._pace = Pace()
        self._flushed = self._ring.seq
        self._timer: asyncio.TimerHandle | None = None
        self._slow_timer: asyncio.TimerHandle | None = None
        self._shared: tuple[tuple[int, int], dict[Form, bytes]] = ((-1, -1), {})
        self._shared_body: bytes = b""
        self.empty_since = clock()

    @property
    def viewers(self) -> int:
        """Connections in this room."""
        return len(self._viewers)

    # --- from the log ---
    def advance(self, seq: int, fragments: Sequence[tuple[str, bytes]], *, scrub: Sequence[str] = ()) -> None:
        """Entry `seq` changed `fragments` (name, JSON). `scrub`: names whose older values may be kept no longer."""
        for name in scrub:
            self._ring.scrub(name)
        self._ring.append(seq, fragments, self._clock())
        if self._timer is None and self._viewers:
            wait_s = self._pace.wait_s(self._clock())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._flush)

    def reset(self) -> None:
        """The log was read afresh: everybody gets the snapshot."""
        self._ring.reset(self._position()[1])
        self._flushed = self._ring.seq
        for viewer in self._viewers:
            viewer.seq = -1
            self._catch_up(viewer)

    def gauges(self, body: bytes) -> None:
        """Figures for everybody; those who are slow go without, the next ones will do."""
        made: dict[Form, bytes] = {}
        for viewer in self._viewers - self._slow:
            self._write(viewer, made, GAUGES, body)

    # --- viewers ---
    def resumable(self, since: tuple[int, int] | None) -> bool:
        """Whether a client at (epoch, seq) can go on from there instead of taking the snapshot."""
        return since is not None and since[0] == self._position()[0] and self._ring.since(since[1]) is not None

    def join(self, viewer: Viewer, since: tuple[int, int] | None) -> None:
        """Let it in, and bring it to the present: what it missed, or the shared snapshot. In one synchronous step."""
        viewer.seq = since[1] if since is not None and self.resumable(since) else -1
        self._viewers.add(viewer)
        self._catch_up(viewer)
        self._write(viewer, {}, GAUGES, self._gauges())

    def resume(self, viewer: Viewer, since: tuple[int, int]) -> None:
        """A page saw a gap."""
        viewer.seq = since[1] if self.resumable(since) else -1
        self._catch_up(viewer)

    def leave(self, viewer: Viewer) -> None:
        """The connection has ended."""
        self._viewers.discard(viewer)
        self._slow.discard(viewer)
        if not self._viewers:
            self.empty_since = self._clock()

    def bye_all(self, code: int) -> None:
        """End all connections; those who may come back are spread over some seconds."""
        for viewer in list(self._viewers):
            viewer.bye(code, random.randint(200, SPREAD_MS) if comes_back(code) else None)

    # --- flushing ---
    def _flush(self) -> None:
        self._timer = None
        began = self._clock()
        seq = self._ring.seq
        if seq > self._flushed:
            self._flushed = seq
            news: dict[int, tuple[bytes, dict[Form, bytes]]] = {}
            bound = limit("write_backlog_bytes")
            for viewer in self._viewers:
                if viewer.seq == seq:
                    continue
                if viewer.backlog() > bound:
                    self._lag(viewer)
                    continue
                # Nearly everybody stands at the same place; those who joined since the last flush stand a little later.
                found = news.get(viewer.seq)
                if found is None:
                    missed = self._ring.since(viewer.seq)
                    if missed is None:
                        self._catch_up(viewer)
                        continue
                    found = news[viewer.seq] = (wire.changed(viewer.seq, seq, missed), {})
                self._write(viewer, found[1], CHANGED, found[0])
                viewer.seq = seq
        self._pace.flushed(began, self._clock())

    def _write(self, viewer: Viewer, made: dict[Form, bytes], name: str, body: bytes) -> None:
        ready = made.get(viewer.form)
        if ready is None:
            epoch, seq = self._position()
            ready = made[viewer.form] = viewer.form.ready(name, body, f"{epoch}-{seq}")
        viewer.write(ready)

    def _catch_up(self, viewer: Viewer) -> None:
        """One frame over all that it missed, or the snapshot."""
        epoch, seq = self._position()
        if viewer.seq == seq:
            return
        if viewer.seq >= 0 and self._ring.seq == seq and (missed := self._ring.since(viewer.seq)) is not None:
            self._write(viewer, {}, CHANGED, wire.changed(viewer.seq, seq, missed))
        else:
            self._write(viewer, self._shared_snapshot(epoch, seq), RESET, self._shared_body)
        viewer.seq = seq

    def _shared_snapshot(self, epoch: int, seq: int) -> dict[Form, bytes]:
        """Ready bytes of the snapshot by form: encoded once for all who join at this position."""
        if self._shared[0] != (epoch, seq):
            self._shared_body = wire.reset(epoch, seq, self._snapshot())
            self._shared = ((epoch, seq), {})
        return self._shared[1]

    # --- slow viewers ---
    def _lag(self, viewer: Viewer) -> None:
        """Skip it: its position tells what it missed once it has drained."""
        if viewer not in self._slow:
            self._slow.add(viewer)
            viewer.slow_since = self._clock()
        if self._slow_timer is None:
            self._slow_timer = asyncio.get_running_loop().call_later(RETRY_SLOW_S, self._look_at_slow)

    def _look_at_slow(self) -> None:
        self._slow_timer = None
        now = self._clock()
        for viewer in list(self._slow):
            if viewer.backlog() <= limit("write_backlog_bytes") // 4:
                self._slow.discard(viewer)
                viewer.slow_since = None
                self._catch_up(viewer)
            elif viewer.slow_since is not None and now - viewer.slow_since > limit("slow_viewer_s"):
                viewer.bye(3008, random.randint(200, SPREAD_MS))
        if self._slow:
            self._slow_timer = asyncio.get_running_loop().call_later(RETRY_SLOW_S, self._look_at_slow)
