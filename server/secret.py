"""The node's secret, and the keys that are derived from it, one for each purpose."""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

LENGTH = 32


class BadSecret(Exception):
    """The file does not hold 64 hexadecimal digits; its name is all that is told."""


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
    """The secret in `path`, made at first use with mode 0600. Nodes on one store share the file. Raises BadSecret."""
    try:
        value = bytes.fromhex(private_text(path))
    except ValueError:
        value = b""
    if len(value) < LENGTH:
        raise BadSecret(str(path))
    return Secret(value)


def private_text(path: Path) -> str:
    """64 hexadecimal digits, the same at each call. Of two that start at once one makes them, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(LENGTH))
        with contextlib.suppress(FileExistsError):
            os.link(made, path)  # fails where the other was quicker
        made.unlink()
    return path.read_text("ascii").strip()
