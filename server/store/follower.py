"""Pub/sub in, ordered entries out: each once, in order, without a gap.

Pub/sub is the fast path and loses without a word; the stream is the truth; the head, compared once a second, is the
alarm. All of that for each server of the store on its own: in a cluster, a server that falls silent makes its own town
halls unhealthy and no others.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgpack
import structlog

from server.store import log as store_log
from server.store.appender import Appender
from server.store.client import Store, StoreMoved, StoreRefused, StoreUnavailable, guarded
from server.store.ear import DEAF_S, Ear
from server.store.keys import Keys
from server.store.log import Head, Stored
from server.store.shard import Shard
from server.tasks import end

log = structlog.get_logger()

HEADS_S = 1.0
"""Between two comparisons of heads, and between two looks at who holds what."""
HEAD_S = 1.0
"""For the answer to such a look: what a link has swallowed is not waited for."""
AGAIN_S = 0.25
"""After a look that failed. With HEAD_S: well within 2 s after the link has healed."""
HEADS_AT_ONCE = 32


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


class _Watch:
    """One server: its ear, and the comparison of the heads of the town halls on it."""

    def __init__(self, shard: Shard, ear: Ear) -> None:
        self.shard = shard
        self.ear = ear
        self.run_id = ""
        self.heads_checked = 0.0
        self.task: asyncio.Task[None] | None = None


class _Followed:
    """One town hall's position. `again`: something was published while the stream was being read."""

    def __init__(self, code: str, sink: Sink, shard: Shard) -> None:
        self.code = code
        self.sink = sink
        self.shard = shard
        self.epoch = -1
        self.seq = 0
        self.behind = 0
        self.lock = asyncio.Lock()
        self.again = False
        self.stopped = False
        self.reader: asyncio.Task[None] | None = None

    @property
    def channels(self) -> tuple[str, str]:
        """Of its entries, of its gauges."""
        keys = Keys(self.code)
        return keys.entries, keys.gauges


class Follower:
    """One for each node, with one pub/sub connection to each server of the store."""

    def __init__(self, store: Store, appender: Appender, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._appender = appender
        self._clock = clock
        self._halls: dict[str, _Followed] = {}
        self._channels: dict[bytes, tuple[_Followed, bool]] = {}
        self._watches: dict[Shard, _Watch] = {}
        self._mapper: asyncio.Task[None] | None = None

    @property
    def healthy(self) -> bool:
        """Whether any server of the store is followed; with one server, whether the store is."""
        return any(self._well(watch) for watch in self._watches.values())

    def deaf(self) -> list[str]:
        """Codes of the town halls whose server is not followed at the moment."""
        well = {watch.shard for watch in self._watches.values() if self._well(watch)}
        return [hall.code for hall in self._halls.values() if hall.shard not in well]

    def _well(self, watch: _Watch) -> bool:
        return watch.ear.hears and self._clock() - watch.heads_checked < DEAF_S + HEADS_S

    def known(self, code: str) -> tuple[int, int]:
        """(epoch, seq) that this node has seen; (0, 0) for a town hall it does not follow."""
        hall = self._halls.get(code)
        return (hall.epoch, hall.seq) if hall is not None and hall.epoch > 0 else (0, 0)

    def lag(self) -> int:
        """Most entries that any town hall was behind its head, when last compared."""
        return max((hall.behind for hall in self._halls.values()), default=0)

    async def start(self) -> None:
        """Connect and begin to listen. Returns once the first probes came back, or after DEAF_S without them."""
        for shard in self._store.shards():
            self._watch(shard)
        self._mapper = asyncio.create_task(self._map_loop(), name="follower-map")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DEAF_S):
                while not all(watch.ear.hears for watch in self._watches.values()):
                    await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop listening."""
        readers = [hall.reader for hall in self._halls.values() if hall.reader]
        await end([*readers, *([self._mapper] if self._mapper else [])])
        for shard in list(self._watches):
            await self._unwatch(shard)

    async def follow(self, code: str, sink: Sink) -> None:
        """Bring `sink` from nothing to the head, then keep it there. Raises StoreUnavailable."""
        hall = _Followed(code, sink, self._store.where(code))
        self._halls[code] = hall
        for channel, is_entries in zip(hall.channels, (True, False), strict=True):
            self._channels[channel.encode()] = (hall, is_entries)
        await self._listen_for(hall)
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
        for channel in hall.channels:
            self._channels.pop(channel.encode(), None)
        if hall.reader is not None:
            hall.reader.cancel()
        if watch := self._watches.get(hall.shard):
            await watch.ear.unsubscribe(hall.channels)

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

    # --- servers ---
    def _watch(self, shard: Shard) -> _Watch:
        watch = self._watches.get(shard)
        if watch is None:
            ear = Ear(self._store, shard, self._take, lambda: self._read_all_soon(shard), self._clock)
            watch = self._watches[shard] = _Watch(shard, ear)
            ear.start()
            watch.task = asyncio.create_task(self._head_loop(watch), name="follower-heads")
        return watch

    async def _unwatch(self, shard: Shard) -> None:
        watch = self._watches.pop(shard)
        if watch.task is not None:
            await end([watch.task])
        await watch.ear.stop()

    async def _listen_for(self, hall: _Followed) -> None:
        await self._watch(hall.shard).ear.subscribe(hall.channels)

    async def _map_loop(self) -> None:
        while True:
            await asyncio.sleep(HEADS_S)
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                await self._store.refresh()
            await self._follow_the_map()

    async def _follow_the_map(self) -> None:
        """Town halls whose slot has another holder are listened to there; servers that hold nothing any more are let go."""
        for hall in list(self._halls.values()):
            with contextlib.suppress(StoreUnavailable):
                holder = self._store.where(hall.code)
                if holder is not hall.shard:
                    log.info("hall_moved", hall=hall.code)
                    if watch := self._watches.get(hall.shard):
                        await watch.ear.unsubscribe(hall.channels)
                    hall.shard = holder
                    await self._listen_for(hall)
                    self._read_soon(hall)
        holders = set(self._store.shards())
        for shard in holders - set(self._watches):
            self._watch(shard)
        for shard in set(self._watches) - holders - {hall.shard for hall in self._halls.values()}:
            await self._unwatch(shard)

    # --- the stream ---
    async def _catch_up(self, hall: _Followed) -> None:
        """Read what is missing from the stream, until nothing was published meanwhile."""
        async with hall.lock:
            while not hall.stopped:
                hall.again = False
                head = await self._head(hall.code)
                if head is None:
                    return
                if head.epoch != hall.epoch:
                    # All of it is read before any of it is forgotten: nobody is judged on, or shown, a part.
                    whole = [stored async for stored in store_log.read_all(self._store, hall.code)]
                    now = await self._head(hall.code)
                    if now is None or now.epoch != head.epoch:
                        continue
                    hall.epoch, hall.seq = head.epoch, 0
                    hall.sink.reset(head.epoch)
                    if not self._apply(hall, whole):
                        return
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
                    again = await self._head(hall.code)
                    if again == head:
                        return self._stop(hall, f"the stream ends at {hall.seq}, the head says {head.seq}")

    async def _head(self, code: str) -> Head | None:
        with guarded(write=False):
            async with asyncio.timeout(HEAD_S):
                return await store_log.head(self._store, code)

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

    def _read_all_soon(self, shard: Shard) -> None:
        for hall in self._halls.values():
            if hall.shard is shard:
                self._read_soon(hall)

    # --- pub/sub ---
    def _take(self, channel: bytes, data: bytes) -> None:
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

    # --- the alarm ---
    async def _head_loop(self, watch: _Watch) -> None:
        pause = HEADS_S
        while True:
            await asyncio.sleep(pause)
            pause = AGAIN_S
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                await self._compare_heads(watch)
                watch.heads_checked = self._clock()
                pause = HEADS_S

    async def _compare_heads(self, watch: _Watch) -> None:
        halls = [hall for hall in self._halls.values() if hall.shard is watch.shard]
        with guarded(write=False):
            async with asyncio.timeout(HEAD_S):
                run_id = await watch.shard.run_id()
        if run_id != watch.run_id:
            for hall in halls:
                await self._appender.identify(hall.code)
            watch.run_id = run_id
        for first in range(0, len(halls), HEADS_AT_ONCE):
            some = halls[first : first + HEADS_AT_ONCE]
            heads = await asyncio.gather(*(self._head(hall.code) for hall in some), return_exceptions=True)
            for hall, head in zip(some, heads, strict=True):
                if isinstance(head, Head):
                    await self._compare(hall, head)
                elif isinstance(head, BaseException) and not isinstance(head, StoreMoved):
                    raise head

    async def _compare(self, hall: _Followed, head: Head) -> None:
        hall.behind = max(0, head.seq - hall.seq)
        if head.epoch < hall.epoch or (head.epoch == hall.epoch and head.seq < hall.seq):
            await self._appender.identify(hall.code)
            self._read_soon(hall)
        elif head.epoch > hall.epoch or head.seq > hall.seq:
            self._read_soon(hall)
