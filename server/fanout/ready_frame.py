"""The bytes of a whole WebSocket text frame from a server: never masked, never fragmented (RFC 6455, 5.2)."""

TEXT_FINAL = 0x81
COMPRESSED = 0x40
"""The bit RSV1 (RFC 7692, 6)."""


def ready_frame(payload: bytes, *, compressed: bool = False) -> bytes:
    """`payload` (UTF-8, or what deflate made of it) as one frame, ready to be written to any number of connections."""
    first, length = TEXT_FINAL | (COMPRESSED if compressed else 0), len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 1 << 16:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload
