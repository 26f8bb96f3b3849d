"""One pub/sub connection to one server, and whether it still hears: a probe of our own must come back through it.

Silence is not health: a connection may be dead without a word, and the library makes it anew without one.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from server import metrics
from server.store.client import Store, StoreRefused, StoreUnavailable, guarded
from server.store.shard import Shard
from server.tasks import end

log = structlog.get_logger()

PROBE_S = 0.5
DEAF_S = 2.5
"""Without a probe for this long the connection is taken for dead and made anew."""
CONNECT_S = 1.0
"""For connecting and asking for the channels, and for sending a probe: what a link has swallowed is not waited for."""
RECONNECT_S = (0.05, 0.2, 0.5)
"""Pauses before it is made anew; the last one repeats. With CONNECT_S: well within 2 s after the link has healed."""


class Ear:
    """`take(channel, data)` is given what comes in; `begun()` is called whenever the connection was made anew: what was
    published meanwhile was published to nobody. `channels` come in groups of one town hall, hence of one slot.
    """

    def __init__(
        self,
        store: Store,
        shard: Shard,
        take: Callable[[bytes, bytes], None],
        begun: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._shard = shard
        self._take = take
        self._begun = begun
        self._clock = clock
        self._groups: set[tuple[str, ...]] = set()
        self._stem = f"probe-{secrets.token_hex(8)}"
        self._probe = ""
        self._heard = 0.0
        self._pubsub: Any = None
        self._asked: set[tuple[str, ...]] = set()
        """Groups that this connection is subscribed to."""
        self._told = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def hears(self) -> bool:
        """Whether a probe came back lately."""
        return self._clock() - self._heard < DEAF_S

    def start(self) -> None:
        """Begin to connect and listen."""
        self._tasks = [
            asyncio.create_task(self._listen(), name="ear-listen"),
            asyncio.create_task(self._probe_loop(), name="ear-probe"),
        ]

    async def stop(self) -> None:
        """Stop listening."""
        await end(self._tasks)
        await self._drop_connection()

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Hear these too, now and after every reconnect. Returns when the store was asked, at the latest after CONNECT_S."""
        group = tuple(channels)
        self._groups.add(group)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_S):
                await self._send_probe()
                while self._pubsub is not None and group in self._groups - self._asked:
                    self._told.clear()
                    await self._told.wait()

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Hear these no longer; the store is told with the next probe."""
        self._groups.discard(tuple(channels))

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                self._probe = f"th:{{{self._store.tag(self._shard, self._stem)}}}"
                self._pubsub = self._shard.pubsub()
                async with asyncio.timeout(CONNECT_S):
                    await self._pubsub.ssubscribe(self._probe)
                    await self._ask()
                self._begun()
                connected = self._clock()
                while True:
                    message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=PROBE_S)
                    if message is not None:
                        failures = 0
                        if message["channel"] == self._probe.encode():
                            self._heard = self._clock()
                            async with asyncio.timeout(CONNECT_S):
                                await self._ask()
                        else:
                            self._take(message["channel"], message["data"])
                    if self._clock() - max(self._heard, connected) > DEAF_S:
                        raise TimeoutError("no probe came back")
            except Exception as error:  # an ear that has stopped listening is worse than any of them
                self._heard = 0.0
                log.warning("follower_reconnects", why=type(error).__name__)
                metrics.RECONNECTS.inc()
                await self._drop_connection()
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
                failures += 1

    async def _ask(self) -> None:
        """Only the task that listens writes to its connection: the library makes a broken one anew under whoever uses it."""
        for group in self._groups - self._asked:
            await self._pubsub.ssubscribe(*group)
            self._asked.add(group)
        for group in self._asked - self._groups:
            await self._pubsub.sunsubscribe(*group)
            self._asked.discard(group)
        self._told.set()

    async def _drop_connection(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        self._asked.clear()
        self._told.set()
        if pubsub is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await pubsub.aclose()

    async def _probe_loop(self) -> None:
        while True:
            await self._send_probe()
            await asyncio.sleep(PROBE_S if self._probe else 0.005)

    async def _send_probe(self) -> None:
        if self._probe:
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                with guarded(write=False):
                    async with asyncio.timeout(CONNECT_S):
                        await self._shard.redis.execute_command("SPUBLISH", self._probe, b"")
