"""Which town halls are open on this node: load, create, keep the gauges going, clean up after closing, unload."""

import asyncio
import contextlib
import secrets as random_secrets
import time
from collections.abc import Awaitable, Callable, Iterable

import structlog

from moderation.context import Actor, Context
from moderation.hall_rules import create
from protocol.bus import pack
from protocol.refusals import Refusal
from protocol.setup import Admission, Setup
from server.fanout.flusher import Flusher
from server.halls.runtime import Runtime
from server.mac import Mac
from server.store import log as store_log
from server.store import secrets
from server.store.appender import Append, Appended, Appender, Busy, NewEntry
from server.store.client import Store, StoreRefused, StoreUnavailable
from server.store.erase import Eraser
from server.store.follower import Follower
from server.store.gauges import Presence, SupportGauges
from server.store.tokens import SpentTokens
from server.tasks import end

log = structlog.get_logger()

CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that are mistaken for each other when read out: 0 and O, 1 and I and L."""
CODE_LENGTH = 6
UNKNOWN_S = 1.0
"""How long a code that does not exist is remembered; at most UNKNOWN_MAX of them."""
UNKNOWN_MAX = 10_000
IDLE_S = 600.0
"""A closed town hall that nobody has looked at for this long is unloaded."""
GAUGES_S = 0.5
CATCH_UP_S = 5.0
PRESENCE_S = 2.0
AUTHOR_KEY = "author"
"""Name of the key under which participants become author tags; destroyed on close."""


class Directory:
    """`on_too_old` is called when a log holds entries of a newer program: the node should drain."""

    def __init__(
        self,
        store: Store,
        appender: Appender,
        follower: Follower,
        eraser: Eraser,
        support: SupportGauges,
        presence: Presence,
        tokens: SpentTokens,
        *,
        on_too_old: Callable[[], None] = lambda: None,
        flusher: Flusher | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._appender = appender
        self._follower = follower
        self._eraser = eraser
        self._support = support
        self._presence = presence
        self._tokens = tokens
        self._on_too_old = on_too_old
        self._flusher = flusher or Flusher()
        self._wall = wall
        self._loaded: dict[str, Runtime] = {}
        self._loading: dict[str, asyncio.Task[Runtime | None]] = {}
        self._unknown: dict[str, float] = {}
        self._cleaned: dict[str, int] = {}
        """Epoch in which a town hall was cleaned up here: a store that became an older copy of itself knows it all again."""
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """Begin to send gauges and to look after what is loaded."""
        self._tasks = [
            asyncio.create_task(self._every(GAUGES_S, self._show_gauges), name="gauges"),
            asyncio.create_task(self._every(PRESENCE_S, self._look_after), name="look-after"),
        ]

    async def stop(self) -> None:
        """Stop; what is loaded stays readable."""
        await end(self._tasks)

    def loaded(self) -> Iterable[Runtime]:
        """Town halls on this node."""
        return list(self._loaded.values())

    def here(self, code: str) -> Runtime | None:
        """The town hall `code`, if it is on this node already."""
        return self._loaded.get(code)

    async def codes(self) -> list[str]:
        """Codes of all town halls. Raises StoreUnavailable."""
        return await store_log.hall_codes(self._store)

    async def get(self, code: str) -> Runtime | None:
        """The town hall `code`, loaded if need be; None: there is none. Raises StoreUnavailable."""
        if runtime := self._loaded.get(code):
            return runtime
        if time.monotonic() - self._unknown.get(code, -UNKNOWN_S) < UNKNOWN_S:
            return None
        task = self._loading.get(code)
        if task is None:
            task = self._loading[code] = asyncio.create_task(self._load(code), name="load-hall")
            task.add_done_callback(lambda _: self._loading.pop(code, None))
        return await asyncio.shield(task)

    async def create(
        self, code: str | None, setup: Setup, actor: Actor, context: Context, admission: Admission | None = None
    ) -> Runtime | Refusal:
        """A new town hall in draft. `code` None: one is drawn. Raises StoreUnavailable, StoreRefused, Busy."""
        for _ in range(1 if code else 5):
            chosen = code or "".join(random_secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
            decision = create(chosen, actor, setup, context, admission)
            if isinstance(decision, Refusal):
                return decision
            entries = tuple(NewEntry(*pack(entry)) for entry in decision.entries)
            # A log without entries has both lanes at 0; any other is somebody else's.
            append = Append(chosen, entries, None, b"", need_desk=0, need_gate=0, raise_desk=True, raise_gate=True)
            if isinstance(await self._appender.append(append), Appended):
                await store_log.register(self._store, chosen)
                self._unknown.pop(chosen, None)
                runtime = await self.get(chosen)
                assert runtime is not None
                return runtime
        return Refusal("code_taken", field="$.code")

    async def caught_up(self, runtime: Runtime, seq: int) -> None:
        """Wait until entry `seq` is applied here. Raises TimeoutError."""
        await self._follower.caught_up(runtime.code, seq, CATCH_UP_S)

    async def _load(self, code: str) -> Runtime | None:
        if await store_log.head(self._store, code) is None:
            if len(self._unknown) >= UNKNOWN_MAX:
                self._unknown.clear()
            self._unknown[code] = time.monotonic()
            return None
        runtime = Runtime(code, on_too_old=self._on_too_old, flusher=self._flusher, wall=self._wall)
        await self._follower.follow(code, runtime)
        if runtime.hall.phase != "closed":
            runtime.author_key = Mac(await secrets.get_or_create(self._store, code, AUTHOR_KEY))
        if runtime.hall.phase == "open":
            await self._support.drop_older(code, runtime.hall.messages)
        if runtime.hall.phase != "draft":
            runtime.board.support |= await self._support.counts(code, runtime.hall.supported())
        # What a crash between an entry and its erasing has left.
        await self._eraser.erase(code, [m.id for m in runtime.hall.messages.values() if m.text is None])
        # The list may be on another server of a cluster, which was down when this town hall was created.
        with contextlib.suppress(StoreUnavailable, StoreRefused):
            await store_log.register(self._store, code)
        self._loaded[code] = runtime
        return runtime

    # --- looking after ---
    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (StoreUnavailable, StoreRefused, Busy):
                continue
            except Exception:
                log.exception("look_after_failed")

    async def _show_gauges(self) -> None:
        for runtime in self.loaded():
            runtime.show_gauges()

    async def _look_after(self) -> None:
        for runtime in self.loaded():
            runtime.end_stale_links()
            if runtime.hall.phase == "closed":
                await self._after_closing(runtime)
            runtime.board.viewers = await self._presence.tell(runtime.code, runtime.viewers_here)
            if runtime.occupied() or runtime.hall.phase == "open":
                runtime.idle_since = time.monotonic()
            elif time.monotonic() - runtime.idle_since > IDLE_S:
                await self._follower.unfollow(runtime.code)
                del self._loaded[runtime.code]
                self._cleaned.pop(runtime.code, None)

    async def _after_closing(self, runtime: Runtime) -> None:
        """Drop what ties pseudonyms to participants. Idempotent, on every node: whoever closed it may have died since."""
        if self._cleaned.get(runtime.code) == runtime.epoch:
            return
        epoch = runtime.epoch
        runtime.untie()
        await secrets.forget(self._store, runtime.code, AUTHOR_KEY)
        hall = runtime.hall
        for message, count in (await self._support.drop(runtime.code, hall.supported(), hall.messages)).items():
            runtime.board.put(message, count)
        await self._tokens.forget(runtime.code)
        self._eraser.rewrite_soon(runtime.code)
        self._cleaned[runtime.code] = epoch

    def untied(self, code: str) -> bool:
        """Whether nothing ties the pseudonyms of a closed town hall to participants any more."""
        return code in self._cleaned

    async def closed(self, runtime: Runtime) -> None:
        """Called by whoever closed it, so that it does not wait for the next look. Trouble is left to that."""
        with contextlib.suppress(StoreUnavailable, StoreRefused):
            await self._after_closing(runtime)
