"""Figures beside the log: who supports what, and who is present. Last value wins; nothing is replayed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from typing import NamedTuple, TypeVar

import msgpack
import structlog

from protocol.limits import limit
from server.store import handles
from server.store.batches import Batches
from server.store.client import Store, StoreRefused, StoreUnavailable, guarded
from server.store.keys import Keys
from server.store.secrets import KEY_TRIES, Marked, forget, mark, while_open

log = structlog.get_logger()

SUPPORT, CLOSE, OLDER = (
    files("server.store").joinpath(f"{name}.lua").read_text("ascii") for name in ("support", "support_close", "support_older")
)
PRESENCE = files("server.store").joinpath("presence.lua").read_text("ascii")
VOTERS_MAX = limit("voters")
PRESENT_S = 10
"""A node that has not told its viewers for this long no longer counts."""
NAME = "support"
"""Of the support key among the secrets of its town hall."""
CHUNK = 1_000
"""Questions of one call."""
BATCH_MAX = 256
"""Supports, and figures, of one call."""
WAITING_MAX = 20_000
"""Supports, and figures, of one town hall that wait for a call."""
KEY_IS_GONE, NO_ROOM = 2, 3
"""Answers of support.lua."""
_Item = TypeVar("_Item")


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


class _Support(NamedTuple):
    """`mark`: of the key that the handle was made with. `on`: 1 or 0."""

    message: int
    mark: bytes
    handle: bytes
    on: int


def _union(key: bytes | None, group: Sequence[int], answers: Iterator[list[bytes]]) -> int:
    """Of the next answers, one for each of `group`. Without a key nobody has supported anything."""
    found = [next(answers) for _ in group]
    return len(set[tuple[bytes]]().union(*(handles.voters(key, *one) for one in zip(group, found, strict=True)))) if key else 0


class SupportGauges:
    """Who supports a question is a set of handles (handles.py), which no two questions share. All of it is destroyed at closing;
    the figures stay. Raises StoreUnavailable, StoreRefused, and Busy where many ask at once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, bytes] = {}
        """Support keys of the town halls in which somebody supported something here; until they are closed."""
        self._supports: Batches[str, _Support, int] = Batches(self._put, most=BATCH_MAX, waiting_max=WAITING_MAX)
        self._counts: Batches[str, tuple[int, ...], int] = Batches(self._count, most=BATCH_MAX, waiting_max=WAITING_MAX)

    async def _key(self, code: str) -> bytes | None:
        if code not in self._keys:
            keys = Keys(code)
            which = Marked(NAME, (keys.supports, "state"), keys.supports, until_dropped=True)
            key = await while_open(self._store, code, which)
            if key is None:
                return None
            self._keys[code] = key
        return self._keys[code]

    async def set_support(self, code: str, message: int, voter: bytes, on: bool) -> bool | None:
        """Whether that changed anything; None: no support is taken any more."""
        for _ in range(KEY_TRIES):
            key = await self._key(code)
            if key is None:
                return None
            asked = _Support(message, mark(key), handles.handle(key, message, voter), int(on))
            answer = await self._supports.ask(code, asked)
            if answer != KEY_IS_GONE:
                return bool(answer)
            self._keys.pop(code, None)
        raise StoreUnavailable("the support key changes with each look", outcome_unknown=False)

    async def _put(self, code: str, asked: list[_Support]) -> list[int | Exception]:
        # In an order of their own: the store's file has them as they are sent.
        order = sorted(range(len(asked)), key=lambda place: asked[place].handle)
        keys = Keys(code)
        names = [keys.supports, *(keys.support(asked[place].message) for place in order)]
        values = [VOTERS_MAX, *(part for place in order for part in asked[place][1:])]
        with guarded(write=True):
            answers = await self._store.where(code).script(SUPPORT)(keys=names, args=values)
        found: dict[int, int | Exception] = {
            place: StoreRefused("memory_full", "too many voters") if answer == NO_ROOM else int(answer)
            for place, answer in zip(order, answers, strict=True)
        }
        return [found[place] for place in range(len(asked))]

    async def count_union(self, code: str, messages: Sequence[int]) -> int:
        """Voters for at least one of `messages`, the question first and then those merged into it: a union, never a sum."""
        return await self._counts.ask(code, tuple(messages))

    async def _count(self, code: str, asked: list[tuple[int, ...]]) -> list[int | Exception]:
        groups = list(dict.fromkeys(asked))  # a whole house may wait for the same figure
        found = dict(zip(groups, await self._figures(code, groups), strict=True))
        return [found[group] for group in asked]

    async def counts(self, code: str, questions: Mapping[int, Sequence[int]]) -> dict[int, int]:
        """The figure of each question: {question: itself and those merged into it}. Also once it is closed."""
        found: dict[int, int] = {}
        for chunk in _chunks(questions.items()):
            figures = await self._figures(code, [tuple(messages) for _, messages in chunk])
            found |= zip((question for question, _ in chunk), figures, strict=True)
        return found

    async def _figures(self, code: str, groups: Sequence[tuple[int, ...]]) -> list[int]:
        keys = Keys(code)
        for _ in range(KEY_TRIES):
            with guarded(write=False):
                async with self._store.of(code).pipeline(transaction=False) as pipe:
                    pipe.hmget(keys.supports, ["state", "mark"])
                    for group in groups:
                        if len(group) == 1:
                            pipe.zcard(keys.support(group[0]))
                        for message in group if len(group) > 1 else ():
                            pipe.zrange(keys.support(message), 0, -1)
                    (state, marked), *rest = await pipe.execute()
            if state == b"dropped":
                kept = await self._kept(code)
                return [kept.get(group[0], 0) for group in groups]
            key = self._keys.get(code) or await self._found(code)
            if marked is None or key is None or mark(key) == marked:
                answers = iter(rest)
                return [next(answers) if len(group) == 1 else _union(key, group, answers) for group in groups]
            self._keys.pop(code, None)
        raise StoreUnavailable("the support key changes with each look", outcome_unknown=False)

    async def _found(self, code: str) -> bytes | None:
        """The key as it lies in the store."""
        with guarded(write=False):
            found: bytes | None = await self._store.of(code).hget(Keys(code).secrets, NAME)
        return found

    async def publish(self, code: str, counts: Mapping[int, int]) -> None:
        """Tell all nodes."""
        with guarded(write=False):
            await self._store.of(code).execute_command("SPUBLISH", Keys(code).gauges, msgpack.packb(dict(counts)))

    # --- the end ---
    async def drop(self, code: str, questions: Mapping[int, Sequence[int]], messages: Iterable[int]) -> dict[int, int]:
        """Take no support any more, keep the figures, and forget who supported what; for good once the store's files were
        rewritten (erase.py). `messages`: all that ever were any. What is kept comes back. Every step can be repeated.
        """
        keys, messages = Keys(code), list(messages)
        await self.drop_older(code, messages)
        if await self._close(code, "sealed") != b"dropped":
            figures = await self.counts(code, questions)
            await self._close(code, "dropped", *(part for figure in figures.items() if figure[1] for part in figure))
        self._keys.pop(code, None)
        await forget(self._store, code, NAME)
        with guarded(write=True):
            client = self._store.of(code)
            await client.hdel(keys.supports, "mark")
            await client.delete(*keys.older_supports)
            for chunk in _chunks(messages):
                await client.delete(*map(keys.support, chunk))
        return await self._kept(code)

    async def _close(self, code: str, *values: str | int) -> bytes:
        with guarded(write=True):
            state: bytes = await self._store.where(code).script(CLOSE)(keys=[Keys(code).supports], args=values)
        return state

    async def _kept(self, code: str) -> dict[int, int]:
        with guarded(write=False):
            found = await self._store.of(code).hgetall(Keys(code).supports)
        return {int(name): int(figure) for name, figure in found.items() if name.isdigit()}

    async def drop_older(self, code: str, messages: Iterable[int]) -> None:
        """Forget what builds of before have kept, who had one place in all questions; also in a town hall that goes on."""
        keys, gone = Keys(code), 0
        for chunk in _chunks(messages):
            with guarded(write=True):
                script = self._store.where(code).script(OLDER)
                names = [keys.supports, *keys.older_supports, *map(keys.support, chunk)]
                gone += int(await script(keys=names, args=[]))
        if gone:
            log.warning("supports_of_an_older_build_dropped", hall=code)


class Presence:
    """How many look on, over all nodes. Each node writes its own figure and lets it grow old."""

    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node

    async def tell(self, code: str, viewers: int) -> int:
        """Write this node's figure; the sum of all nodes' comes back. Raises StoreUnavailable."""
        with guarded(write=True):
            script = self._store.where(code).script(PRESENCE)
            return int(await script(keys=[Keys(code).presence], args=[self._node, viewers, PRESENT_S]))
