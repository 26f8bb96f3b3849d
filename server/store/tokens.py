"""Tokens that were shown: each counts once, for whoever holds its device key. Forgotten when the town hall closes."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, NamedTuple

from server.store.batches import Batches
from server.store.client import Store, StoreRefused, guarded
from server.store.gauges import PRESENT_S, VOTERS_MAX
from server.store.keys import Keys

TOKENS_MAX = VOTERS_MAX
"""Of one town hall."""
REDEEM = files("server.store").joinpath("redeem.lua").read_text("ascii")
BATCH_MAX = 256
"""Tokens of one call: a whole house shows them within seconds, and a call waits for the disk."""
GATHER_S = 0.02
"""Between two calls for one town hall: most of what a call costs, here and at the store, is the same for one token and for ten.
Whoever comes alone does not wait."""
WAITING_MAX = 20_000
"""Tokens of one town hall that wait for a call."""
Shown = Literal["other", "first", "again", "unknown"]
_ANSWERS: tuple[Shown | None, ...] = ("other", "first", "again", "unknown", None)


class _Token(NamedTuple):
    """`new`, `few`: 1 or 0."""

    id: bytes
    device: bytes
    tag: str
    new: int
    few: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Browsers that wait for a round: how many, and for how many seconds the first of them has."""

    count: int
    longest_s: float


class SpentTokens:
    """`Shown`: for the first time, again by the same device key, or by another one; `unknown`: new, and it may not be."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batches: Batches[str, _Token, Shown] = Batches(
            self._show, most=BATCH_MAX, waiting_max=WAITING_MAX, gather_s=GATHER_S
        )

    async def show(self, code: str, token: bytes, device: bytes, tag: str, *, new: bool = True, few: bool = False) -> Shown:
        """`token`: its id; `device`: hash of its device key; `new`: whether it may be. Of many at once one is the first.

        `few`: its holder will come in with few; kept until they are in. Raises StoreUnavailable, StoreRefused, Busy.
        """
        return await self._batches.ask(code, _Token(token, device, tag, int(new), int(few)))

    async def _show(self, code: str, tokens: list[_Token]) -> list[Shown | Exception]:
        keys = Keys(code)
        with guarded(write=True):
            script = self._store.where(code).script(REDEEM)
            values = [TOKENS_MAX, *(part for token in tokens for part in token)]
            answers = await script(keys=[keys.tokens, keys.arrived, keys.willing], args=values)
        return [_ANSWERS[int(answer)] or StoreRefused("memory_full", "too many tokens") for answer in answers]

    async def arrived(self, code: str) -> tuple[set[str], set[str]]:
        """Tags of those who wait to be let in, and of those among them who will come in with few. Raises StoreUnavailable."""
        keys = Keys(code)
        with guarded(write=False):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                pipe.smembers(keys.arrived)
                pipe.smembers(keys.willing)
                arrived, willing = await pipe.execute()
        return {tag.decode() for tag in arrived}, {tag.decode() for tag in willing}

    async def let_in(self, code: str, tags: Iterable[str]) -> None:
        """They wait no longer."""
        gone = list(tags)
        if gone:
            keys = Keys(code)
            with guarded(write=True):
                # In this order: whoever does not stand among the first cannot come to stand among the second.
                async with self._store.of(code).pipeline(transaction=False) as pipe:
                    pipe.srem(keys.arrived, *gone)
                    pipe.srem(keys.willing, *gone)
                    await pipe.execute()

    async def tell_awaiting(self, code: str, node: str, waiting: Tally, willing: Tally) -> tuple[Tally, Tally]:
        """Write this node's figures, of all that wait and of those that will come in with few; all nodes' come back."""
        keys, now = Keys(code), time.time()
        with guarded(write=True):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                for key, own in ((keys.awaiting, waiting), (keys.awaiting_few, willing)):
                    pipe.hset(key, node, f"{own.count}:{int(own.longest_s)}:{int(now)}")
                    pipe.expire(key, 10 * PRESENT_S)
                    pipe.hgetall(key)
                _, _, everybody, _, _, few = await pipe.execute()
        return _told(everybody, now), _told(few, now)

    async def forget(self, code: str) -> None:
        """Which tokens were shown, and by which keys: gone for good once the store's files were rewritten (erase.py)."""
        keys = Keys(code)
        with guarded(write=True):
            await self._store.of(code).delete(keys.tokens, keys.arrived, keys.willing, keys.awaiting, keys.awaiting_few)


def _told(figures: dict[bytes, bytes], now: float) -> Tally:
    """The sum of what nodes have told lately."""
    parts = [tuple(int(part) for part in value.decode().split(":")) for value in figures.values()]
    fresh = [(count, waited) for count, waited, at in parts if now - at <= PRESENT_S and count]
    return Tally(sum(count for count, _ in fresh), max((float(waited) for _, waited in fresh), default=0.0))
