"""A command's way into the log: decide → guarded append → on conflict decide again → the acknowledgement."""

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgpack
import msgspec
import structlog

from moderation.context import Actor, Context
from moderation.decide import Decision, decide
from moderation.decision import not_yours
from moderation.filters import findings
from moderation.participation_rules import asks_few, barred, may_choose, offered, pseudonym_of
from moderation.poll_rules import closes
from moderation.text import clean
from protocol.bus import pack
from protocol.commands import (
    AirQuestion,
    CheckMessages,
    CheckParticipation,
    Command,
    FinishQuestion,
    PostMessage,
    Query,
    ShowStored,
    ShowVote,
    SupportQuestion,
    Vote,
)
from protocol.entries import Entry, MessageErased, PollClosed, PollOpened, QuestionAired
from protocol.limits import limit
from protocol.refusals import Refusal
from server.halls.ballots import Ballots
from server.halls.runtime import Runtime
from server.store.appender import Append, Appended, Appender, Busy, ClientIdReused, Conflict, NewEntry, Rate, TooFast, Unseen
from server.store.client import StoreRefused, StoreUnavailable
from server.store.erase import Eraser
from server.store.follower import Follower
from server.store.gauges import SupportGauges

log = structlog.get_logger()

TRIES = 3
"""Decisions per command: conflicts are about 2 in 100 with four nodes and two moderator acts a second each."""
CATCH_UP_S = 2.0
NAME_BYTES = 16
"""Of a dedupe key, what it is found by."""


@dataclass(frozen=True, slots=True)
class Done:
    """On disk as `seq` (a posted message's id). `state`: of a posted message."""

    seq: int
    state: str | None = None


class Executor:
    """Executes commands and answers queries of one node. Never raises for trouble with the store: it refuses."""

    def __init__(
        self,
        appender: Appender,
        follower: Follower,
        gauges: SupportGauges,
        eraser: Eraser,
        ballots: Ballots,
        *,
        zone: str = "Asia/Seoul",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._eraser = eraser
        self._appender = appender
        self._follower = follower
        self._gauges = gauges
        self._ballots = ballots
        self._zone = ZoneInfo(zone)
        self._clock = clock

    async def execute(
        self, runtime: Runtime, actor: Actor, dedupe: bytes | None, command: Command, *, sender: bytes | None = None
    ) -> Done | Refusal:
        """`dedupe`: opaque key of (sender, client id), 32 bytes: half of it names what is kept of the first result, half keys the
        digest of what was asked, so that nobody can try a text against it. A repeat is answered with the first result, whatever
        the rules say now.

        `sender`: opaque key of a participant, whose messages are limited over all nodes; None: not limited here.
        """
        digest = _digest(command, b"" if dedupe is None else dedupe[NAME_BYTES:])
        dedupe = None if dedupe is None else dedupe[:NAME_BYTES]
        judged_anew = False
        try:
            for _ in range(TRIES):
                if runtime.stopped:
                    return Refusal("hall_stopped")
                context = await self._context(runtime, actor, command)
                judged_at = runtime.seq
                decision = decide(runtime.hall, actor, command, context)
                poll = None if isinstance(decision, Refusal) else closes(decision)
                if poll is not None:
                    # Nobody votes any more from here on: what is written down is all that was ever acknowledged.
                    tally = await self._ballots.seal(runtime, poll)
                    judged_at = runtime.seq
                    decision = decide(runtime.hall, actor, command, dataclasses.replace(context, tally=tally))
                if isinstance(decision, Refusal):
                    known = await self._first_result(runtime, dedupe, digest)
                    if not isinstance(known, Unseen):
                        return known
                    # An acknowledgement comes from the store, not from what is applied here: what was just acknowledged
                    # to this client may not be known here yet. A refusal is only final on the log as it stands.
                    if judged_at >= known.head or judged_anew:
                        return decision
                    judged_anew = True
                    await self._follower.caught_up(runtime.code, known.head, CATCH_UP_S)
                    continue
                decision = _by_link(decision, actor)
                append = _append(runtime, decision, dedupe, digest, _rate(sender, command))
                match await self._appender.append(append):
                    case Appended() as done:
                        result = msgpack.unpackb(done.result)
                        if not done.repeated:
                            await self._afterwards(runtime, decision.entries, done.first_seq)
                        return Done(done.first_seq, result)
                    case ClientIdReused():
                        return Refusal("client_id_reused", field="$.client_id")
                    case TooFast(wait_s=wait_s):
                        return Refusal("too_fast", retry_after_ms=1_000 * wait_s)
                    case Conflict(head=head):
                        await self._follower.caught_up(runtime.code, head, CATCH_UP_S)
            return Refusal("busy", retry_after_ms=500)
        except Busy:
            return Refusal("busy", retry_after_ms=1_000)
        except TimeoutError:
            return Refusal("not_saved", retry_after_ms=1_000)
        except StoreUnavailable as error:
            return Refusal("unknown_outcome" if error.outcome_unknown else "not_saved", retry_after_ms=1_000)
        except StoreRefused as error:
            log.error("store_refused", hall=runtime.code, code=error.code)
            return Refusal("disk_full" if error.code in ("disk_full", "memory_full") else "not_saved", retry_after_ms=5_000)

    async def query(self, runtime: Runtime, actor: Actor, voter: bytes | None, query: Query) -> Any | Refusal:
        """The data of a query, or a refusal. `voter`: opaque key of the participant."""
        match query:
            case SupportQuestion():
                return await self._support(runtime, actor, voter, query)
            case Vote():
                return await self._ballots.vote(runtime, actor, voter, query)
            case ShowVote():
                return await self._ballots.mine(runtime, voter, query)
            case CheckMessages():
                return {"states": {str(m): _own_state(runtime, actor, m) for m in query.messages}}
            case ShowStored():
                return await self._stored(runtime, actor, query.message)
            case CheckParticipation():
                return _participation(runtime, actor)
        return Refusal("unknown_command")

    async def _stored(self, runtime: Runtime, actor: Actor, id: int) -> Any | Refusal:
        """The entry and its text as they lie in the store, read from there and not from what is applied here."""
        message = runtime.hall.messages.get(id)
        if message is None or actor.author is None or message.author != actor.author:
            return not_yours()
        try:
            found = await self._follower.stored(runtime.code, id)
        except (StoreUnavailable, StoreRefused):
            return Refusal("not_saved", retry_after_ms=1_000)
        if found is None:
            return Refusal("no_such_message", field="$.message")
        body, text = found
        return {"seq": id, "entry": msgpack.unpackb(body), "text": text}

    async def _support(self, runtime: Runtime, actor: Actor, voter: bytes | None, query: SupportQuestion) -> Any | Refusal:
        if refusal := barred(runtime.hall, actor):
            return refusal
        if voter is None:
            return Refusal("not_allowed")
        message = runtime.hall.messages.get(query.message)
        if message is None or message.state != "visible" or message.fate is None:
            return Refusal("no_such_message", field="$.message")
        if runtime.hall.phase != "open":
            return Refusal("hall_closed" if runtime.hall.phase == "closed" else "hall_draft")
        try:
            if await self._gauges.set_support(runtime.code, query.message, voter, query.on) is None:
                return Refusal("hall_closed")
            count = await self._count(runtime, message.into or query.message)
        except StoreUnavailable:
            return Refusal("not_saved", retry_after_ms=1_000)
        except StoreRefused:
            return Refusal("disk_full", retry_after_ms=5_000)
        except Busy:
            return Refusal("busy", retry_after_ms=1_000)
        return {"message": query.message, "support": count}

    async def note(self, runtime: Runtime, decision: Decision) -> bool:
        """Append what the town hall decides by itself. False: its log has moved on, or another node has; decide anew later.

        Raises StoreUnavailable, StoreRefused, Busy.
        """
        return isinstance(await self._appender.append(_append(runtime, decision, None, b"", None)), Appended)

    async def _count(self, runtime: Runtime, message: int) -> int:
        """Voters of a question and of those merged into it: a union, never a sum."""
        merged = runtime.hall.merged_into(message)
        count = await self._gauges.count_union(runtime.code, [message, *merged])
        if runtime.board.support.get(message) != count:
            await self._gauges.publish(runtime.code, {message: count})
        return count

    async def _context(self, runtime: Runtime, actor: Actor, command: Command) -> Context:
        now = int(self._clock())
        support = {}
        # Only for those that freeze the figure: for others the store would be asked, or not, by what the message is.
        if isinstance(command, AirQuestion | FinishQuestion) and runtime.hall.phase == "open":
            message = command.message
            known = runtime.hall.messages.get(message)
            if known is not None and known.is_question and (actor.role == "host" or known.director == actor.id):
                support = {message: await self._gauges.count_union(runtime.code, [message, *runtime.hall.merged_into(message)])}
        return Context(
            now=now,
            today=datetime.fromtimestamp(now, self._zone).date().isoformat(),
            findings=findings(clean(command.text)) if isinstance(command, PostMessage) else (),
            support=support,
        )

    async def _first_result(self, runtime: Runtime, dedupe: bytes | None, digest: bytes) -> Done | Refusal | Unseen:
        """What the same client id was answered before: a retry after success must not be told `already picked`."""
        if dedupe is None:
            return Unseen()
        match await self._appender.seen(runtime.code, dedupe, digest):
            case Appended() as first:
                return Done(first.first_seq, msgpack.unpackb(first.result))
            case ClientIdReused():
                return Refusal("client_id_reused", field="$.client_id")
            case Unseen() as unseen:
                return unseen
        return Unseen()

    async def _afterwards(self, runtime: Runtime, entries: tuple[Entry, ...], first: int) -> None:
        """What an entry means outside the log. Repeated at every load, so that a crash in between leaves nothing."""
        for seq, entry in enumerate(entries, first):
            # Trouble is left to those who look after polls (polls.py).
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                if isinstance(entry, PollOpened):
                    await self._ballots.opened(runtime, seq)
                elif isinstance(entry, PollClosed):
                    await self._ballots.drop(runtime, [entry.poll])
        erased = [entry.message for entry in entries if isinstance(entry, MessageErased)]
        if erased:
            await self._eraser.erase(runtime.code, erased)
        for entry in entries:
            if isinstance(entry, QuestionAired):
                runtime.board.put(entry.message, entry.support)


def _rate(sender: bytes | None, command: Command) -> Rate | None:
    if sender is None or not isinstance(command, PostMessage):
        return None
    return Rate(sender, limit("messages_per_10_s"), 10)


def _by_link(decision: Decision, actor: Actor) -> Decision:
    """Every entry of staff names the link it was done with."""
    if actor.link is None:
        return decision
    return Decision(tuple(msgspec.structs.replace(entry, link=actor.link) for entry in decision.entries), decision.state)


def _append(runtime: Runtime, decision: Decision, dedupe: bytes | None, digest: bytes, rate: Rate | None) -> Append:
    needs = frozenset[str]().union(*(entry.needs for entry in decision.entries))
    raises = frozenset[str]().union(*(entry.raises for entry in decision.entries))
    return Append(
        code=runtime.code,
        entries=tuple(NewEntry(*pack(entry)) for entry in decision.entries),
        dedupe=dedupe,
        digest=digest,
        result=msgpack.packb(decision.state),
        need_desk=runtime.hall.desk if "desk" in needs else None,
        need_gate=runtime.hall.gate if "gate" in needs else None,
        raise_desk="desk" in raises,
        raise_gate="gate" in raises,
        rate=rate,
    )


def _participation(runtime: Runtime, actor: Actor) -> dict[str, Any]:
    hall = runtime.hall
    why = barred(hall, actor)
    code = why.code if why else None
    if actor.author is None:
        return {"barred": code, "pseudonym": None, "choices": (), "few": False}
    few = code == "waiting_for_others" and asks_few(hall, runtime.awaiting.everybody, runtime.awaiting.arrived_s)
    choices = offered(hall, actor) if may_choose(hall, actor) else ()
    return {"barred": code, "pseudonym": pseudonym_of(hall, actor), "choices": choices, "few": few}


def _digest(command: Command, key: bytes) -> bytes:
    asked = msgspec.to_builtins(command)
    del asked["client_id"]
    return hashlib.blake2b(msgspec.msgpack.encode(asked), digest_size=12, key=key).digest()


def _own_state(runtime: Runtime, actor: Actor, id: int) -> dict[str, Any]:
    message = runtime.hall.messages.get(id)
    if message is None or actor.author is None or message.author != actor.author:
        return {"state": "unknown"}
    if message.state == "removed":
        return {"state": "removed", "reason": message.removed}
    return {"state": message.state}
