"""The protocol on the listening socket: a WebSocket for Socket.IO becomes a connection of ours, what is asked of the built
pages is answered here, and all else is aiohttp's.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from server.fanout.deadlines import Deadlines
from server.front.door import Door
from server.front.files import Files
from server.front.handshake import PATH, Asked
from server.front.head import HEAD_MAX, parse
from server.sockets.sockets import Sockets

_OURS = b"GET " + PATH.encode()
_ASK = (b"GET /", b"HEAD /")
_END = b"\r\n\r\n"
FILE_S = 60.0
"""How long a client may take to read what it asked for."""


class Desk:
    """What all fronts of a listening socket share.

    `http`: makes aiohttp's protocol (`web.AppRunner.server`). `head_s`: a connection that has not sent its first bytes, or the
    whole head of a handshake or of a request for a file, by then is cut; so is one that idles between two.
    """

    def __init__(
        self,
        sockets: Sockets,
        door: Door,
        files: Files,
        http: Callable[[], asyncio.BaseProtocol],
        head_s: Callable[[], float],
    ) -> None:
        self.door = door
        self.files = files
        self.http = http
        self.heads: Deadlines[Front] = Deadlines(head_s, lambda front: front.cut())
        self.reads: Deadlines[Front] = Deadlines(lambda: FILE_S, lambda front: front.cut())
        sockets.also_look_at(self.heads)
        sockets.also_look_at(self.reads)

    def __call__(self) -> "Front":
        return Front(self)


class Front(asyncio.Protocol):
    """A connection whose kind is not known yet, or that has asked for files only."""

    __slots__ = ("_closing", "_desk", "_rest", "_stuck", "_transport")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rest = b""
        self._stuck = False
        self._closing = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._desk.heads.add(self)

    def data_received(self, data: bytes) -> None:
        self._rest = self._rest + data if self._rest else data
        self._go_on()

    def _go_on(self) -> None:
        """Answer what has come whole, one request after the other, as long as the answers are taken."""
        while self._rest and not self._stuck and not self._closing:
            if not self._answered():
                return

    def _answered(self) -> bool:
        """Whether the first of what has come was answered; False: more must come, or it is another's from here on."""
        rest = self._rest
        if not rest.startswith(_ASK):
            if not any(ask.startswith(rest) for ask in _ASK):
                self._to_http()
            return False
        ours = rest[: len(_OURS)] == _OURS[: len(rest)]
        if not ours:
            # Its path alone tells whether it is worth waiting for the rest.
            start = rest.index(b"/")
            target = rest.find(b" ", start)
            if target >= 0 and not self._desk.files.takes(rest[start:target].decode("latin-1")):
                self._to_http()
                return False
        end = rest.find(_END) + len(_END)
        whole = end >= len(_END)
        if (end if whole else len(rest)) > HEAD_MAX:
            self._to_http()
            return False
        if not whole:
            return False
        return self._opened(end) if ours else self._filed(end)

    def _opened(self, end: int) -> bool:
        """A handshake: what is on this connection is not ours to read any more."""
        assert self._transport is not None
        door, head = self._desk.door, parse(self._rest[:end])
        address = door.address(head, self._transport) if head is not None else b""
        found = door.opens(head, address) if head is not None else None
        if isinstance(found, Asked):
            self._desk.heads.discard(self)
            door.open(self._transport, address, found, self._rest[end:])
        else:
            self._to_http()
        return False

    def _filed(self, end: int) -> bool:
        assert self._transport is not None
        head = parse(self._rest[:end])
        answer = self._desk.files.answer(head) if head is not None else None
        if answer is None:
            self._to_http()
            return False
        ready, goes_on = answer
        self._rest = self._rest[end:]
        self._desk.heads.discard(self)
        self._desk.heads.add(self)
        # 0: it says so at once when the kernel takes no more. What is shared is written in place, not copied.
        self._transport.set_write_buffer_limits(high=0)
        self._transport.write(ready)
        if not goes_on:
            self._closing = True
            self._transport.close()
        return True

    def _to_http(self) -> None:
        """aiohttp reads from here on, with its own bounds and answers."""
        assert self._transport is not None
        self._desk.heads.discard(self)
        self._transport.set_write_buffer_limits()
        http = cast(asyncio.Protocol, self._desk.http())
        self._transport.set_protocol(http)
        http.connection_made(self._transport)
        http.data_received(self._rest)
        self._rest = b""

    # --- who does not read ---
    def pause_writing(self) -> None:
        self._stuck = True
        self._desk.heads.discard(self)
        self._desk.reads.add(self)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._stuck = False
        self._desk.reads.discard(self)
        self._desk.heads.add(self)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._go_on()

    # --- the end ---
    def cut(self) -> None:
        """It took too long."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._desk.heads.discard(self)
        self._desk.reads.discard(self)
