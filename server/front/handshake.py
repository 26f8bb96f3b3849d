"""The opening handshake of a WebSocket, the server's side (RFC 6455, 4.2), and its one extension (RFC 7692)."""

import base64
import binascii
import hashlib
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl

from server.fanout.deflate import Deflate
from server.front.head import Head

PATH = "/socket.io/"
_USUAL = f"{PATH}?EIO=4&transport=websocket"
"""What the official client asks for; others may put it differently."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DEFLATE = "permessage-deflate"


class Asked(NamedTuple):
    """A well-formed handshake for Socket.IO over WebSocket. `deflate`: how frames may be compressed, None: not at all."""

    key: bytes
    deflate: Deflate | None


def asked(head: Head) -> Asked | None:
    """What a handshake asks for; None: it is not one that we take, whatever else it is."""
    if head.target != _USUAL and not _is_for_us(head.target):
        return None
    get = head.headers.get
    if head.method != "GET" or head.version != "1.1" or not get("host"):
        return None
    if "websocket" not in _tokens(get("upgrade", "")) or "upgrade" not in _tokens(get("connection", "")):
        return None
    key = get("sec-websocket-key", "")
    if get("sec-websocket-version") != "13" or not _is_nonce(key):
        return None
    return Asked(key.encode(), _negotiated(get("sec-websocket-extensions", "")))


def answer(asked: Asked) -> bytes:
    """101, and from here on it is a WebSocket."""
    accept = base64.b64encode(hashlib.sha1(asked.key + _GUID, usedforsecurity=False).digest())
    extension = b""
    if asked.deflate is not None:
        # No context of theirs: what they send is inflated without anything kept for them here.
        extension = b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover" + (
            b"" if asked.deflate.follows else b"; server_no_context_takeover"
        )
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + extension
        + b"\r\n\r\n"
    )


def _is_for_us(target: str) -> bool:
    path, _, query = target.partition("?")
    fields = dict(parse_qsl(query, keep_blank_values=True))
    return path == PATH and fields.get("EIO") == "4" and fields.get("transport") == "websocket" and "sid" not in fields


def _tokens(value: str) -> list[str]:
    return [token.strip().lower() for token in value.split(",")]


def _is_nonce(key: str) -> bool:
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        return False


@lru_cache(64)
def _negotiated(offers: str) -> Deflate | None:
    """The first offer that we can take (RFC 7692, 5 and 7.1). One that would shrink our window is none."""
    for offer in offers.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name.lower() != _DEFLATE:
            continue
        told = [tuple(part.strip().strip('"') for part in parameter.partition("=")[::2]) for parameter in parameters]
        if len({key for key, _ in told}) < len(told):
            continue
        if all(_takes(key, value) for key, value in told):
            return Deflate(follows=("server_no_context_takeover", "") not in told)
    return None


def _takes(key: str, value: str) -> bool:
    match key:
        case "server_no_context_takeover" | "client_no_context_takeover":
            return value == ""
        case "client_max_window_bits":
            return value in ("", *(str(bits) for bits in range(8, 16)))
        case "server_max_window_bits":
            return value == "15"
    return False
