"""Reads a client's WebSocket frames (RFC 6455, 5): masked, whole or in fragments, bounded in bytes and in count.

Ours, because it has to cost nothing while nothing comes and to refuse a frame by its header alone; it is compared frame
by frame with wsproto in tests/fanout.
"""

from collections.abc import Iterator
from enum import IntEnum

from server.fanout.deflate import BadDeflate, TooBig, inflated

FRAGMENTS_MAX = 64
"""Frames that one message may come in."""


class Opcode(IntEnum):
    """RFC 6455, 11.8."""

    MORE = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class BadFrame(Exception):
    """The connection is not worth keeping. `code` is what it is closed with, `reason` what is counted."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class FrameReader:
    """`most`: bytes of a message, before and after inflating. `deflate`: whether compressed messages were agreed on."""

    __slots__ = ("_deflate", "_opcode", "_parts", "_rest", "_squeezed", "most")

    def __init__(self, most: int, *, deflate: bool) -> None:
        self.most = most
        self._deflate = deflate
        self._rest = b""
        self._parts: list[bytes] | None = None
        self._opcode = Opcode.TEXT
        self._squeezed = False

    @property
    def midway(self) -> bool:
        """Whether a frame or a message has begun and not ended."""
        return bool(self._rest) or self._parts is not None

    @property
    def in_fragments(self) -> bool:
        """Whether a message has begun whose last fragment has not come."""
        return self._parts is not None

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Whole messages, and control frames between them. Raises BadFrame; nothing is kept, or may be fed, after that."""
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        try:
            while end - at >= 2:
                first, second = data[at], data[at + 1]
                length, start = second & 0x7F, at + 2
                self._check(first, second, length)
                if length >= 126:
                    start += 2 if length == 126 else 8
                    if end < start:
                        break
                    length = self._long(data[at + 2 : start])
                stop = start + 4 + length
                if end < stop:
                    break
                payload = _unmasked(data[start + 4 : stop], data[start : start + 4])
                at = stop
                whole = self._take(first, payload)
                if whole is not None:
                    yield whole
        except BadFrame:
            at, self._parts = end, None
            raise
        finally:
            self._rest = data[at:]

    def _long(self, given: bytes) -> int:
        """A length in two or eight bytes, if it is the shortest form of it (5.2)."""
        length = int.from_bytes(given, "big")
        if length < (126 if len(given) == 2 else 1 << 16):
            raise BadFrame(1002, "malformed")
        if length > self.most:
            raise BadFrame(3503, "too_big")
        return length

    def _check(self, first: int, second: int, length: int) -> None:
        """What a header alone can tell (5.2, 5.4, 5.5)."""
        opcode, final = first & 0x0F, first & 0x80
        if opcode not in _OPCODES or not second & 0x80:
            raise BadFrame(1002, "malformed")
        if opcode >= Opcode.CLOSE:
            if not final or length > 125 or first & 0x70:
                raise BadFrame(1002, "malformed")
        elif (opcode == Opcode.MORE) is (self._parts is None):
            raise BadFrame(1002, "malformed")
        elif first & 0x30 or (first & 0x40 and (opcode == Opcode.MORE or not self._deflate)):
            raise BadFrame(1002, "malformed")

    def _take(self, first: int, payload: bytes) -> tuple[Opcode, bytes] | None:
        opcode, final = Opcode(first & 0x0F), first & 0x80
        if opcode >= Opcode.CLOSE:
            return opcode, payload
        if opcode != Opcode.MORE:
            self._squeezed = bool(first & 0x40)
            if final:
                return opcode, self._whole(payload)
            self._opcode, self._parts = opcode, []
        assert self._parts is not None
        self._parts.append(payload)
        if len(self._parts) > FRAGMENTS_MAX:
            raise BadFrame(3504, "too_many_fragments")
        if sum(map(len, self._parts)) > self.most:
            raise BadFrame(3503, "too_big")
        if not final:
            return None
        parts, self._parts = self._parts, None
        return self._opcode, self._whole(b"".join(parts))

    def _whole(self, payload: bytes) -> bytes:
        try:
            return inflated(payload, self.most) if self._squeezed else payload
        except TooBig:
            raise BadFrame(3503, "too_big") from None
        except BadDeflate:
            raise BadFrame(1007, "malformed") from None


_OPCODES = frozenset(Opcode)


def is_pong(data: bytes) -> bool:
    """Whether `data` is one whole frame with Engine.IO's answer to a ping, `3`: nearly all that ever comes from a listener."""
    return len(data) == 7 and data[0] == 0x81 and data[1] == 0x81 and data[2] ^ data[6] == 0x33


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    """5.3, as one number: Python has no faster xor of bytes."""
    length = len(payload)
    if not length or mask == b"\0\0\0\0":
        return payload
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")


def close_frame(code: int, reason: str = "") -> bytes:
    """A Close frame from a server (5.5.1)."""
    body = code.to_bytes(2, "big") + reason.encode()[:123]
    return bytes((0x88, len(body))) + body


def closed_with(payload: bytes) -> int:
    """The code to answer a client's Close with (7.1.5, 7.4): its own, or 1002 or 1007 where it makes no sense."""
    if not payload:
        return 1000
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _CLOSES or 3000 <= code < 5000):
        return 1002
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return 1007
    return code


_CLOSES = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))
