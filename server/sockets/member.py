"""Somebody who has joined a view over a WebSocket: what the audience and the staff have in common."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from protocol import wire
from protocol.commands import Join, ResumeView
from protocol.frames import BYE, JOINED, Ack
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import REFUSALS, Refusal
from server.answers import bye, refused
from server.buckets import Bucket
from server.fanout.forms import SocketIoForm
from server.fanout.position import position
from server.fanout.viewer import GONE, Viewer
from server.gateway.gateway import Gateway, Session

if TYPE_CHECKING:
    from server.sockets.connection import Connection


class Member(Viewer):
    """`session` is there from `enter` on."""

    __slots__ = ("_bad_requests", "_gateway", "_released", "connection", "session")

    form: SocketIoForm
    session: Session

    def __init__(self, connection: "Connection", gateway: Gateway, form: SocketIoForm) -> None:
        super().__init__(GONE, form)
        self.connection = connection
        self._gateway = gateway
        self._bad_requests: Bucket | None = None
        self._released: Callable[[], None] | None = None

    def enter(self, session: Session, join: Join, acknowledged: bytes = b"") -> None:
        """Into the room, in one synchronous step. `acknowledged`: Socket.IO's answer to the CONNECT."""
        self.session = session
        link = session.admitted.link
        if link is not None:
            self._released = session.runtime.hold(link, self.bye)
        since = (join.since.epoch, join.since.seq) if join.since else None
        room = session.room
        hello = self._gateway.hello(session, room.resumable(since))
        self.connection.entered(self)
        room.join(self, since, acknowledged + self.form.ready(JOINED, hello, ""))

    async def answer(self, name: str, payload: Any) -> Ack | None:
        """Of a command; None: this was one too many, and the connection is closed."""
        session = self.session
        if session.role == "overlay" and name != "view:resume":
            self.bye(3507, None)
            return None
        ack = await self._gateway.answer(session, name, payload)
        if ack.error is not None and ack.error.code in ("bad_request", "unknown_command", "not_allowed"):
            if self._bad_requests is None:
                self._bad_requests = Bucket(limit("bad_requests_per_10_s"), 10, time.monotonic())
            if self._bad_requests.take(time.monotonic()):
                self.bye(3501, None)
                return None
        elif name == "view:resume" and self in self.connection.members:
            asked = wire.command(name, payload)
            if isinstance(asked, ResumeView):
                session.room.resume(self, (asked.since.epoch, asked.since.seq))
        return ack

    def left(self) -> None:
        """Out of the room; its link, if it came by one, holds nothing here any more."""
        self.session.room.leave(self)
        if self._released is not None:
            self._released()

    def flows(self) -> bool:
        return not self.connection.stuck

    def position(self) -> bytes:
        """Ready bytes of where it should stand."""
        return position(self, self.session.runtime.epoch)

    def untie(self) -> None:
        self.session.admitted.untie()

    def bye(self, code: int, come_back_after_ms: int | None) -> None:
        self.say_bye(code, come_back_after_ms)
        self.connection.close(code)

    def say_bye(self, code: int, come_back_after_ms: int | None) -> None:
        """Say why it ends; the connection ends afterwards."""
        words = bye(code, come_back_after_ms, self.session.lang)
        self.connection.write(self.form.ready(BYE, wire.dumps(words), ""))


def told(refusal: Refusal, lang: Language) -> tuple[str, dict[str, Any]]:
    """CONNECT_ERROR's sentence and data: what a Bye would say. The client knows whether and when to come back."""
    error = refused(refusal, lang).error
    assert error is not None
    come_back = (refusal.retry_after_ms or 1_000) if REFUSALS[refusal.code].temporary else None
    return error.message, {"code": error.code, "message": error.message, "come_back_after_ms": come_back}
