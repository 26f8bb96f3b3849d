"""Random keys of a town hall that stand outside its log, so that destroying them is possible."""

import secrets

from server.store.client import Store, guarded
from server.store.keys import Keys

LENGTH = 32
"""Bytes."""


async def get_or_create(store: Store, code: str, name: str) -> bytes:
    """The key `name`, made at first use; the same for all nodes."""
    with guarded(write=True):
        await store.of(code).hsetnx(Keys(code).secrets, name, secrets.token_bytes(LENGTH))
        found = await store.of(code).hget(Keys(code).secrets, name)
    assert isinstance(found, bytes)
    return found


async def has(store: Store, code: str, name: str) -> bool:
    """Whether there is a key `name`, which was not destroyed. Raises StoreUnavailable."""
    with guarded(write=False):
        return await store.of(code).hget(Keys(code).secrets, name) is not None


async def forget(store: Store, code: str, *names: str) -> None:
    """Gone for good once the store's files were rewritten (erase.py). Raises StoreUnavailable, StoreRefused."""
    secrets_of, nothing = Keys(code).secrets, bytes(LENGTH)
    with guarded(write=True):
        async with store.of(code).pipeline(transaction=False) as pipe:
            # A small hash is one piece of memory: what is as long goes where the key was, and not beside it.
            pipe.hset(secrets_of, mapping=dict.fromkeys(names, nothing))
            pipe.hdel(secrets_of, *names)
            await pipe.execute()
