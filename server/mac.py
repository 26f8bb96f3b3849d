"""HMAC-SHA256 under one key, made ready once: each who enters asks for a dozen, and making ready costs most of one."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC


class Mac:
    """The key goes with the object. Never printed: `repr` shows nothing of it."""

    __slots__ = ("_ready",)

    def __init__(self, key: bytes) -> None:
        self._ready = HMAC(key, SHA256())

    def of(self, text: bytes) -> bytes:
        """32 bytes (RFC 2104)."""
        found = self._ready.copy()
        found.update(text)
        return found.finalize()
