"""Nonces that were used: each is good for one proof. Kept as hashes, until none of their time can be good any more."""

import hashlib

from protocol.limits import limit
from server.store.client import Store, StoreRefused, guarded
from server.store.keys import Keys

TIME_BYTES = 6
"""At the head of a nonce: the unix second at which it was made."""
WINDOW_S = 120
"""Nonces made within one such span of time are forgotten together. The moment at which the store forgets them stands in its
files: by the window it tells nothing of a single one.
"""
LATER_S = 600
"""So much later than need be: the clock of whoever makes nonces may differ from the store's."""
NONCES_MAX = limit("nonces")
"""Of one window of one town hall."""


def window(nonce: bytes) -> int:
    """In which it was made."""
    return int.from_bytes(nonce[:TIME_BYTES], "big") // WINDOW_S


def ends_at(window: int) -> int:
    """When its nonces may be forgotten, in unix seconds."""
    return (window + 1) * WINDOW_S + limit("nonce_s") + LATER_S


def digest(nonce: bytes) -> bytes:
    """What is kept of it: a nonce itself tells its time."""
    return hashlib.sha256(b"TH1 nonce\0" + nonce).digest()[:16]


class SpentNonces:
    """For proofs that write nothing else (tokens spend theirs in redeem.lua)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def spend(self, code: str, nonce: bytes) -> bool:
        """Whether this is its first use. `nonce`: one of ours that is good still. Raises StoreUnavailable, StoreRefused."""
        key = Keys(code).nonces(window(nonce))
        with guarded(write=True):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                pipe.zcard(key)
                pipe.zadd(key, {digest(nonce): 0}, nx=True)
                pipe.expireat(key, ends_at(window(nonce)))
                held, added, _ = await pipe.execute()
        if held >= NONCES_MAX:
            raise StoreRefused("memory_full", "too many nonces")
        return bool(added)
