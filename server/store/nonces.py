"""Nonces that were spent: each is good for one proof."""

import hashlib

from protocol.limits import limit
from server.store.client import Store, guarded
from server.store.keys import Keys

SPARE_S = 60
"""Beyond the time for which a nonce is good, so that one is not forgotten while another clock still takes it."""


class SpentNonces:
    """Kept by the store under the town hall's hash tag for as long as a nonce is good."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def spend(self, code: str, nonce: bytes) -> bool:
        """Whether it was not spent before. Raises StoreUnavailable, StoreRefused."""
        key = Keys(code).nonce(hashlib.sha256(nonce).digest()[:16])
        with guarded(write=True):
            return bool(await self._store.of(code).set(key, b"", nx=True, ex=limit("nonce_s") + SPARE_S))
