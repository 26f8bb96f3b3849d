"""The protocol on the listening socket: a WebSocket for Socket.IO becomes a connection of ours; all else is aiohttp's."""

import asyncio
from collections.abc import Callable
from typing import cast

from server.fanout.deadlines import Deadlines
from server.front.door import Door
from server.front.handshake import PATH, Asked
from server.front.head import HEAD_MAX, parse
from server.sockets.sockets import Sockets

_OURS = b"GET " + PATH.encode()
_END = b"\r\n\r\n"


class Desk:
    """What all fronts of a listening socket share.

    `http`: makes aiohttp's protocol (`web.AppRunner.server`). `head_s`: a connection that has not sent its first bytes, or the
    whole head of a handshake, by then is cut.
    """

    def __init__(
        self, sockets: Sockets, door: Door, http: Callable[[], asyncio.BaseProtocol], head_s: Callable[[], float]
    ) -> None:
        self.door = door
        self.http = http
        self.heads: Deadlines[Front] = Deadlines(head_s, lambda front: front.cut())
        sockets.also_look_at(self.heads)

    def __call__(self) -> "Front":
        return Front(self)


class Front(asyncio.Protocol):
    """A connection whose kind is not known yet."""

    __slots__ = ("_desk", "_head", "_transport")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._head = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._desk.heads.add(self)

    def data_received(self, data: bytes) -> None:
        head = self._head = self._head + data if self._head else data
        if head[: len(_OURS)] != _OURS[: len(head)]:
            return self._to_http()
        end = head.find(_END) + len(_END)
        if end >= len(_END):
            return self._decide(end)
        if len(head) > HEAD_MAX:
            self._to_http()

    def _decide(self, end: int) -> None:
        assert self._transport is not None
        door, head = self._desk.door, parse(self._head[:end])
        if head is None:
            return self._to_http()
        address = door.address(head, self._transport)
        found = door.opens(head, address)
        if not isinstance(found, Asked):
            return self._to_http()
        self._desk.heads.discard(self)
        door.open(self._transport, address, found, self._head[end:])

    def _to_http(self) -> None:
        """aiohttp reads from the first byte, with its own bounds and answers."""
        assert self._transport is not None
        self._desk.heads.discard(self)
        http = cast(asyncio.Protocol, self._desk.http())
        self._transport.set_protocol(http)
        http.connection_made(self._transport)
        http.data_received(self._head)

    def cut(self) -> None:
        """It took too long."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._desk.heads.discard(self)
