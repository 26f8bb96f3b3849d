"""permessage-deflate (RFC 7692) such that one compressed message serves everybody, and nothing is kept for anyone.

What a client may refer back to is what it was sent compressed before. So a message that was made with the last one as
its dictionary can be read by all who got the last one compressed, in whichever way. Messages that are not compressed
leave the window alone. Chats have short messages that look alike: alone they shrink by a tenth, so by half.
"""

import zlib
from dataclasses import dataclass

LEVEL = 6
WINDOW = 32_000
"""Bytes of the last message that the next one may refer to; the window holds 32,768 (RFC 1951)."""
TAIL = b"\x00\x00\xff\xff"


class TooBig(Exception):
    """It would inflate to more than the bound."""


class BadDeflate(Exception):
    """It is not what deflate makes."""


@dataclass(frozen=True, slots=True)
class Deflate:
    """What was negotiated. `follows`: the client keeps what it was sent, so that the next message may refer to it."""

    follows: bool


def deflated(payload: bytes, before: bytes = b"") -> bytes:
    """`payload` for all whose window ends with `before`; without it, for everybody."""
    if before:
        squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, -15, zdict=before[-WINDOW:])
    else:
        squeeze = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return (squeeze.compress(payload) + squeeze.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]


def inflated(data: bytes, most: int) -> bytes:
    """A message that was compressed on its own. Raises TooBig before more than `most` bytes are made; BadDeflate."""
    stretch = zlib.decompressobj(-15)
    try:
        payload = stretch.decompress(data + TAIL, most + 1)
    except zlib.error as error:
        raise BadDeflate(str(error)) from None
    if len(payload) > most:
        raise TooBig
    return payload
