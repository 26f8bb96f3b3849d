"""Voting in a poll: from a participant to the box, and from the box to the entry that closes it."""

from collections.abc import Sequence
from typing import Any

from moderation.context import Actor
from moderation.poll_rules import find, may_vote
from protocol.commands import ShowVote, Vote
from protocol.refusals import Refusal
from server.halls.runtime import Runtime
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable
from server.store.erase import Eraser
from server.store.votes import Votes

KEYS_TRIED = 3
"""Keys of one poll that a vote is tried with: a store that has forgotten one makes another."""


class Ballots:
    """Of all town halls on this node. What closes a poll seals its box first: a vote is counted, or refused as too late."""

    def __init__(self, votes: Votes, eraser: Eraser) -> None:
        self._votes = votes
        self._eraser = eraser

    async def vote(self, runtime: Runtime, actor: Actor, voter: bytes | None, query: Vote) -> Any | Refusal:
        """`voter`: opaque key of the participant."""
        poll = may_vote(runtime.hall, actor, query.poll, query.choice)
        if isinstance(poll, Refusal):
            return poll
        if voter is None:
            return Refusal("not_allowed")
        closed = Refusal("poll_closed", field="$.poll")
        try:
            for _ in range(KEYS_TRIED):
                key = await self._key(runtime, poll.id)
                if key is None:
                    return closed
                match await self._votes.put(runtime.code, poll.id, key, voter, query.choice, len(poll.choices)):
                    case "taken":
                        return {"poll": poll.id, "choice": query.choice}
                    case "sealed":
                        return closed
                runtime.poll_key = None
        except StoreUnavailable as error:
            return Refusal("unknown_outcome" if error.outcome_unknown else "not_saved", retry_after_ms=1_000)
        except StoreRefused:
            return Refusal("disk_full", retry_after_ms=5_000)
        except Busy:
            return Refusal("busy", retry_after_ms=1_000)
        return Refusal("busy", retry_after_ms=500)

    async def mine(self, runtime: Runtime, voter: bytes | None, query: ShowVote) -> Any | Refusal:
        """What this participant has voted for; null where nobody knows (any more)."""
        poll = find(runtime.hall, query.poll)
        if isinstance(poll, Refusal):
            return poll
        choice = None
        if voter is not None and poll.open:
            try:
                key = await self._key(runtime, poll.id)
                choice = await self._votes.mine(runtime.code, poll.id, key, voter) if key is not None else None
            except (StoreUnavailable, StoreRefused):
                return Refusal("not_saved", retry_after_ms=1_000)
        return {"poll": poll.id, "choice": choice}

    async def _key(self, runtime: Runtime, poll: int) -> bytes | None:
        """K_poll, kept as long as the poll is open here. None: its box is sealed."""
        if runtime.poll_key is not None and runtime.poll_key[0] == poll:
            return runtime.poll_key[1]
        key = await self._votes.key(runtime.code, poll)
        if key is not None and runtime.hall.open_poll == poll:
            runtime.poll_key = (poll, key)
        return key

    async def opened(self, runtime: Runtime, poll: int) -> None:
        """Make its key. Raises StoreUnavailable, StoreRefused."""
        await self._key(runtime, poll)

    async def seal(self, runtime: Runtime, poll: int) -> Sequence[int] | None:
        """The votes for each choice, which move no more. Raises StoreUnavailable, StoreRefused."""
        return await self._votes.seal(runtime.code, poll, len(runtime.hall.polls[poll].choices))

    async def drop(self, runtime: Runtime, polls: Sequence[int]) -> None:
        """Forget who voted for what in polls that are closed in the log. Raises StoreUnavailable, StoreRefused."""
        await self._votes.drop(runtime.code, polls)
        self._eraser.rewrite_soon(runtime.code)
