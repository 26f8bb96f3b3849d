"""One WebSocket of a client: reads its frames, checks what they hold, keeps Engine.IO's heartbeat, and ends it in time.

One small object: no task, no queue, no request behind it. Everybody who joins from it is a `Member`: of the audience, whose
Socket.IO is spoken here, or of the staff, whose Socket.IO is python-socketio's behind a `Bridge`.
"""

import asyncio
import random
import time
from typing import TYPE_CHECKING

from protocol.closings import CLOSINGS, comes_back
from protocol.limits import limit
from server.fanout.deflate import Deflate
from server.fanout.figures import figures
from server.fanout.heartbeat import PING_S, PONG_S
from server.fanout.rank import descriptor
from server.fanout.ready_frame import ready_frame
from server.fanout.room import SPREAD_MS
from server.sockets.audience import Audience
from server.sockets.bridge import Bridge
from server.sockets.frame_reader import BadFrame, FrameReader, Opcode, close_frame, closed_with, is_pong
from server.sockets.member import Member
from server.sockets.socket_io import Packet, new_sid, packet

if TYPE_CHECKING:
    from server.sockets.sockets import Sockets

PING = ready_frame(b"2")
"""Engine.IO v4: the server asks, the client answers `3`."""
_OPEN = b'0{"sid":"%%b","upgrades":[],"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}' % (
    PING_S * 1000,
    PONG_S * 1000,
    limit("staff_frame_bytes"),
)
BURST_S = 3.0
"""Frames of so many seconds may come at once (limits.frames_per_s)."""


class Connection(asyncio.Protocol):
    """`address`: opaque key of where it comes from. `deflate`: how frames to it may be compressed."""

    __slots__ = (
        "_audience",
        "_bridge",
        "_closing",
        "_free_at",
        "_pings",
        "_reader",
        "_sockets",
        "_transport",
        "address",
        "deflate",
        "members",
        "place",
        "stuck",
    )

    def __init__(self, sockets: "Sockets", transport: asyncio.Transport, address: bytes, deflate: Deflate | None) -> None:
        self._sockets = sockets
        self._transport = transport
        self.address = address
        self.deflate = deflate
        self._reader = FrameReader(limit("frame_bytes"), deflate=deflate is not None)
        self._audience: Audience | None = None
        self._bridge: Bridge | None = None
        self._closing = False
        self._free_at = 0.0
        self._pings = 0
        self.members: tuple[Member, ...] = ()
        self.place = -1
        self.stuck = False
        """Whether the client does not take what it was sent."""

    def begin(self, answer: bytes, rest: bytes) -> None:
        """`answer`: of the handshake. `rest`: what came behind it."""
        # 0: it says so at once when the kernel takes no more. What is shared is written in place, not copied.
        self._transport.set_write_buffer_limits(high=0)
        self._sockets.opened(self)
        self._transport.write(answer + ready_frame(_OPEN % new_sid()))
        if rest:
            self.data_received(rest)

    # --- what comes ---
    def data_received(self, data: bytes) -> None:
        if self._closing:
            # Only the answer to our Close is waited for; anything else is dropped unread.
            if data[0] & 0x0F == Opcode.CLOSE:
                self._transport.close()
            return
        if self._pings and is_pong(data) and not self._reader.midway:
            # Asked for, so it counts as no frame of theirs.
            self._pings = 0
            return
        whole = False
        try:
            for opcode, payload in self._reader.feed(data):
                # What comes between the fragments of a message does not finish it.
                whole = whole or not self._reader.in_fragments
                self._take(opcode, payload)
                if self._closing:
                    return
        except BadFrame as bad:
            return self.refuse(bad.code, bad.reason)
        if whole or not self._reader.midway:
            self._sockets.unfinished.discard(self)
        if self._reader.midway:
            self._sockets.unfinished.add(self)

    def _take(self, opcode: Opcode, payload: bytes) -> None:
        # The bucket as one number (GCRA): when it would be empty of frames again.
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + 1 / limit("frames_per_s")
        if self._free_at > now + BURST_S:
            raise BadFrame(3504, "too_many_frames")
        match opcode:
            case Opcode.TEXT:
                self._message(payload)
            case Opcode.BINARY:
                raise BadFrame(1003, "binary")
            case Opcode.PING if not self.stuck:
                self._transport.write(bytes((0x8A, len(payload))) + payload)
            case Opcode.CLOSE:
                figures.closes[1000] += 1
                self._end(close_frame(closed_with(payload)))
                self._transport.close()

    def _message(self, raw: bytes) -> None:
        if raw == b"3":
            if not self._pings:
                raise BadFrame(3501, "unasked_pong")
            self._pings = 0
        elif raw == b"1":
            self.close(1000)
        else:
            self._packet(raw, packet(raw, tuple(member.form.namespace for member in self.members)))

    def _packet(self, raw: bytes, found: Packet) -> None:
        if found.role != "audience":
            if self._bridge is None:
                self._bridge = Bridge(self._sockets.staff, self)
            return self._bridge.take(raw.decode())
        if found.kind == "connect":
            if self._audience is not None:
                raise BadFrame(3501, "malformed")
            self._audience = Audience(self, self._sockets.gateway)
            return self._sockets.joins.put(self._audience, found.data)
        assert self._audience is not None  # `not_joined` otherwise
        if found.kind == "leave":
            return self.close(1000)
        self._audience.take(found)

    # --- who is in ---
    @property
    def waits_to_join(self) -> bool:
        """Whether it has asked to join and we have not answered."""
        return self._audience is not None

    def holds(self, audience: Audience) -> bool:
        """Whether it is still there for `audience`, which waits to join."""
        return self._audience is audience and not self._closing

    def entered(self, member: Member) -> None:
        """Somebody joined from here."""
        if not self.members:
            self._sockets.joined(self)
        self.members = (*self.members, member)
        member.transport = self._transport
        member.descriptor = descriptor(self._transport)
        role = member.session.role
        figures.connections[role] += 1
        if role in ("host", "director"):
            self._reader.most = limit("staff_frame_bytes")

    def parted(self, member: Member) -> None:
        """A member of the staff left its namespace; a connection for nobody is not kept."""
        if member in self.members:
            self.members = tuple(other for other in self.members if other is not member)
            figures.connections[member.session.role] -= 1
            member.left()
            if not self.members:
                figures.connections["none"] += 1
                self.close(1000)

    def not_admitted(self) -> None:
        """The audience did not let it in; it may ask again."""
        self._audience = None

    # --- what goes ---
    def write(self, ready: bytes) -> None:
        """Ready bytes, if there is still somebody to read them."""
        if not self._closing:
            self._transport.write(ready)

    def ping(self) -> None:
        if not self.stuck:
            self._pings = 1
            self._transport.write(PING + b"".join(member.position() for member in self.members))

    def check(self) -> None:
        # Whoever is stuck is closed as slow: its room sees to that.
        if self._pings and not self.stuck:
            self.refuse(3002, "silent")

    def pause_writing(self) -> None:
        self.stuck = True
        for member in self.members:
            member.session.room.stuck(member)

    def resume_writing(self) -> None:
        self.stuck = False
        for member in self.members:
            member.session.room.drained(member)
        if self._audience is not None:
            self._audience.go_on()
        if self._bridge is not None:
            self._bridge.go_on()

    # --- the end ---
    def refuse(self, code: int, reason: str) -> None:
        """It is not worth keeping. Who has joined is told with a Bye first; who has not, is a stranger."""
        figures.refused[reason] += 1
        if not self.stuck:
            told = code if code in CLOSINGS else 3501
            for member in self.members:
                member.say_bye(told, random.randint(200, SPREAD_MS) if comes_back(told) else None)
        self.close(code, reason)

    def close(self, code: int, reason: str = "") -> None:
        """Close with `code`; nothing more is read. Whoever does not answer that, or does not read it, is cut off."""
        if not self._closing:
            figures.closes[code] += 1
            self._end(close_frame(code, reason))

    def _end(self, last: bytes) -> None:
        self._transport.write(last)
        self._closing = True
        self._sockets.closing.add(self)
        self._leave()

    def cut(self) -> None:
        """End it now, whatever is still to be written."""
        self._transport.abort()

    def _leave(self) -> None:
        self._sockets.left(self)
        for member in self.members:
            figures.connections[member.session.role] -= 1
            member.left()
        self.members = ()
        if self._audience is not None:
            self._audience.ended()
        if self._bridge is not None:
            self._bridge.ended()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._leave()
        self._sockets.lost(self)
