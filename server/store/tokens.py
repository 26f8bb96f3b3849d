"""Tokens that were shown: each counts once, for whoever holds its device key. Forgotten when the town hall closes."""

import time
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

from server.store.client import Store, guarded
from server.store.gauges import PRESENT_S, VOTERS_MAX
from server.store.keys import Keys

TOKENS_MAX = VOTERS_MAX
"""Of one town hall."""
REDEEM = files("server.store").joinpath("redeem.lua").read_text("ascii")
Shown = Literal["other", "first", "again"]
_ANSWERS: tuple[Shown, ...] = ("other", "first", "again")


class SpentTokens:
    """`Shown`: for the first time, again by the same device key, or by another one."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show(self, code: str, token: bytes, device: bytes, tag: str) -> Shown:
        """`token`: its id; `device`: hash of its device key. Of many at once one is the first.

        Raises StoreUnavailable, StoreRefused.
        """
        keys = Keys(code)
        with guarded(write=True):
            script = self._store.where(code).script(REDEEM)
            answer = await script(keys=[keys.tokens, keys.arrived], args=[token, device, tag, TOKENS_MAX])
        return _ANSWERS[int(answer)]

    async def known(self, code: str, token: bytes) -> bool:
        """Whether it was shown before. Raises StoreUnavailable."""
        with guarded(write=False):
            return bool(await self._store.of(code).hexists(Keys(code).tokens, token))

    async def arrived(self, code: str) -> set[str]:
        """Tags of those who wait to be let in. Raises StoreUnavailable."""
        with guarded(write=False):
            return {tag.decode() for tag in await self._store.of(code).smembers(Keys(code).arrived)}

    async def let_in(self, code: str, tags: Iterable[str]) -> None:
        """They wait no longer."""
        gone = list(tags)
        if gone:
            with guarded(write=True):
                await self._store.of(code).srem(Keys(code).arrived, *gone)

    async def tell_awaiting(self, code: str, node: str, count: int, longest_s: float) -> tuple[int, float]:
        """Write this node's figures; (browsers of all nodes, seconds that the first of them has waited) come back."""
        key, now = Keys(code).awaiting, time.time()
        with guarded(write=True):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                pipe.hset(key, node, f"{count}:{int(longest_s)}:{int(now)}")
                pipe.expire(key, 10 * PRESENT_S)
                pipe.hgetall(key)
                *_, told = await pipe.execute()
        figures = [tuple(int(part) for part in value.decode().split(":")) for value in told.values()]
        fresh = [(count, waited) for count, waited, at in figures if now - at <= PRESENT_S and count]
        return sum(count for count, _ in fresh), max((float(waited) for _, waited in fresh), default=0.0)

    async def forget(self, code: str) -> None:
        """Which tokens were shown, and by which keys: gone for good once the store's files were rewritten (erase.py)."""
        keys = Keys(code)
        with guarded(write=True):
            await self._store.of(code).delete(keys.tokens, keys.arrived, keys.awaiting)
