"""Real deletion: out of the hash, then out of the files."""

import asyncio
from collections.abc import Iterable

from server.store.client import Store, guarded
from server.store.keys import Keys

REWRITE_S = 60.0
"""Longest wait for a rewrite."""
GATHER_S = 0.5
"""Erasures within this time share one rewrite."""


class Eraser:
    """Erases texts, and rewrites the append-only file so that it holds them no longer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rewrite: asyncio.Task[None] | None = None

    async def erase(self, code: str, seqs: Iterable[int]) -> None:
        """Texts of `seqs` are gone from the store at once, from its files soon after. Raises StoreUnavailable."""
        names = [str(seq) for seq in seqs]
        if names:
            with guarded(write=True):
                erased = await self._store.redis.hdel(Keys(code).texts, *names)
            if erased:
                self.rewrite_soon()

    def rewrite_soon(self) -> None:
        """One rewrite for all that is erased about now."""
        if self._rewrite is None or self._rewrite.done():
            self._rewrite = asyncio.create_task(self._gathered(), name="rewrite")

    async def _gathered(self) -> None:
        await asyncio.sleep(GATHER_S)
        await self.rewrite_files()

    async def rewrite_files(self) -> None:
        """Rewrite the append-only file and wait until that is done. Raises StoreUnavailable, TimeoutError."""
        async with asyncio.timeout(REWRITE_S):
            await self._finished()
            with guarded(write=True):
                await self._store.redis.bgrewriteaof()
            await self._finished()

    async def _finished(self) -> None:
        while True:
            with guarded(write=False):
                info = await self._store.redis.info("persistence")
            if not info.get("aof_rewrite_in_progress") and not info.get("aof_rewrite_scheduled"):
                return
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Wait for a rewrite that is under way."""
        if self._rewrite is not None:
            await asyncio.gather(self._rewrite, return_exceptions=True)
