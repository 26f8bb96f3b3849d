"""Which browser a staff link is bound to: link → SHA-256 of its key. The first one stays."""

from server.store.client import Store, guarded
from server.store.keys import Keys


class BoundLinks:
    """One hash for each town hall; it has at most as many fields as there are staff links."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def bind(self, code: str, link: str, key: bytes) -> bytes:
        """The key that `link` is bound to now: `key`, unless another was first. Raises StoreUnavailable, StoreRefused."""
        bound, client = Keys(code).bound, self._store.of(code)
        with guarded(write=True):
            await client.hsetnx(bound, link, key)
            found = await client.hget(bound, link)
        assert isinstance(found, bytes)
        return found

    async def key(self, code: str, link: str) -> bytes | None:
        """None: it is not bound yet. Raises StoreUnavailable."""
        with guarded(write=False):
            found = await self._store.of(code).hget(Keys(code).bound, link)
        return found if isinstance(found, bytes) else None
