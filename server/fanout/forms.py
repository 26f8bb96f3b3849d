"""How the same news becomes bytes for each kind of connection; made once for each flush and kind, not for each viewer."""

from dataclasses import dataclass
from typing import Protocol

from protocol import wire
from server.fanout.ready_frame import ready_frame


class Form(Protocol):
    """A kind of connection. Equal forms share the same bytes."""

    def ready(self, name: str, body: bytes, position: str) -> bytes:
        """What is written to the transport for news `name` with JSON `body`; `position` is `EPOCH-SEQ`."""


@dataclass(frozen=True, slots=True)
class SocketIoForm:
    """Socket.IO over a WebSocket, on one namespace."""

    namespace: str

    def ready(self, name: str, body: bytes, position: str) -> bytes:
        return ready_frame(wire.packet(self.namespace, name, body))


@dataclass(frozen=True, slots=True)
class StreamForm:
    """Server-Sent Events in HTTP/1.1 chunks (RFC 9112, 7.1)."""

    def ready(self, name: str, body: bytes, position: str) -> bytes:
        item = wire.stream_item(name, body, position)
        return b"%x\r\n%b\r\n" % (len(item), item)
