"""Figures beside the log: supports as bitmaps, and who is present. Last value wins; nothing is replayed."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib.resources import files

import msgpack

from protocol.limits import limit
from server.store.client import Store, guarded
from server.store.keys import Keys

SUPPORT = files("server.store").joinpath("support.lua").read_text("ascii")
PRESENCE = files("server.store").joinpath("presence.lua").read_text("ascii")
VOTERS_MAX = limit("voters")
"""Voters of one town hall; a bitmap then takes 8 kB."""
PRESENT_S = 10
"""A node that has not told its viewers for this long no longer counts."""


class SupportGauges:
    """One voter has one bit in each question's bitmap. The bit's position is drawn at random: it tells no order."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def set_support(self, code: str, message: int, voter: bytes, on: bool) -> bool:
        """Whether that changed anything. Raises StoreUnavailable, StoreRefused."""
        keys = Keys(code)
        with guarded(write=True):
            script = self._store.where(code).script(SUPPORT)
            changed = await script(keys=[keys.slots, keys.pool, keys.support(message)], args=[voter, int(on), VOTERS_MAX])
        return bool(changed)

    async def count_union(self, code: str, messages: Sequence[int]) -> int:
        """Voters for at least one of `messages`: a union, never a sum."""
        bitmaps = [Keys(code).support(message) for message in messages]
        with guarded(write=False):
            client = self._store.of(code)
            if len(bitmaps) == 1:
                return int(await client.bitcount(bitmaps[0]))
            values = await asyncio.gather(*(client.get(bitmap) for bitmap in bitmaps))
        width = max((len(value) for value in values if value), default=0)
        union = 0
        for value in values:
            union |= int.from_bytes((value or b"").ljust(width, b"\0"), "big")
        return union.bit_count()

    async def publish(self, code: str, counts: Mapping[int, int]) -> None:
        """Tell all nodes."""
        with guarded(write=False):
            await self._store.of(code).execute_command("SPUBLISH", Keys(code).gauges, msgpack.packb(dict(counts)))

    async def drop_voters(self, code: str) -> None:
        """Forget who has which bit; the figures stay."""
        with guarded(write=True):
            await self._store.of(code).delete(Keys(code).slots, Keys(code).pool)


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
