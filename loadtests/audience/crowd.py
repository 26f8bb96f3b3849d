"""The crowd as a whole: how it comes in, what it has counted, what it says."""

import asyncio
import random
import re
import socket
import ssl
import sys
import time
from collections import Counter
from pathlib import Path

from loadtests.audience.lines import Counted, Joined, Line, Report, Tick, Window, encode
from loadtests.audience.viewer import Viewer
from loadtests.audience.words import Words
from loadtests.checker import News, Track
from loadtests.histogram import Histogram
from loadtests.reading import Reader
from protocol.frames import BYE, JOINED

QUANTUM_NS = 500_000
"""Arrivals are counted together if they fall into the same half millisecond."""
ATTEMPTS = 12
"""How often one viewer tries to come in."""
PER_ADDRESS = 5_000
"""On the loopback a crowd comes from several addresses: one has too few ports for it."""
STALLED_RECEIVE_BYTES = 4_096
_CODE = re.compile(rb'"code":\s*"?(\w+)')


class Crowd:
    """`say(line)` writes a JSON line to whoever drives."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.reader = Reader(words.namespace, words.run)
        self.hello = f'42{words.namespace},["{JOINED}",'.encode()
        self.bye = f'42{words.namespace},["{BYE}",'.encode()
        self.refusal = f"44{words.namespace},".encode()
        self.epoch = 0
        self.closings: Counter[str] = Counter()
        self.frames = 0
        self._tickets = Path(words.tickets).read_text("ascii").split()
        self._tls = ssl.create_default_context() if words.tls else None
        self._viewers: dict[int, Viewer] = {}
        self._gone: dict[int, Track] = {}
        self._attempts: Counter[int] = Counter()
        self._pending: set[asyncio.Task[None]] = set()
        self._arrivals: Counter[tuple[News, int]] = Counter()
        self._tick, self._all, self._joins, self._joins_all = Histogram(), Histogram(), Histogram(), Histogram()
        self._live = self._dead = 0
        self._bytes_left = self._told_bytes = self._told_frames = self._window_bytes = self._window_frames = (
            self._window_pings
        ) = 0
        self._began = time.monotonic()
        self._said_joined = False
        self._wanted: tuple[int, float] | None = None
        self._cpu = time.process_time()

    # --- coming and going ---
    async def come(self) -> None:
        """Begin all connections at the rate that was asked for."""
        loop = asyncio.get_running_loop()
        for number in range(self.words.viewers):
            due = self._began + number / self.words.rate
            if (wait_s := due - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            elif number % 50 == 0:
                await asyncio.sleep(0)
            self._begin(loop, number, Track(), due)

    def _begin(self, loop: asyncio.AbstractEventLoop, number: int, track: Track, begun: float) -> None:
        self._attempts[number] += 1
        task = loop.create_task(self._connect(number, track, begun))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _connect(self, number: int, track: Track, begun: float) -> None:
        loop, words = asyncio.get_running_loop(), self.words
        try:
            line = socket.socket(socket.AF_INET6 if ":" in words.host else socket.AF_INET, socket.SOCK_STREAM)
            line.setblocking(False)
            if words.host.startswith("127."):
                line.bind((f"127.0.0.{2 + number // PER_ADDRESS}", 0))
            if number < words.stall:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_RECEIVE_BYTES)
            try:
                await loop.sock_connect(line, (words.host, words.port))
                name = (words.name or words.host).partition(":")[0]
                _, viewer = await loop.create_connection(
                    lambda: Viewer(self, number, track, begun),
                    sock=line,
                    ssl=self._tls,
                    server_hostname=name if self._tls else None,
                )
            except BaseException:
                line.close()
                raise
        except (OSError, ssl.SSLError) as error:
            self.closings[type(error).__name__] += 1
            self._dead += 1
            return
        self._viewers[number] = viewer

    def ticket(self, number: int) -> str:
        """What viewer `number` shows."""
        return self._tickets[number % len(self._tickets)]

    def code_of(self, payload: bytes) -> str:
        """The code that a Bye or a refusal names."""
        found = _CODE.search(payload)
        return found[1].decode() if found else "?"

    def joined(self, viewer: Viewer, took_ms: float) -> None:
        """It has its view. Stalled ones read nothing more."""
        self._live += 1
        self._joins.add(took_ms)
        self._gone.pop(viewer.number, None)
        if viewer.number < self.words.stall and viewer.transport is not None:
            viewer.transport.pause_reading()

    def left(self, viewer: Viewer, begun: float, again_ms: int | None) -> None:
        """The connection is over: for good, or to be begun again when the server said."""
        self._viewers.pop(viewer.number, None)
        self._live -= viewer.reading
        self._bytes_left += viewer.bytes
        if viewer.reading:
            self._gone[viewer.number] = viewer.track
            begun = time.monotonic() + (again_ms or 0) / 1e3 * viewer.was_cut
        if again_ms is None or self._attempts[viewer.number] >= ATTEMPTS or viewer.number < self.words.stall:
            self._dead += 1
            return
        loop = asyncio.get_running_loop()
        wait_s = again_ms / 1e3 * (1 if viewer.was_cut else random.uniform(1, 1.2))
        loop.call_later(wait_s, self._begin, loop, viewer.number, viewer.track, begun)

    # --- counting ---
    def delivered(self, news: News) -> None:
        """One viewer has seen the messages of `news` now."""
        self._arrivals[news, time.monotonic_ns() // QUANTUM_NS] += 1

    def _sum_up(self) -> None:
        for (news, at), viewers in self._arrivals.items():
            for _, _, due_ns in news.marks:
                self._tick.add(max(0.0, (at * QUANTUM_NS - due_ns) / 1e6), viewers)
        self._arrivals.clear()

    def _bytes(self) -> int:
        return self._bytes_left + sum(viewer.bytes for viewer in self._viewers.values())

    def tick(self) -> None:
        """Say what happened since the last tick; and what was asked for, once it is so."""
        self._sum_up()
        total_bytes = self._bytes()
        say(
            Tick(
                s=round(time.monotonic() - self._began, 3),
                live=self._live,
                dead=self._dead,
                messages=self._tick.total,
                frames=self.frames - self._told_frames,
                bytes=total_bytes - self._told_bytes,
                latency=self._tick.pairs(),
                joins=self._joins.pairs(),
            )
        )
        self._told_frames, self._told_bytes = self.frames, total_bytes
        self._all.merge(self._tick.pairs())
        self._joins_all.merge(self._joins.pairs())
        self._tick.clear()
        self._joins.clear()
        if not self._said_joined and self._live + self._dead >= self.words.viewers:
            self._said_joined = True
            say(Joined(live=self._live, dead=self._dead, s=round(time.monotonic() - self._began, 3)))
        if self._wanted and (self._all.total >= self._wanted[0] or time.monotonic() > self._wanted[1]):
            self._wanted = None
            self._say_counted()

    def _say_counted(self) -> None:
        say(
            Counted(
                live=self._live,
                dead=self._dead,
                messages=self._all.total,
                frames=self.frames - self._window_frames,
                bytes=self._bytes() - self._window_bytes,
                latency=self._all.pairs(),
                cpu_s=round(time.process_time() - self._cpu, 3),
                pings=sum(viewer.pings for viewer in self._viewers.values()) - self._window_pings,
                disorders=sum(viewer.track.disorders for viewer in self._viewers.values()),
            )
        )

    def hear(self, line: str) -> None:
        """What the driver wants."""
        match line.split():
            case ["window"]:
                self._sum_up()
                self._tick.clear()
                self._all.clear()
                self._window_frames, self._window_bytes = self.frames, self._bytes()
                self._cpu = time.process_time()
                self._window_pings = sum(viewer.pings for viewer in self._viewers.values())
                say(Window())
            case ["count", messages, seconds]:
                self._wanted = (int(messages), time.monotonic() + float(seconds))
            case ["cut", seconds]:
                self._cut(float(seconds))
            case ["report"]:
                self._report()

    def _cut(self, seconds: float) -> None:
        """End every connection as a network does; each comes back once, at a time drawn over `seconds`."""
        for viewer in list(self._viewers.values()):
            if viewer.reading and viewer.number >= self.words.stall:
                viewer.cut(round(random.uniform(0, seconds) * 1e3))

    def _report(self) -> None:
        reading = [viewer for viewer in self._viewers.values() if viewer.reading and viewer.number >= self.words.stall]
        tracks = [*(viewer.track for viewer in reading), *self._gone.values()]
        say(
            Report(
                rows=[viewer.track.row() for viewer in reading],
                holes=sum(track.holes for track in tracks),
                doubles=sum(track.doubles for track in tracks),
                disorders=sum(track.disorders for track in tracks),
                resets=sum(track.resets for track in tracks),
                joins=self._joins_all.pairs(),
                closings=dict(self.closings),
            )
        )


def say(line: Line) -> None:
    """One JSON line to the driver."""
    sys.stdout.buffer.write(encode(line) + b"\n")
    sys.stdout.buffer.flush()
