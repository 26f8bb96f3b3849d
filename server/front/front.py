"""The protocol on the listening socket: a WebSocket for Socket.IO becomes a connection of ours, what is asked of the built
pages and of the entrance is answered here, and all else is aiohttp's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from server.fanout.deadlines import Deadlines
from server.front.asks import Asked, Asks
from server.front.door import Door
from server.front.files import Files
from server.front.handshake import PATH
from server.front.handshake import Asked as Handshake
from server.front.head import HEAD_MAX, parse
from server.http import body
from server.http.run import ENDS_S
from server.sockets.sockets import Sockets
from server.tasks import end
from server.turns import Turns

_OURS = b"GET " + PATH.encode()
_ASK = (b"GET /", b"POST /", b"HEAD /")
_END = b"\r\n\r\n"
FILE_S = 60.0
"""How long a client may take to read what it asked for."""


class Desk:
    """What all fronts of a listening socket share.

    `http`: makes aiohttp's protocol (`web.AppRunner.server`). `head_s`: a connection that has not sent its first bytes, or the
    whole head of a request that is answered here, by then is cut; so is one that idles between two.
    """

    def __init__(
        self,
        sockets: Sockets,
        door: Door,
        files: Files,
        asks: Asks,
        http: Callable[[], asyncio.BaseProtocol],
        head_s: Callable[[], float],
    ) -> None:
        self.door = door
        self.files = files
        self.asks = asks
        self.http = http
        self.heads: Deadlines[Front] = Deadlines(head_s, lambda front: front.cut())
        self.reads: Deadlines[Front] = Deadlines(lambda: FILE_S, lambda front: front.cut())
        self.bodies: Deadlines[Front] = Deadlines(lambda: body.BODY_S, lambda front: front.too_late())
        self.handshakes: Turns[tuple[Front, int]] = Turns(lambda asked: asked[0].open(asked[1]))
        """With where their heads end. As many as there are fronts: each has one at a time."""
        self._answering: set[asyncio.Task[None]] = set()
        for deadlines in (self.heads, self.reads, self.bodies):
            sockets.also_look_at(deadlines)

    def __call__(self) -> "Front":
        return Front(self)

    def later(self, answering: Coroutine[Any, Any, None]) -> None:
        """See to an answer that has to be waited for. As many as there are fronts: each has one at a time."""
        task = asyncio.create_task(answering, name="asked")
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def stop(self) -> None:
        """Wait for the answers that are being made, as long as they may take."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=ENDS_S)
        await end(self._answering)


class Front(asyncio.Protocol):
    """A connection whose kind is not known yet, or that has asked for nothing but what is answered here."""

    __slots__ = ("_asked", "_busy", "_closing", "_desk", "_rest", "_stuck", "_transport")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rest = b""
        self._asked: Asked | None = None
        self._busy = False
        self._stuck = False
        self._closing = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._desk.heads.add(self)

    def data_received(self, data: bytes) -> None:
        self._rest = self._rest + data if self._rest else data
        if not self._busy:
            self._go_on()
        elif len(self._rest) > HEAD_MAX and self._transport is not None:
            self._transport.pause_reading()

    def _go_on(self) -> None:
        """Answer what has come whole, one request after the other, as long as the answers are taken."""
        while not (self._busy or self._stuck or self._closing):
            if self._asked is not None:
                if len(self._rest) < self._asked.length:
                    return
                self._answer(self._asked)
            elif not self._rest or not self._begun():
                return

    def _begun(self) -> bool:
        """Whether there is more to do for what has come; False: more must come, or it is another's from here on."""
        rest, desk = self._rest, self._desk
        if not rest.startswith(_ASK):
            if not any(ask.startswith(rest) for ask in _ASK):
                self._to_http()
            return False
        ours = rest[: len(_OURS)] == _OURS[: len(rest)]
        if not ours:
            # Its path alone tells whether it is worth waiting for the rest.
            start = rest.index(b"/")
            end_of_target = rest.find(b" ", start)
            if end_of_target >= 0:
                target = rest[start:end_of_target].decode("latin-1")
                if not (desk.asks.takes(target) or desk.files.takes(target)):
                    self._to_http()
                    return False
        end = rest.find(_END) + len(_END)
        whole = end >= len(_END)
        if (end if whole else len(rest)) > HEAD_MAX:
            self._to_http()
            return False
        if not whole:
            return False
        if not ours:
            return self._taken(end)
        self._busy = True
        desk.handshakes.put((self, end))
        return False

    def open(self, end: int) -> None:
        """A handshake whose turn has come: what is on this connection is not ours to read any more."""
        if self._transport is None or self._closing:
            return
        waited_for_us = len(self._rest) > HEAD_MAX
        door, head = self._desk.door, parse(self._rest[:end])
        address = door.address(head, self._transport) if head is not None else b""
        found = door.opens(head, address) if head is not None else None
        if isinstance(found, Handshake):
            self._desk.heads.discard(self)
            door.open(self._transport, address, found, self._rest[end:])
        else:
            self._to_http()
        if waited_for_us and not self._transport.is_closing():
            self._transport.resume_reading()

    def _taken(self, end: int) -> bool:
        """A request whose head is there: for a file, or for something that a body may belong to."""
        head = parse(self._rest[:end])
        asked = self._desk.asks.asked(head) if head is not None else None
        if asked is not None:
            self._asked = asked
            self._rest = self._rest[end:]
            if len(self._rest) < asked.length:
                self._desk.heads.discard(self)
                self._desk.bodies.add(self)
            return True
        answer = self._desk.files.answer(head) if head is not None else None
        if answer is None:
            self._to_http()
            return False
        self._rest = self._rest[end:]
        self._write(*answer)
        return True

    def _answer(self, asked: Asked) -> None:
        """It is whole."""
        self._asked = None
        self._desk.bodies.discard(self)
        body, self._rest = self._rest[: asked.length], self._rest[asked.length :]
        found = self._desk.asks.answer(asked, body, self._transport)
        if isinstance(found, bytes):
            return self._write(found, asked.keeps)
        self._busy = True
        self._desk.heads.discard(self)
        self._desk.later(self._answer_later(found, asked))

    async def _answer_later(self, coming: Coroutine[Any, Any, bytes], asked: Asked) -> None:
        ready = await coming
        self._busy = False
        if self._transport is None or self._closing:
            return
        self._write(ready, asked.keeps)
        if not (self._stuck or self._closing):
            self._transport.resume_reading()
            self._go_on()

    def _write(self, ready: bytes, goes_on: bool) -> None:
        """A whole answer; from now on the next request is waited for, unless it does not go on."""
        assert self._transport is not None
        self._desk.heads.discard(self)
        self._desk.heads.add(self)
        # 0: it says so at once when the kernel takes no more. What is shared is written in place, not copied.
        self._transport.set_write_buffer_limits(high=0)
        self._transport.write(ready)
        if not goes_on:
            self._closing = True
            self._transport.close()

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
    def too_late(self) -> None:
        """The body has not come."""
        if self._asked is not None and not self._closing:
            self._write(self._desk.asks.too_late(self._asked), goes_on=False)

    def cut(self) -> None:
        """It took too long."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        for deadlines in (self._desk.heads, self._desk.reads, self._desk.bodies):
            deadlines.discard(self)
