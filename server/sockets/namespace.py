"""The staff's namespaces on python-socketio: admission, joining the view, commands and their acknowledgements, leaving."""

from typing import Any

import msgspec
import socketio

from protocol import wire
from protocol.commands import Join
from protocol.names import Role
from protocol.refusals import Refusal
from server.fanout.forms import socket_io_form
from server.gateway.gateway import Gateway
from server.sockets.bridge import KEY, Bridge
from server.sockets.member import Member, told


class Namespace(socketio.AsyncNamespace):  # type: ignore[misc]  # the library has no types
    """The namespace of one role. Commands of one client are taken one after another (`async_handlers=False`)."""

    def __init__(self, role: Role, gateway: Gateway) -> None:
        super().__init__(f"/{role}")
        self._role = role
        self._gateway = gateway
        self._form = socket_io_form(f"/{role}", None)
        self._members: dict[str, Member] = {}

    async def trigger_event(self, event: str, *args: Any) -> Any:
        """All that python-socketio dispatches to this namespace; no method is found by a name from outside."""
        match event:
            case "connect":
                return await self._connect(*args)
            case "disconnect":
                return self._disconnect(args[0])
        sid, *payload = args
        member = self._members.get(sid)
        ack = await member.answer(event, payload[0] if len(payload) == 1 else None) if member is not None else None
        return None if ack is None else wire.plain(ack)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        bridge: Bridge = environ["asgi.scope"][KEY]
        try:
            join = msgspec.convert(auth, Join)
        except msgspec.ValidationError:
            raise _refusal(Refusal("bad_request", field="$.auth"), Join(code="")) from None
        session = await self._gateway.join(self._role, join)
        if isinstance(session, Refusal):
            raise _refusal(session, join)
        member = self._members[sid] = Member(bridge.connection, self._gateway, self._form)
        # Frames come after the answer to the CONNECT.
        bridge.joined[str(self.namespace)] = lambda: member.enter(session, join)

    def _disconnect(self, sid: str) -> None:
        member = self._members.pop(sid, None)
        if member is not None:
            member.connection.parted(member)


def _refusal(refusal: Refusal, join: Join) -> socketio.exceptions.ConnectionRefusedError:
    return socketio.exceptions.ConnectionRefusedError(*told(refusal, join.lang))
