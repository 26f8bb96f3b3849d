"""Tokens that were shown: each counts once, for whoever holds its device key. Forgotten when the town hall closes."""

import random
import time
from collections.abc import Iterable
from importlib.resources import files
from typing import Literal, NamedTuple

from server.store import nonces
from server.store.batches import Batches
from server.store.client import Store, StoreRefused, guarded
from server.store.gauges import VOTERS_MAX
from server.store.keys import Keys

TOKENS_MAX = VOTERS_MAX
"""Of one town hall."""
_FILES = files("server.store")
SORTED = _FILES.joinpath("sorted.lua").read_text("ascii")
REDEEM = SORTED + _FILES.joinpath("redeem.lua").read_text("ascii")
ARRIVED = SORTED + _FILES.joinpath("arrived.lua").read_text("ascii")
BATCH_MAX = 256
"""Tokens of one call: a whole house shows them within seconds, and a call waits for the disk."""
GATHER_S = 0.02
"""Between two calls for one town hall: most of what a call costs, here and at the store, is the same for one token and for ten.
Whoever comes alone does not wait."""
WAITING_MAX = 20_000
"""Tokens of one town hall that wait for a call."""
Shown = Literal["other", "first", "again", "unknown", "used"]
_ANSWERS: tuple[Shown | None, ...] = ("other", "first", "again", "unknown", None, "used")


class _Token(NamedTuple):
    """`new`, `few`: 1 or 0."""

    id: bytes
    device: bytes
    tag: str
    new: int
    few: int
    nonce: bytes


class SpentTokens:
    """`Shown`: for the first time, again by the same device key, or by another one; `unknown`: new, and it may not be; `used`:
    its proof was seen before, and nothing was done.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._chance = random.SystemRandom()
        self._batches: Batches[str, _Token, Shown] = Batches(
            self._show, most=BATCH_MAX, waiting_max=WAITING_MAX, gather_s=GATHER_S
        )

    async def show(
        self, code: str, token: bytes, device: bytes, tag: str, nonce: bytes, *, new: bool = True, few: bool = False
    ) -> Shown:
        """`token`: its id, `device`: hash of its device key, of 32 bytes each; `nonce`: of its proof, which is used with that;
        `new`: whether the token may be. Of many at once one is the first.

        `few`: its holder will come in with few; kept until they are in. Raises StoreUnavailable, StoreRefused, Busy.
        """
        return await self._batches.ask(code, _Token(token, device, tag, int(new), int(few), nonce))

    async def _show(self, code: str, tokens: list[_Token]) -> list[Shown | Exception]:
        keys = Keys(code)
        # Not in the order in which they came: the store's file keeps that of its commands until it is rewritten.
        order = self._chance.sample(range(len(tokens)), len(tokens))
        windows = sorted({nonces.window(token.nonce) for token in tokens})
        values: list[object] = [TOKENS_MAX, nonces.NONCES_MAX, *map(nonces.ends_at, windows)]
        for at in order:
            *known, nonce = tokens[at]
            values += [*known, nonces.digest(nonce), 1 + windows.index(nonces.window(nonce))]
        with guarded(write=True):
            script = self._store.where(code).script(REDEEM)
            names = [keys.tokens, keys.arrived, keys.willing, *map(keys.nonces, windows)]
            told = dict(zip(order, await script(keys=names, args=values), strict=True))
        return [_ANSWERS[int(told[at])] or StoreRefused("memory_full", "too many tokens") for at in range(len(tokens))]

    async def arrived(self, code: str) -> tuple[set[str], set[str]]:
        """Tags of those who wait to be let in, and of those among them who will come in with few. Raises StoreUnavailable."""
        keys = Keys(code)
        with guarded(write=True):
            arrived, willing = await self._store.where(code).script(ARRIVED)(keys=[keys.arrived, keys.willing])
        return {tag.decode() for tag in arrived}, {tag.decode() for tag in willing}

    async def let_in(self, code: str, tags: Iterable[str]) -> None:
        """They wait no longer."""
        gone = list(tags)
        if gone:
            keys = Keys(code)
            with guarded(write=True):
                # In this order: whoever does not stand among the first cannot come to stand among the second.
                async with self._store.of(code).pipeline(transaction=False) as pipe:
                    pipe.zrem(keys.arrived, *gone)
                    pipe.zrem(keys.willing, *gone)
                    await pipe.execute()

    async def forget(self, code: str) -> None:
        """Which tokens were shown, by which keys, and who waited: gone for good once the files were rewritten (erase.py)."""
        keys, now = Keys(code), int(time.time()) // nonces.WINDOW_S
        waited = keys.waiting, keys.waiting_few, keys.waited, keys.counted, keys.counted_after, *keys.of_before
        used = (keys.nonces(window) for window in range(now - 2, now + 2))
        with guarded(write=True):
            await self._store.of(code).delete(keys.tokens, keys.arrived, keys.willing, *waited, *used)
