"""Random keys of a town hall that stand outside its log, so that destroying them is possible."""

import hashlib
import secrets
from dataclasses import dataclass

from server.store.client import Store, StoreUnavailable, guarded
from server.store.keys import Keys

LENGTH = 32
"""Bytes."""
KEY_TRIES = 3
"""How often a key is asked for anew that was another one when it was looked at again."""


async def get_or_create(store: Store, code: str, name: str) -> bytes:
    """The key `name`, made at first use; the same for all nodes."""
    with guarded(write=True):
        await store.of(code).hsetnx(Keys(code).secrets, name, secrets.token_bytes(LENGTH))
        found = await store.of(code).hget(Keys(code).secrets, name)
    assert isinstance(found, bytes)
    return found


async def forget(store: Store, code: str, *names: str) -> None:
    """Gone for good once the store's files were rewritten (erase.py). Raises StoreUnavailable, StoreRefused."""
    secrets_of, nothing = Keys(code).secrets, bytes(LENGTH)
    with guarded(write=True):
        async with store.of(code).pipeline(transaction=False) as pipe:
            # A small hash is one piece of memory: what is as long goes where the key was, and not beside it.
            pipe.hset(secrets_of, mapping=dict.fromkeys(names, nothing))
            pipe.hdel(secrets_of, *names)
            await pipe.execute()


# --- keys that are good as long as something is open ---
def mark(key: bytes) -> bytes:
    """Tells keys apart where the key itself shall not be: the store's scripts leave copies of what they touch in memory."""
    return hashlib.sha256(key).digest()


@dataclass(frozen=True, slots=True)
class Marked:
    """`name`: of the key. `state`: hash and field that say `open` as long as it is good, and are kept for good: a node that is
    late must not make it anew. `mark`: hash with a field `mark` of the key with which things are made there. `until_dropped`:
    whether it is needed for counting when it is good for nothing new.
    """

    name: str
    state: tuple[str, str]
    mark: str
    until_dropped: bool = False


async def while_open(store: Store, code: str, which: Marked) -> bytes | None:
    """The key, made at first use; the same for all nodes. None: it is good for nothing any more.

    Raises StoreUnavailable, StoreRefused.
    """
    hash_of = Keys(code).secrets
    with guarded(write=True):
        for _ in range(KEY_TRIES):
            async with store.of(code).pipeline(transaction=False) as pipe:
                pipe.hsetnx(*which.state, "open")
                pipe.hsetnx(hash_of, which.name, secrets.token_bytes(LENGTH))
                pipe.hget(hash_of, which.name)
                # Last: a key found while it was still open was not dropped in between.
                pipe.hget(*which.state)
                _, _, key, state = await pipe.execute()
            if state != b"open" or key is None:
                if state == b"dropped" or not which.until_dropped:
                    await forget(store, code, which.name)
                return None
            assert isinstance(key, bytes)
            async with store.of(code).pipeline(transaction=False) as pipe:
                pipe.hset(which.mark, "mark", mark(key))
                # After it: the store may have become an older copy of itself, with another key or none.
                pipe.hget(hash_of, which.name)
                pipe.hget(*which.state)
                _, still, state = await pipe.execute()
            if state == b"dropped":
                await store.of(code).hdel(which.mark, "mark")
                return None
            if still == key:
                return key
    raise StoreUnavailable("a key changes with each look", outcome_unknown=True)
