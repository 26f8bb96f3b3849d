"""A client on a bare socket: says what it likes, when it likes, and reads frames."""

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

from loadtests.client import ticket
from tests.node.world import CODE, World

HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)


def frame(payload: bytes, opcode: int = 1, *, final: bool = True, rsv1: bool = False) -> bytes:
    """Masked with zeros."""
    first = (0x80 if final else 0) | (0x40 if rsv1 else 0) | opcode
    length = len(payload)
    if length < 126:
        return bytes((first, 0x80 | length)) + bytes(4) + payload
    return bytes((first, 0xFE)) + length.to_bytes(2, "big") + bytes(4) + payload


class RawSocket:
    """`head`: the answer to the handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = b""

    @classmethod
    async def connect(cls, url: str) -> "RawSocket":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    @classmethod
    async def open(cls, url: str, more: str = "") -> "RawSocket":
        """A WebSocket; the open packet is read."""
        raw = await cls.connect(url)
        await raw.upgrade(url, more)
        return raw

    async def upgrade(self, url: str, more: str = "") -> None:
        self.writer.write(HANDSHAKE.format(host=urlsplit(url).netloc, more=more).encode())
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        assert self.head.startswith(b"HTTP/1.1 101 "), self.head
        assert (await self.frame())[1].startswith(b"0{")

    async def join(self, world: World) -> None:
        """As a new participant; what comes with it is read up to the gauges."""
        auth = {"code": CODE, "token": await ticket(world.session, world.node.url, CODE)}
        self.send(b"40/audience," + json.dumps(auth).encode())
        while b'"gauges:changed"' not in (await self.frame())[1]:
            pass

    def send(self, payload: bytes) -> None:
        self.writer.write(frame(payload))

    async def frame(self) -> tuple[int, bytes]:
        """(first byte, payload)."""
        first, length = await self.reader.readexactly(2)
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        return first, await self.reader.readexactly(length)

    async def closed_with(self) -> int:
        """The code of the Close, which is answered; 0: the connection ended without one."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async with asyncio.timeout(20):
                while True:
                    first, payload = await self.frame()
                    if first & 0x0F == 8:
                        self.writer.write(frame(payload, 8))
                        return int.from_bytes(payload[:2], "big")
        return 0

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
