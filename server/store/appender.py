"""The one writer of this node: what has gathered is appended in one atomic step, so that fsync at every step is cheap."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from protocol.limits import limit
from server import metrics
from server.store.client import Store, StoreMoved, StoreSilent, StoreUnavailable, guarded
from server.store.keys import Keys

PUBLISH_MAX_BYTES = 16_000
"""Larger payloads are not published: a subscriber that falls behind would make the store hold them all."""
SCRIPT = files("server.store").joinpath("append.lua").read_text("ascii")


@dataclass(frozen=True, slots=True)
class NewEntry:
    """`text` goes into a hash beside the stream, so that it can be erased."""

    body: bytes
    text: str | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast one sender may go, over all nodes: `burst` at once, refilled in `seconds`. `sender`: an opaque key."""

    sender: bytes
    burst: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Append:
    """Entries that are appended together or not at all. No entries: asks only what the dedupe key was answered.

    `dedupe`: opaque key of (sender, client id), None: a repeat is not recognised. `digest`: of what was asked; the same
    key with another digest is refused. `result`: kept with the key and handed back on a repeat. `need_*`: the lane's
    value that the decision was made on, None: not guarded by it. `rate`: counted only for what is new.
    """

    code: str
    entries: tuple[NewEntry, ...]
    dedupe: bytes | None
    digest: bytes
    result: bytes = b""
    need_desk: int | None = None
    need_gate: int | None = None
    raise_desk: bool = False
    raise_gate: bool = False
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """On disk. `repeated`: it had been before; `result` is the first one's."""

    epoch: int
    first_seq: int
    last_seq: int
    repeated: bool
    result: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """A lane has moved since the decision; nothing was written. Catch up to `head`, decide again."""

    epoch: int
    head: int
    desk: int
    gate: int


@dataclass(frozen=True, slots=True)
class ClientIdReused:
    """The same client id, another command."""


@dataclass(frozen=True, slots=True)
class TooFast:
    """Nothing was written; in `wait_s` seconds it would be."""

    wait_s: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """Nothing is known under this dedupe key. `head`: where the log stands."""

    head: int = 0


Answer = Appended | Conflict | ClientIdReused | TooFast | Unseen


class Busy(Exception):
    """More appends are waiting than the bound allows."""


class Appender:
    """`known(code)` tells the (epoch, seq) that this node has seen: a store behind it has forgotten something.

    At most `max_waiting` appends wait on this node; at most `max_batch` go into one step.
    """

    def __init__(
        self,
        store: Store,
        *,
        known: Callable[[str], tuple[int, int]] = lambda _: (0, 0),
        max_waiting: int = 5_000,
        max_batch: int = 64,
    ) -> None:
        self._store = store
        self._known = known
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._waiting: dict[str, deque[tuple[Append, asyncio.Future[Answer]]]] = defaultdict(deque)
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._count = 0

    @property
    def waiting(self) -> int:
        """Appends that wait for their turn."""
        return self._count

    async def append(self, append: Append) -> Answer:
        """Raises Busy, StoreUnavailable, StoreRefused."""
        if self._count >= self._max_waiting:
            raise Busy
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[append.code].append((append, future))
        self._count += 1
        if append.code not in self._workers:
            self._workers[append.code] = asyncio.create_task(self._work(append.code), name="appender")
        return await future

    async def seen(self, code: str, dedupe: bytes, digest: bytes) -> Answer:
        """What was answered under this key before, or Unseen."""
        return await self.append(Append(code, (), dedupe, digest))

    async def identify(self, code: str) -> tuple[int, int]:
        """Check who the store is, without writing: (epoch, seq), the epoch raised if it may have forgotten."""
        epoch, seq, *_ = await self._call(code, [])
        return int(epoch), int(seq)

    async def stop(self) -> None:
        """Wait until all that was taken has been answered."""
        while self._workers:
            await asyncio.gather(*self._workers.values(), return_exceptions=True)

    async def _work(self, code: str) -> None:
        queue = self._waiting[code]
        while queue:
            batch = [queue.popleft() for _ in range(min(len(queue), self._max_batch))]
            self._count -= len(batch)
            began = time.perf_counter()
            try:
                answers = await self._step(code, [append for append, _ in batch])
            except BaseException as error:
                metrics.APPENDS.labels("failed").inc(len(batch))
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                if isinstance(error, StoreSilent):
                    self._refuse_waiting(queue)
                continue
            metrics.APPEND_SECONDS.observe(time.perf_counter() - began)
            metrics.BATCH_APPENDS.observe(len(batch))
            for (append, future), answer in zip(batch, answers, strict=True):
                _count(append, answer)
                if not future.done():
                    future.set_result(answer)
        del self._workers[code], self._waiting[code]

    def _refuse_waiting(self, queue: deque[tuple[Append, asyncio.Future[Answer]]]) -> None:
        """What waited behind a step without an answer was not sent, and is not made to wait for another one."""
        self._count -= len(queue)
        metrics.APPENDS.labels("failed").inc(len(queue))
        while queue:
            _, future = queue.popleft()
            if not future.done():
                future.set_exception(StoreUnavailable("the store is silent", outcome_unknown=False))

    async def _step(self, code: str, batch: list[Append]) -> list[Answer]:
        epoch, head, desk, gate, answers = await self._call(code, batch)
        typed: list[Answer] = []
        for answer in answers:
            match answer:
                case [b"conflict"]:
                    typed.append(Conflict(epoch, head, desk, gate))
                case [b"reused"]:
                    typed.append(ClientIdReused())
                case [b"too_fast", wait_s]:
                    typed.append(TooFast(wait_s))
                case [b"unseen"]:
                    typed.append(Unseen(head))
                case [kind, first, last, result]:
                    typed.append(Appended(epoch, first, last, kind == b"seen", result))
        return typed

    async def _call(self, code: str, batch: list[Append]) -> Any:
        keys = Keys(code)
        names: list[str | bytes] = [keys.head, keys.log, keys.texts, keys.entries]
        epoch, seq = self._known(code)
        values: list[Any] = [epoch, seq, limit("client_id_s"), PUBLISH_MAX_BYTES, len(batch)]
        for one in batch:
            names.append(keys.head if one.dedupe is None else keys.dedupe(one.dedupe))
            names.append(keys.head if one.rate is None else keys.rate(one.rate.sender))
            values += [int(one.dedupe is not None), one.digest, one.result]
            values += [-1 if one.need_desk is None else one.need_desk, -1 if one.need_gate is None else one.need_gate]
            values += [int(one.raise_desk), int(one.raise_gate)]
            values += [0, 1] if one.rate is None else [one.rate.burst, one.rate.seconds]
            values.append(len(one.entries))
            for entry in one.entries:
                values += [entry.body, int(entry.text is not None), entry.text or ""]
        try:
            return await self._send(code, names, values, write=bool(batch))
        except StoreMoved:
            # Nothing was executed: ask who has it now, and go there.
            await self._store.refresh()
            return await self._send(code, names, values, write=bool(batch))

    async def _send(self, code: str, names: list[str | bytes], values: list[Any], *, write: bool) -> Any:
        with guarded(write=write):
            return await self._store.where(code).script(SCRIPT)(keys=names, args=values)


def _count(append: Append, answer: Answer) -> None:
    if not append.entries:
        return
    match answer:
        case Appended(repeated=False):
            metrics.APPENDS.labels("appended").inc()
            metrics.APPENDED_ENTRIES.inc(len(append.entries))
        case Appended():
            metrics.APPENDS.labels("repeated").inc()
        case Conflict():
            metrics.APPENDS.labels("conflict").inc()
        case TooFast():
            metrics.APPENDS.labels("too_fast").inc()
        case ClientIdReused():
            metrics.APPENDS.labels("client_id_reused").inc()
