"""How the same news becomes bytes for each kind of connection; made once for each flush and kind, not for each viewer."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from protocol import wire
from protocol.frames import CHANGED, RESET
from server.fanout.deflate import Deflate, deflated
from server.fanout.ready_frame import ready_frame


class Form(Protocol):
    """A kind of connection. One object a kind: those who have the same one share the same bytes."""

    def __hash__(self) -> int: ...
    def ready(self, name: str, body: bytes, position: str, before: bytes = b"") -> bytes:
        """What is written to the transport for news `name` with JSON `body`; `position` is `EPOCH-SEQ`.

        `before`: what `kept` said of the last frames, if everybody for whom this is made got just these last.
        """

    def kept(self, body: bytes) -> bytes:
        """What the next frame may refer to after the frame `body`; b"": nothing."""

    def aside(self, name: str, body: bytes) -> bytes:
        """As `ready`, of what is neither compressed nor referred to nor a place to resume from."""


@dataclass(frozen=True, slots=True, eq=False)
class SocketIoForm:
    """Socket.IO over a WebSocket, on one namespace. Made by `socket_io_form`."""

    namespace: str
    deflate: Deflate | None = None

    def ready(self, name: str, body: bytes, position: str, before: bytes = b"") -> bytes:
        packet = wire.packet(self.namespace, name, body)
        # Frames and snapshots only: what else is sent in between leaves the client's window as it is.
        if self.deflate is None or name not in (CHANGED, RESET):
            return ready_frame(packet)
        return ready_frame(deflated(packet, before), compressed=True)

    def aside(self, name: str, body: bytes) -> bytes:
        return ready_frame(wire.packet(self.namespace, name, body))

    def kept(self, body: bytes) -> bytes:
        return wire.packet(self.namespace, CHANGED, body) if self.deflate is not None and self.deflate.follows else b""


@cache
def socket_io_form(namespace: str, deflate: Deflate | None) -> SocketIoForm:
    """The form of that kind; as many as there are namespaces and ways to compress."""
    return SocketIoForm(namespace, deflate)


@dataclass(frozen=True, slots=True, eq=False)
class StreamForm:
    """Server-Sent Events in HTTP/1.1 chunks (RFC 9112, 7.1)."""

    def ready(self, name: str, body: bytes, position: str, before: bytes = b"") -> bytes:
        item = wire.stream_item(name, body, position)
        return b"%x\r\n%b\r\n" % (len(item), item)

    def aside(self, name: str, body: bytes) -> bytes:
        return self.ready(name, body, "")

    def kept(self, body: bytes) -> bytes:
        return b""


STREAM = StreamForm()
