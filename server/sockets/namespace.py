"""What all roles share on Socket.IO: admission, joining the view, commands and their acknowledgements, leaving."""

import time
from typing import Any

import msgspec
import socketio
import structlog

from protocol import wire
from protocol.commands import Join, ResumeView
from protocol.frames import BYE, JOINED
from protocol.limits import limit
from protocol.names import Role
from protocol.refusals import REFUSALS, Refusal
from server.answers import bye, refused
from server.buckets import Bucket
from server.fanout.forms import SocketIoForm
from server.fanout.viewer import Viewer
from server.gateway.gateway import Gateway, Session
from server.sockets.guard import GuardedWebSocket

log = structlog.get_logger()


class Connection:
    """One client in one namespace."""

    def __init__(self, namespace: str, socket: GuardedWebSocket, session: Session) -> None:
        assert socket.transport is not None
        self.session = session
        self.socket = socket
        self.form = SocketIoForm(namespace)
        self.viewer = Viewer(socket.transport, self.form, self.close)
        link = session.admitted.actor.link
        self.released = session.runtime.hold(link, self.close) if link is not None else _nothing
        self.bad_requests = Bucket(limit("bad_requests_per_10_s"), 10, time.monotonic())

    def close(self, code: int, come_back_after_ms: int | None) -> None:
        """Say why, then end the connection."""
        self.session.room.leave(self.viewer)
        words = bye(code, come_back_after_ms, self.session.lang)
        self.viewer.write(self.form.ready(BYE, wire.dumps(words), ""))
        self.socket.abort()


class Namespace(socketio.AsyncNamespace):  # type: ignore[misc]  # the library has no types
    """The namespace of one role. Commands of one client are taken one after another (`async_handlers=False`)."""

    def __init__(self, role: Role, gateway: Gateway) -> None:
        super().__init__(f"/{role}")
        self._role = role
        self._gateway = gateway
        self._connections: dict[str, Connection] = {}

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """All that python-socketio dispatches to this namespace; no method is found by a name from outside."""
        match event:
            case "connect":
                return await self._connect(*args)
            case "disconnect":
                return self._disconnect(args[0])
        sid, *payload = args
        return await self._command(sid, event, payload[0] if len(payload) == 1 else None)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        socket: GuardedWebSocket = environ["townhall.socket"]
        try:
            join = msgspec.convert(auth, Join)
        except msgspec.ValidationError:
            raise _refusal(Refusal("bad_request", field="$.auth"), Join(code="")) from None
        session = await self._gateway.join(self._role, join)
        if isinstance(session, Refusal):
            raise _refusal(session, join)
        connection = Connection(str(self.namespace), socket, session)
        since = (join.since.epoch, join.since.seq) if join.since else None

        def begin() -> None:
            room = session.room
            hello = self._gateway.hello(session, room.resumable(since))
            connection.viewer.write(connection.form.ready(JOINED, wire.dumps(hello), ""))
            room.join(connection.viewer, since)

        self._connections[sid] = connection
        socket.joined[str(self.namespace)] = begin

    def _disconnect(self, sid: str) -> None:
        connection = self._connections.pop(sid, None)
        if connection is not None:
            connection.released()
            connection.session.room.leave(connection.viewer)

    async def _command(self, sid: str, name: str, payload: Any) -> Any:
        connection = self._connections.get(sid)
        if connection is None:
            return None
        session = connection.session
        if self._role == "overlay" and name != "view:resume":
            connection.close(3507, None)
            return None
        ack = await self._gateway.answer(session, name, payload)
        if ack.error is not None and ack.error.code in ("bad_request", "unknown_command", "not_allowed"):
            if connection.bad_requests.take(time.monotonic()):
                connection.close(3501, None)
                return None
        elif name == "view:resume":
            asked = wire.command(name, payload)
            if isinstance(asked, ResumeView):
                session.room.resume(connection.viewer, (asked.since.epoch, asked.since.seq))
        return wire.plain(ack)


def _nothing() -> None:
    """Nobody to release: not here by a link."""


def _refusal(refusal: Refusal, join: Join) -> socketio.exceptions.ConnectionRefusedError:
    """CONNECT_ERROR with what a Bye would say: the client knows whether and when to come back."""
    error = refused(refusal, join.lang).error
    assert error is not None
    come_back = (refusal.retry_after_ms or 1_000) if REFUSALS[refusal.code].temporary else None
    return socketio.exceptions.ConnectionRefusedError(
        error.message, {"code": error.code, "message": error.message, "come_back_after_ms": come_back}
    )
