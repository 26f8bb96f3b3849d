"""A connection that costs little: a WebSocket client as one asyncio.Protocol, with what a test needs and no more."""

import asyncio
from typing import Final

from loadtests.reading import Inflate

HEAD_BYTES: Final = 8_192
UPGRADE: Final = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
DEFLATE: Final = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
"""As browsers offer it."""
PATH: Final = "/socket.io/?EIO=4&transport=websocket"


class LeanSocket(asyncio.Protocol):
    """Subclasses say what a text is for. Server frames are taken as RFC 6455 has them: whole, unmasked."""

    __slots__ = ("_inflate", "_rest", "_up", "bytes", "pings", "transport")

    def __init__(self) -> None:
        self._rest = b""
        self._up = False
        self._inflate: Inflate | None = None
        self.bytes = self.pings = 0
        self.transport: asyncio.Transport | None = None

    # --- what subclasses fill in ---
    def request(self) -> bytes:
        """The head of the upgrade."""
        raise NotImplementedError

    def text(self, payload: bytes) -> None:
        """A text frame, inflated if it was compressed."""
        raise NotImplementedError

    def ended(self, status: int) -> None:
        """The connection is over. `status`: HTTP's if the upgrade was refused, else 0."""
        raise NotImplementedError

    # --- asyncio's ---
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request())

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self.transport = None
            self.ended(0)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if self._rest:
            data = self._rest + data
        self._rest = b""
        if not self._up:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head[:HEAD_BYTES]
                return
            if not head.startswith(b"HTTP/1.1 101"):
                return self._refused(head)
            self._up = True
        self._frames(data)

    def _refused(self, head: bytes) -> None:
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.abort()
            self.ended(int(head[9:12]) if head[9:12].isdigit() else 0)

    def _frames(self, data: bytes) -> None:
        at, end = 0, len(data)
        while end - at >= 2:
            length, head = data[at + 1], 2
            if length > 125:
                head = 4 if length == 126 else 10
                if end - at < head:
                    break
                length = int.from_bytes(data[at + 2 : at + head], "big")
            if end - at < head + length:
                break
            self._frame(data[at], data[at + head : at + head + length])
            at += head + length
        self._rest = data[at:]

    def _frame(self, first: int, payload: bytes) -> None:
        if first & 0x40:
            if self._inflate is None:
                self._inflate = Inflate()
            payload = self._inflate(payload)
        match first & 0x0F:
            case 1 if payload == b"2":
                self.pings += 1
                self.send(b"3")
            case 1:
                self.text(payload)
            case 9:
                self._send(0x8A, payload)
            case 8 if self.transport is not None:
                self.transport.close()

    def send(self, text: bytes) -> None:
        """One text frame; nothing happens if the connection is over."""
        self._send(0x81, text)

    def _send(self, first: int, payload: bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        length = len(payload)
        size = bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
        # Masked, as a client must, with a key of zeros: there is no proxy here to protect (RFC 6455, 10.3).
        self.transport.write(bytes((first,)) + size + bytes(4) + payload)
