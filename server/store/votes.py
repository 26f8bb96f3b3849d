"""The votes of polls, beside the log: one for each voter, under a key that is destroyed when the poll is closed.

A ballot is `HMAC(K_poll, voter)`. Nothing leads from it to a message or to a vote in another poll, once K_poll is gone.
What is told while a poll is open is told by time and coarse (poll_tell.lua), and not by whoever votes.
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
import structlog

from protocol.limits import limit
from server.store.batches import Batches
from server.store.client import Store, StoreRefused, guarded
from server.store.gauges import VOTERS_MAX
from server.store.keys import Keys
from server.store.secrets import Marked, forget, mark, while_open

log = structlog.get_logger()

VOTE, TELL, SEAL = (files("server.store").joinpath(f"poll_{name}.lua").read_text("ascii") for name in ("vote", "tell", "seal"))
BALLOT_BYTES = 16
BATCH_MAX = 256
"""Ballots of one call."""
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


class Votes:
    """Every step can be repeated, and is the same for all nodes. Raises StoreUnavailable, StoreRefused."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._batches: Batches[_Poll, _Vote, Taken] = Batches(self._put, most=BATCH_MAX, waiting_max=WAITING_MAX)

    async def key(self, code: str, poll: int) -> bytes | None:
        """K_poll of a poll that is open in the log; None: its box is sealed already."""
        keys = Keys(code)
        with guarded(write=True):
            if await self._store.of(code).type(keys.votes(poll)) == b"hash":
                log.warning("votes_of_an_older_build_dropped", hall=code, poll=poll)
                await self._store.of(code).delete(keys.votes(poll), keys.tally(poll))
        return await while_open(self._store, code, Marked(_name(poll), (keys.polls, str(poll)), keys.tally(poll)))

    async def put(self, code: str, poll: int, key: bytes, voter: bytes, choice: int, choices: int) -> Taken:
        """The vote of `voter`, instead of any that they gave before. `choices`: how many there are. Raises Busy too."""
        return await self._batches.ask(_Poll(code, poll, choices), _Vote(mark(key), ballot(key, voter), choice))

    async def _put(self, place: _Poll, votes: list[_Vote]) -> list[Taken | Exception]:
        code, poll, choices = place
        keys = Keys(code)
        names = [keys.polls, keys.votes(poll), keys.tally(poll)]
        # In an order of their own: the store's file has them as they are sent.
        order = sorted(range(len(votes)), key=lambda place: votes[place].ballot)
        values = [poll, choices, VOTERS_MAX, *(part for place in order for part in votes[place])]
        with guarded(write=True):
            answers = await self._store.where(code).script(VOTE)(keys=names, args=values)
        found = {place: _ANSWERS[int(answer)] for place, answer in zip(order, answers, strict=True)}
        return [found[place] or StoreRefused("memory_full", "too many voters") for place in range(len(votes))]

    async def mine(self, code: str, poll: int, key: bytes, voter: bytes) -> int | None:
        """What stands in the box for `voter`."""
        mine = ballot(key, voter)
        with guarded(write=False):
            found = await self._store.of(code).zrangebylex(Keys(code).votes(poll), b"[" + mine, b"[" + mine + b"\xff")
        return found[0][-1] if found else None

    async def tell(self, code: str, poll: int, choices: int) -> tuple[int, int, tuple[int, ...]] | None:
        """(poll, voters, counts) as they may be told, about; None: too few have voted, or not for long enough. All nodes hear
        of what is new.
        """
        keys = Keys(code)
        names = [keys.polls, keys.votes(poll), keys.tally(poll), keys.gauges]
        values = [poll, choices, limit("poll_figure_s"), limit("poll_figure_voters"), secrets.randbits(32) / 2**32]
        with guarded(write=True):
            found = await self._store.where(code).script(TELL)(keys=names, args=values)
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
