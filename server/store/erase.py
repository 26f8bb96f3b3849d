"""Real deletion: out of the hash, then out of the files, and out of what the store's scripts have touched."""

import asyncio
from collections.abc import Iterable

from server.store.client import Store, guarded
from server.store.keys import Keys
from server.store.shard import Shard

REWRITE_S = 60.0
"""Longest wait for a rewrite."""
COLLECT = "collectgarbage() return 1"
"""Strings that a script has touched stay in the interpreter's memory until they are in its way."""
GATHER_S = 0.5
"""Erasures within this time share one rewrite."""


class Eraser:
    """Erases texts, and rewrites the append-only file of the server that held them, so that it holds them no longer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._wanted: set[Shard] = set()
        self._rewrites: dict[Shard, asyncio.Task[None]] = {}

    async def erase(self, code: str, seqs: Iterable[int]) -> None:
        """Texts of `seqs` are gone from the store at once, from its files soon after. Raises StoreUnavailable."""
        names = [str(seq) for seq in seqs]
        if names:
            with guarded(write=True):
                erased = await self._store.of(code).hdel(Keys(code).texts, *names)
            if erased:
                self.rewrite_soon(code)

    def rewrite_soon(self, code: str) -> None:
        """One rewrite for all that is erased about now where `code` is. Raises StoreUnavailable."""
        shard = self._store.where(code)
        self._wanted.add(shard)
        rewrite = self._rewrites.get(shard)
        if rewrite is None or rewrite.done():
            self._rewrites[shard] = asyncio.create_task(self._gathered(shard), name="rewrite")

    async def _gathered(self, shard: Shard) -> None:
        # What is erased while a rewrite is under way may be in it already: another one follows.
        while shard in self._wanted:
            await asyncio.sleep(GATHER_S)
            self._wanted.discard(shard)
            await self._rewrite(shard)

    async def _rewrite(self, shard: Shard) -> None:
        """Rewrite the append-only file and wait until that is done. Raises StoreUnavailable, TimeoutError."""
        async with asyncio.timeout(REWRITE_S):
            await self._finished(shard)
            with guarded(write=True):
                await shard.redis.bgrewriteaof()
                await shard.redis.eval(COLLECT, 0)
            await self._finished(shard)

    async def _finished(self, shard: Shard) -> None:
        while True:
            with guarded(write=False):
                info = await shard.redis.info("persistence")
            if not info.get("aof_rewrite_in_progress") and not info.get("aof_rewrite_scheduled"):
                return
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Wait for rewrites that are under way."""
        await asyncio.gather(*self._rewrites.values(), return_exceptions=True)
