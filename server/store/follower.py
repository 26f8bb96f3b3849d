"""Pub/sub in, ordered entries out: each once, in order, without a gap.

Pub/sub is the fast path and loses without a word; the stream is the truth; the head, compared once a second, is the
alarm. `healthy` is green only while a probe of our own comes back through pub/sub: silence is not health.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgpack
import redis.exceptions
import structlog

from server.store import log as store_log
from server.store.appender import Appender
from server.store.client import Store, StoreRefused, StoreUnavailable, guarded
from server.store.keys import Keys
from server.store.log import Stored
from server.tasks import ended

log = structlog.get_logger()

PROBE_S = 0.5
DEAF_S = 2.5
"""Without a probe for this long the connection is taken for dead and made anew."""
RECONNECT_S = (0.05, 0.2, 0.5, 1.0)


class Sink(Protocol):
    """Who applies a town hall's entries. All calls are synchronous and in order of seq."""

    def reset(self, epoch: int) -> None:
        """Forget everything: entries follow from seq 1."""

    def entries(self, epoch: int, entries: Sequence[Stored]) -> None:
        """What follows, without a gap."""

    def gauges(self, payload: bytes) -> None:
        """Figures that changed (gauges.py)."""

    def stop(self, reason: str) -> None:
        """The log has a gap that the stream cannot fill."""


class _Followed:
    """One town hall's position. `again`: something was published while the stream was being read."""

    def __init__(self, code: str, sink: Sink) -> None:
        self.code = code
        self.sink = sink
        self.epoch = -1
        self.seq = 0
        self.lock = asyncio.Lock()
        self.again = False
        self.stopped = False
        self.reader: asyncio.Task[None] | None = None


class Follower:
    """One for each node, with one pub/sub connection for all its town halls."""

    def __init__(self, store: Store, appender: Appender, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._appender = appender
        self._clock = clock
        self._halls: dict[str, _Followed] = {}
        self._channels: dict[bytes, tuple[_Followed, bool]] = {}
        self._probe = f"th:probe:{secrets.token_hex(8)}"
        self._heard = 0.0
        self._heads_checked = 0.0
        self._run_id = ""
        self._pubsub: Any = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def healthy(self) -> bool:
        """Whether pub/sub delivers and the heads were compared lately."""
        now = self._clock()
        return now - self._heard < DEAF_S and now - self._heads_checked < DEAF_S + 1

    def known(self, code: str) -> tuple[int, int]:
        """(epoch, seq) that this node has seen; (0, 0) for a town hall it does not follow."""
        hall = self._halls.get(code)
        return (hall.epoch, hall.seq) if hall is not None and hall.epoch > 0 else (0, 0)

    async def start(self) -> None:
        """Connect and begin to listen. Returns once the first probe came back, or after DEAF_S without one."""
        self._tasks = [
            asyncio.create_task(self._listen(), name="follower-listen"),
            asyncio.create_task(self._probe_loop(), name="follower-probe"),
            asyncio.create_task(self._head_loop(), name="follower-heads"),
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEAF_S):
                while not self._heard:
                    await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop listening."""
        readers = [hall.reader for hall in self._halls.values() if hall.reader]
        await ended([*self._tasks, *readers])
        await self._drop_connection()

    async def follow(self, code: str, sink: Sink) -> None:
        """Bring `sink` from nothing to the head, then keep it there. Raises StoreUnavailable."""
        hall = _Followed(code, sink)
        keys = Keys(code)
        self._halls[code] = hall
        self._channels[keys.entries.encode()] = (hall, True)
        self._channels[keys.gauges.encode()] = (hall, False)
        if self._pubsub is not None:
            with contextlib.suppress(redis.exceptions.RedisError, OSError):
                await self._pubsub.subscribe(keys.entries, keys.gauges)
        try:
            await self._appender.identify(code)
            await self._catch_up(hall)
        except BaseException:
            await self.unfollow(code)
            raise

    async def unfollow(self, code: str) -> None:
        """Forget a town hall."""
        hall = self._halls.pop(code, None)
        if hall is None:
            return
        keys = Keys(code)
        for channel in (keys.entries, keys.gauges):
            self._channels.pop(channel.encode(), None)
        if hall.reader is not None:
            hall.reader.cancel()
        if self._pubsub is not None:
            with contextlib.suppress(redis.exceptions.RedisError, OSError):
                await self._pubsub.unsubscribe(keys.entries, keys.gauges)

    async def stored(self, code: str, seq: int) -> tuple[bytes, str | None] | None:
        """(body, text) of one entry as the store holds it; None: there is none. Raises StoreUnavailable."""
        page = await store_log.read(self._store, code, seq - 1, 1)
        return page[0][1:] if page and page[0][0] == seq else None

    async def caught_up(self, code: str, seq: int, timeout_s: float) -> None:
        """Wait until `seq` has been applied here. Raises TimeoutError, StoreUnavailable."""
        hall = self._halls[code]
        async with asyncio.timeout(timeout_s):
            while hall.seq < seq and not hall.stopped:
                await self._catch_up(hall)

    # --- the stream ---
    async def _catch_up(self, hall: _Followed) -> None:
        """Read what is missing from the stream, until nothing was published meanwhile."""
        async with hall.lock:
            while not hall.stopped:
                hall.again = False
                head = await store_log.head(self._store, hall.code)
                if head is None:
                    return
                if head.epoch != hall.epoch:
                    hall.epoch, hall.seq = head.epoch, 0
                    hall.sink.reset(head.epoch)
                while hall.seq < head.seq:
                    page = await store_log.read(self._store, hall.code, hall.seq)
                    if not page:
                        break
                    if not self._apply(hall, page):
                        return
                if not hall.again and hall.seq >= head.seq:
                    return
                if hall.seq < head.seq:
                    # The head says there is more than the stream holds: either it moved back just now, or it is damaged.
                    again = await store_log.head(self._store, hall.code)
                    if again == head:
                        return self._stop(hall, f"the stream ends at {hall.seq}, the head says {head.seq}")

    def _apply(self, hall: _Followed, entries: Sequence[Stored]) -> bool:
        fresh = [stored for stored in entries if stored[0] > hall.seq]
        for expected, stored in enumerate(fresh, hall.seq + 1):
            if stored[0] != expected:
                self._stop(hall, f"entry {expected} is missing")
                return False
        if fresh:
            hall.seq = fresh[-1][0]
            hall.sink.entries(hall.epoch, fresh)
        return True

    def _stop(self, hall: _Followed, reason: str) -> None:
        hall.stopped = True
        hall.sink.stop(reason)

    def _read_soon(self, hall: _Followed) -> None:
        hall.again = True
        if hall.reader is None or hall.reader.done():
            hall.reader = asyncio.create_task(self._read_quietly(hall), name="follower-read")

    async def _read_quietly(self, hall: _Followed) -> None:
        # What fails here is tried again by the next comparison of heads.
        with contextlib.suppress(StoreUnavailable, StoreRefused):
            await self._catch_up(hall)

    # --- pub/sub ---
    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                self._pubsub = self._store.pubsub()
                await self._pubsub.subscribe(self._probe, *(channel.decode() for channel in self._channels))
                for hall in self._halls.values():
                    self._read_soon(hall)
                connected = self._clock()
                while True:
                    message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=PROBE_S)
                    if message is not None:
                        failures = 0
                        self._take(message["channel"], message["data"])
                    if self._clock() - max(self._heard, connected) > DEAF_S:
                        raise TimeoutError("no probe came back")
            except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
                self._heard = 0.0
                log.warning("follower_reconnects", why=type(error).__name__)
                await self._drop_connection()
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
                failures += 1

    async def _drop_connection(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await pubsub.aclose()

    def _take(self, channel: bytes, data: bytes) -> None:
        if channel == self._probe.encode():
            self._heard = self._clock()
            return
        hall, is_entries = self._channels.get(channel, (None, False))
        if hall is None or hall.stopped:
            return
        if not is_entries:
            hall.sink.gauges(data)
            return
        epoch, after, news = msgpack.unpackb(data, raw=True)
        if hall.lock.locked() or epoch != hall.epoch or after > hall.seq or isinstance(news, int):
            self._read_soon(hall)
            return
        self._apply(hall, [(seq, body, text.decode() if text is not False else None) for seq, body, text in news])

    # --- alarms ---
    async def _probe_loop(self) -> None:
        while True:
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                with guarded(write=False):
                    await self._store.redis.publish(self._probe, b"")
            await asyncio.sleep(PROBE_S)

    async def _head_loop(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                await self._compare_heads()
                self._heads_checked = self._clock()

    async def _compare_heads(self) -> None:
        run_id = await self._store.run_id()
        if run_id != self._run_id:
            for code in list(self._halls):
                await self._appender.identify(code)
            self._run_id = run_id
        for hall in list(self._halls.values()):
            head = await store_log.head(self._store, hall.code)
            if head is None:
                continue
            if head.epoch < hall.epoch or (head.epoch == hall.epoch and head.seq < hall.seq):
                await self._appender.identify(hall.code)
                self._read_soon(hall)
            elif head.epoch > hall.epoch or head.seq > hall.seq:
                self._read_soon(hall)
