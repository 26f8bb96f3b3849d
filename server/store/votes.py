"""The votes of polls, beside the log: one for each voter, under a key that is destroyed when the poll is closed.

A ballot is `HMAC(K_poll, voter)`. Nothing leads from it to a message or to a vote in another poll, once K_poll is gone.
`polls` says of each poll whether its box is open, sealed or dropped, and keeps that for good: a node that is late must not
open a box anew.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from importlib.resources import files
from typing import Literal, NamedTuple

import msgpack

from protocol.limits import limit
from server.store.batches import Batches
from server.store.client import Store, StoreRefused, StoreUnavailable, guarded
from server.store.gauges import VOTERS_MAX
from server.store.keys import Keys
from server.store.secrets import LENGTH, forget

VOTE, SEAL = (files("server.store").joinpath(f"poll_{name}.lua").read_text("ascii") for name in ("vote", "seal"))
BALLOT_BYTES = 16
BATCH_MAX = 256
"""Ballots of one call."""
KEY_TRIES = 3
"""How often a key is asked for anew that was another one when it was looked at again."""
WAITING_MAX = 20_000
"""Ballots of one poll that wait for a call."""
Box = Literal["open", "sealed", "dropped"]
Taken = Literal["sealed", "taken", "other_key"]
_ANSWERS: tuple[Taken | None, ...] = ("sealed", "taken", "other_key", None)


class _Poll(NamedTuple):
    code: str
    poll: int
    choices: int


class _Vote(NamedTuple):
    """`mark`: of the key that the ballot was made with."""

    mark: bytes
    ballot: bytes
    choice: int


def ballot(key: bytes, voter: bytes) -> bytes:
    """What stands in the box for a voter. `key`: K_poll."""
    return hmac.digest(key, voter, hashlib.sha256)[:BALLOT_BYTES]


def _name(poll: int) -> str:
    """Of K_poll among the secrets of its town hall."""
    return f"poll:{poll}"


def _mark(key: bytes) -> bytes:
    """Tells keys apart where the key itself shall not be: the store's scripts leave copies of what they touch in memory."""
    return hashlib.sha256(key).digest()


class Votes:
    """Every step can be repeated, and is the same for all nodes. Raises StoreUnavailable, StoreRefused."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batches: Batches[_Poll, _Vote, Taken] = Batches(self._put, most=BATCH_MAX, waiting_max=WAITING_MAX)

    async def key(self, code: str, poll: int) -> bytes | None:
        """K_poll of a poll that is open in the log; None: its box is sealed already."""
        keys, name = Keys(code), _name(poll)
        with guarded(write=True):
            for _ in range(KEY_TRIES):
                async with self._store.of(code).pipeline(transaction=False) as pipe:
                    pipe.hsetnx(keys.polls, str(poll), "open")
                    pipe.hsetnx(keys.secrets, name, secrets.token_bytes(LENGTH))
                    pipe.hget(keys.secrets, name)
                    # Last: a key found while the box is still open was not dropped in between.
                    pipe.hget(keys.polls, str(poll))
                    _, _, key, box = await pipe.execute()
                if box != b"open" or key is None:
                    await forget(self._store, code, name)
                    return None
                assert isinstance(key, bytes)
                async with self._store.of(code).pipeline(transaction=False) as pipe:
                    pipe.hset(keys.tally(poll), "mark", _mark(key))
                    # After it: the store may have become an older copy of itself, with another key or none.
                    pipe.hget(keys.secrets, name)
                    pipe.hget(keys.polls, str(poll))
                    _, still, box = await pipe.execute()
                if box == b"dropped":
                    await self._store.of(code).delete(keys.tally(poll))
                    return None
                if still == key:
                    return key
        raise StoreUnavailable("the key of a poll changes with each look", outcome_unknown=True)

    async def put(self, code: str, poll: int, key: bytes, voter: bytes, choice: int, choices: int) -> Taken:
        """The vote of `voter`, instead of any that they gave before. `choices`: how many there are. Raises Busy too."""
        return await self._batches.ask(_Poll(code, poll, choices), _Vote(_mark(key), ballot(key, voter), choice))

    async def _put(self, place: _Poll, votes: list[_Vote]) -> list[Taken | Exception]:
        code, poll, choices = place
        keys = Keys(code)
        names = [keys.polls, keys.votes(poll), keys.tally(poll), keys.gauges]
        values = [poll, choices, VOTERS_MAX, limit("poll_figures"), *(part for vote in votes for part in vote)]
        with guarded(write=True):
            answers = await self._store.where(code).script(VOTE)(keys=names, args=values)
        return [_ANSWERS[int(answer)] or StoreRefused("memory_full", "too many voters") for answer in answers]

    async def mine(self, code: str, poll: int, key: bytes, voter: bytes) -> int | None:
        """What stands in the box for `voter`."""
        with guarded(write=False):
            found = await self._store.of(code).hget(Keys(code).votes(poll), ballot(key, voter))
        return None if found is None else int(found)

    async def told(self, code: str, poll: int) -> tuple[int, int, tuple[int, ...]] | None:
        """(poll, voters, counts) as they may be told; None: fewer than five have voted."""
        with guarded(write=False):
            found = await self._store.of(code).hget(Keys(code).tally(poll), "told")
        if found is None:
            return None
        _, voters, counts = msgpack.unpackb(found)
        return poll, voters, tuple(counts)

    async def seal(self, code: str, poll: int, choices: int) -> Sequence[int] | None:
        """Takes no vote any more; the votes for each choice. None: they were dropped, so that the log has what may be told."""
        keys = Keys(code)
        with guarded(write=True):
            found = await self._store.where(code).script(SEAL)(keys=[keys.polls, keys.tally(poll)], args=[poll, choices])
        return None if found is None else [int(count) for count in found]

    async def boxes(self, code: str, polls: Sequence[int]) -> list[Box | None]:
        """How the box of each poll stands; None: nobody has asked for its key yet."""
        if not polls:
            return []
        with guarded(write=False):
            found = await self._store.of(code).hmget(Keys(code).polls, [str(poll) for poll in polls])
        return [None if state is None else state.decode() for state in found]

    async def drop(self, code: str, polls: Sequence[int]) -> None:
        """Votes, tallies and keys are gone; for good once the store's files were rewritten (erase.py)."""
        keys = Keys(code)
        await forget(self._store, code, *map(_name, polls))
        with guarded(write=True):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                pipe.delete(*(name for poll in polls for name in (keys.votes(poll), keys.tally(poll))))
                # Last: where this breaks off, it is done again.
                pipe.hset(keys.polls, mapping={str(poll): "dropped" for poll in polls})
                await pipe.execute()
