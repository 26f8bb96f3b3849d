"""The node's secret, and the keys that are derived from it, one for each purpose."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

LENGTH = 32


class Secret:
    """Never printed: `repr` hides it."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(…)"

    def key(self, purpose: str) -> bytes:
        """32 bytes for `purpose`, unrelated to those for any other (HMAC-SHA256 as a PRF, RFC 5869's expand step)."""
        return hmac.digest(self._value, purpose.encode(), hashlib.sha256)


def load(path: Path) -> Secret:
    """The secret in `path`, made at first use with mode 0600. Nodes on one store share the file."""
    return Secret(bytes.fromhex(private_text(path)))


def private_text(path: Path) -> str:
    """64 hexadecimal digits, the same at each call. Made with O_EXCL: of two that start at once, one makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(LENGTH))
    return path.read_text("ascii").strip()
