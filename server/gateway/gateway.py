"""From JSON to an acknowledgement, the same for sockets and for HTTP: admit, validate, limit, execute, answer."""

import random
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from moderation.participation_rules import barred
from protocol import wire
from protocol.commands import (
    COMMANDS,
    QUERIES,
    AwaitRound,
    CloseHall,
    Command,
    Join,
    PostMessage,
    ResumeView,
    SupportQuestion,
    Vote,
    names_for,
)
from protocol.frames import PROTOCOL, Ack, Hello, You
from protocol.limits import LIMITS, limit
from protocol.names import Language, Role
from protocol.refusals import Refusal
from server import metrics
from server.admission.admit import Admission
from server.admission.admitted import Admitted
from server.answers import accepted, refused
from server.buckets import Buckets
from server.fanout.room import Room
from server.gateway.awaiting import Waiters
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.runtime import Runtime
from server.store.client import StoreRefused, StoreUnavailable

log = structlog.get_logger()

CODE = re.compile(r"[A-Z0-9]{4,10}")
"""As protocol.names.HallCode: what is none is not looked up."""

AGAIN_MS = (1_000, 5_000)
"""Between these, drawn by chance, may whoever was refused with many others come again."""
LONG_AGAIN_MS = (5_000, 30_000)
"""The same where a town hall is past what it takes at any pace: room for the next ten comes each second."""
TOLD_LIMITS = ("text_graphemes", "answer_graphemes", "reason_graphemes", "undo_s")
"""Bounds that pages show or check before they send."""


@dataclass(slots=True)
class Session:
    """Somebody who was admitted to a view of a town hall."""

    role: Role
    runtime: Runtime
    admitted: Admitted
    lang: Language
    shared: bool = False
    """Whether others at the same address are known by the same key: they watch without a ticket, over HTTP."""

    @property
    def room(self) -> Room:
        """The fan-out of this session's view."""
        return self.runtime.room(self.role, self.admitted.id if self.role == "director" else "")


class Gateway:
    """`posts_per_s`: of one town hall. `clock`: monotonic seconds; `wall`: unix seconds."""

    def __init__(
        self,
        directory: Directory,
        admission: Admission,
        executor: Executor,
        waiters: Waiters,
        *,
        posts_per_s: int = 500,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.directory = directory
        self.admission = admission
        self.executor = executor
        self._waiters = waiters
        self._clock = clock
        self._wall = wall
        self._posts = Buckets(limit("messages_per_10_s"), 10)
        self._floods = Buckets(posts_per_s, 1)
        self._supports = Buckets(limit("supports_per_10_s"), 10)
        self._staff = Buckets(limit("commands_per_10_s"), 10)
        self._hello: tuple[object, bytes] = (None, b"")
        """Of whom it was made last, and it."""
        self.draining = False

    async def find(self, code: str) -> Runtime | Refusal:
        """The town hall of a code as people type it."""
        now = self.find_now(code)
        if now is not None:
            return now
        try:
            typed = code.strip().upper()
            runtime = await self.directory.get(typed) if CODE.fullmatch(typed) else None
        except (StoreUnavailable, StoreRefused):
            return Refusal("not_saved", retry_after_ms=1_000)
        if runtime is None:
            return Refusal("unknown_hall", field="$.code")
        return Refusal("hall_stopped") if runtime.stopped else runtime

    def find_now(self, code: str) -> Runtime | Refusal | None:
        """The same without waiting; None: it is not here yet."""
        runtime = self.directory.here(code.strip().upper())
        return Refusal("hall_stopped") if runtime is not None and runtime.stopped else runtime

    async def join(self, role: Role, join: Join) -> Session | Refusal:
        """Admit somebody to the view of `role`."""
        now = self.join_now(role, join)
        if now is not None:
            return now
        runtime = await self.find(join.code)
        return runtime if isinstance(runtime, Refusal) else self._admit(runtime, role, join)

    def known_by(self, session: Session, address: bytes) -> Session:
        """Somebody who watches without a ticket, and asks over HTTP: known by the key of their address."""
        return Session(session.role, session.runtime, self.admission.watcher(address), session.lang, shared=True)

    def join_now(self, role: Role, join: Join) -> Session | Refusal | None:
        """The same without waiting; None: the town hall is not here yet."""
        if self.draining:
            return Refusal("draining", retry_after_ms=random.randint(*AGAIN_MS))
        runtime = self.find_now(join.code)
        return runtime if runtime is None or isinstance(runtime, Refusal) else self._admit(runtime, role, join)

    def _admit(self, runtime: Runtime, role: Role, join: Join) -> Session | Refusal:
        admitted = self.admission.admit(runtime.hall, runtime.author_key, role, join.token)
        if isinstance(admitted, Refusal):
            return admitted
        return Session(role, runtime, admitted, join.lang)

    def hello(self, session: Session, resumed: bool) -> bytes:
        """The first frame, JSON of `Hello`; made once for all who come in within a second, as they differ in nothing."""
        who, runtime, now = session.admitted, session.runtime, int(self._wall())
        you = You(who.id, who.name) if session.role in ("host", "director") else None
        asked = (runtime.code, session.role, session.lang, runtime.epoch, runtime.seq, resumed, now, you)
        if self._hello[0] != asked:
            made = Hello(
                protocol=PROTOCOL,
                code=runtime.code,
                role=session.role,
                lang=session.lang,
                epoch=runtime.epoch,
                seq=runtime.seq,
                resumed=resumed,
                now=now,
                you=you,
                limits={name: LIMITS[name].value for name in TOLD_LIMITS},
            )
            self._hello = (asked, wire.dumps(made))
        return self._hello[1]

    async def answer(self, session: Session, name: object, payload: object) -> Ack:
        """Execute a command or answer a query. Never raises."""
        try:
            result = await self._execute(session, name, payload)
        except Exception:
            # The number is all that a person needs to name it; the log has the rest, without text or author.
            number = secrets.token_hex(4)
            log.exception("internal", number=number, hall=session.runtime.code, command=str(name)[:40])
            result = Refusal("internal", {"id": number})
        if isinstance(name, str) and (name in COMMANDS or name in QUERIES):
            metrics.COMMANDS.labels(name).inc()
        return refused(result, session.lang) if isinstance(result, Refusal) else result

    async def _execute(self, session: Session, name: object, payload: object) -> Ack | Refusal:
        if not isinstance(name, str) or name not in names_for(session.role):
            known = isinstance(name, str) and (name in COMMANDS or name in QUERIES)
            return Refusal("not_allowed" if known else "unknown_command")
        if session.runtime.author_key is None:
            session.admitted.untie()
        gone = self.admission.still(session.runtime.hall, session.admitted)
        if gone is not None:
            return gone
        command = wire.command(name, payload)
        if isinstance(command, Refusal):
            return command
        if isinstance(command, ResumeView):
            return accepted()
        wait_s = self._wait_s(session, command)
        if wait_s:
            return Refusal("too_fast", retry_after_ms=int(wait_s * 1000) + 1)
        if isinstance(command, AwaitRound):
            told = await self._waiters.wait(session.runtime, command, session.admitted.sender.bucket, shared=session.shared)
            return told if isinstance(told, Refusal) else accepted(data=told)
        who = session.admitted.sender
        # Who may not write fills no room of those who may: they are refused by the rules.
        if isinstance(command, PostMessage) and barred(session.runtime.hall, who.actor) is None:
            if self._floods.take(session.runtime.code.encode(), self._clock()):
                return _flooded(AGAIN_MS)
        if isinstance(command, Command):
            bucket = who.bucket if session.role == "audience" else None
            done = await self.executor.execute(session.runtime, who.actor, who.dedupe(command.client_id), command, sender=bucket)
            if isinstance(done, Refusal):
                return _flooded(LONG_AGAIN_MS) if done.code == "chat_flooded" else done
            if isinstance(command, CloseHall):
                await self.directory.closed(session.runtime)
            return accepted(done.seq, done.state)
        data = await self.executor.query(session.runtime, who.actor, who.voter, command)
        return data if isinstance(data, Refusal) else accepted(data=data)

    def _wait_s(self, session: Session, command: Any) -> float:
        """Seconds that this sender should wait; never by address: a whole office shares one."""
        if session.shared:
            return 0.0  # all that they may ask has a bound of its own (awaiting.py)
        now, key = self._clock(), session.admitted.sender.bucket
        if session.role != "audience":
            return self._staff.take(key, now)
        if isinstance(command, PostMessage):
            return self._posts.take(key, now)
        return self._supports.take(key, now) if isinstance(command, SupportQuestion | Vote) else self._staff.take(key, now)


def _flooded(between_ms: tuple[int, int]) -> Refusal:
    """Many are told so at once: they must not all come back at once."""
    return Refusal("chat_flooded", retry_after_ms=random.randint(*between_ms))
