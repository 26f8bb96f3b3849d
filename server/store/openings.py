"""Opening addresses of the organiser's page, in the store: the same for all nodes, and after a restart."""

import contextlib
from collections.abc import Iterator

from protocol.limits import limit
from server.openings import NotKept, Opening
from server.store.client import Store, StoreRefused, StoreUnavailable, guarded
from server.store.keys import OPENINGS, OPENINGS_BOUND, OPENINGS_TAG
from server.store.nonces import SpentNonces


class StoredOpenings:
    """One hash of when each is over, one of the keys that they are bound to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._spent = SpentNonces(store)

    async def add(self, id: str, until: int, now: int) -> None:
        """As Storage."""
        with _kept(write=True):
            client = self._store.of(OPENINGS_TAG)
            known = {name.decode(): int(value) for name, value in (await client.hgetall(OPENINGS)).items()}
            holding = sorted((end, name) for name, end in known.items() if end > now)
            gone = [name for name, end in known.items() if end <= now]
            gone += [name for _, name in holding[: max(0, len(holding) + 1 - limit("openings"))]]
            if gone:
                await client.hdel(OPENINGS, *gone)
                await client.hdel(OPENINGS_BOUND, *gone)
            await client.hset(OPENINGS, id, until)

    async def find(self, id: str) -> Opening | None:
        """As Storage."""
        with _kept(write=False):
            client = self._store.of(OPENINGS_TAG)
            until = await client.hget(OPENINGS, id)
            return None if until is None else Opening(int(until), await client.hget(OPENINGS_BOUND, id) or b"")

    async def bind(self, id: str, key: bytes, until: int) -> bytes:
        """As Storage."""
        with _kept(write=True):
            client = self._store.of(OPENINGS_TAG)
            if await client.hsetnx(OPENINGS_BOUND, id, key):
                await client.hset(OPENINGS, id, until)
                return key
            return bytes(await client.hget(OPENINGS_BOUND, id) or b"")

    async def spend(self, nonce: bytes) -> bool:
        """As Storage."""
        with _kept(write=True):
            return await self._spent.spend(OPENINGS_TAG, nonce)

    async def end(self) -> None:
        """As Storage."""
        with _kept(write=True):
            await self._store.of(OPENINGS_TAG).delete(OPENINGS, OPENINGS_BOUND)


@contextlib.contextmanager
def _kept(*, write: bool) -> Iterator[None]:
    try:
        with guarded(write=write):
            yield
    except (StoreUnavailable, StoreRefused) as error:
        raise NotKept(str(error)) from error
