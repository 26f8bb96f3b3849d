"""The bytes of a whole WebSocket text frame from a server: never masked, never fragmented (RFC 6455, 5.2)."""

TEXT_FINAL = 0x81


def ready_frame(payload: bytes) -> bytes:
    """`payload` (UTF-8) as one frame, ready to be written to any number of connections."""
    length = len(payload)
    if length < 126:
        return bytes((TEXT_FINAL, length)) + payload
    if length < 1 << 16:
        return bytes((TEXT_FINAL, 126)) + length.to_bytes(2, "big") + payload
    return bytes((TEXT_FINAL, 127)) + length.to_bytes(8, "big") + payload
