"""The audience's Socket.IO (v5, one namespace): joining, commands and their acknowledgements, one after the other."""

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from protocol import wire
from protocol.commands import Join
from protocol.limits import limit
from protocol.refusals import Refusal
from server.fanout.forms import socket_io_form
from server.fanout.ready_frame import ready_frame
from server.gateway.gateway import Gateway, Session
from server.sockets.member import Member, told
from server.sockets.socket_io import Packet, new_sid

if TYPE_CHECKING:
    from server.sockets.connection import Connection

log = structlog.get_logger()

NAMESPACE = "/audience"


class Audience(Member):
    """A participant. While nothing is asked there is neither a task nor a queue."""

    __slots__ = ("_task", "_waiting")

    def __init__(self, connection: "Connection", gateway: Gateway) -> None:
        # Of all that may share a connection only this is compressed: its frames refer to each other and to nothing else.
        super().__init__(connection, gateway, socket_io_form(NAMESPACE, connection.deflate))
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[Packet] | None = None

    # --- joining ---
    def admit(self, auth: Any) -> None:
        """Its turn has come (`JoinQueue`)."""
        try:
            join = msgspec.convert(auth, Join)
        except msgspec.ValidationError:
            return self.refuse(Refusal("bad_request", field="$.auth"), Join(code=""))
        session = self._gateway.join_now("audience", join)
        if session is None:
            self._task = asyncio.create_task(self._admit_later(join))
        else:
            self._admitted(session, join)

    async def _admit_later(self, join: Join) -> None:
        """The town hall has to be loaded first."""
        session: Session | Refusal
        try:
            session = await self._gateway.join("audience", join)
        except Exception:
            number = secrets.token_hex(4)
            log.exception("internal", number=number, command="join")
            session = Refusal("internal", {"id": number})
        self._task = None
        self._admitted(session, join)

    def _admitted(self, session: Session | Refusal, join: Join) -> None:
        if isinstance(session, Refusal):
            self.refuse(session, join)
        elif self.connection.holds(self):
            self.enter(session, join, ready_frame(b'40/audience,{"sid":"%b"}' % new_sid()))

    def refuse(self, refusal: Refusal, join: Join) -> None:
        """CONNECT_ERROR: says why, and when to come back."""
        message, data = told(refusal, join.lang)
        self.connection.write(ready_frame(b"44/audience," + wire.dumps({"message": message, "data": data})))
        self.connection.not_admitted()

    # --- commands ---
    def take(self, packet: Packet) -> None:
        """A command; it waits while another is being answered."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(packet)
        if len(self._waiting) > limit("commands_waiting"):
            return self.connection.refuse(3504, "too_many_commands")
        self.go_on()

    def go_on(self) -> None:
        """Answer what waits, unless the last answers are still on their way."""
        if self._waiting and self._task is None and not self.connection.stuck:
            self._task = asyncio.create_task(self._answer_waiting())

    async def _answer_waiting(self) -> None:
        while self._waiting and not self.connection.stuck:
            packet = self._waiting.popleft()
            name, *payload = packet.data
            ack = await self.answer(name, payload[0] if len(payload) == 1 else None)
            if ack is not None and packet.id:
                self.connection.write(ready_frame(b"43/audience,%b[%b]" % (packet.id.encode(), wire.dumps(ack))))
        self._waiting = self._waiting or None
        self._task = None

    def ended(self) -> None:
        """The connection is gone: what was begun is finished, what waited is dropped."""
        self._waiting = None
