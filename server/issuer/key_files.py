"""The private key and the pepper of a town hall: a file each, readable by its owner alone, destroyed when issuing closes."""

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from protocol.credentials import EXPONENT, KEY_BITS

PEPPER_BYTES = 32


class KeyFiles:
    """`folder` is made with mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def make(self, code: str) -> bytes:
        """A new key and pepper for `code`; the public key (SPKI, DER) comes back. Takes up to seconds of one core."""
        key = rsa.generate_private_key(EXPONENT, KEY_BITS)
        self._write(self._key(code), key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        self._write(self._pepper(code), secrets.token_bytes(PEPPER_BYTES))
        return public_bytes(key)

    def load(self, code: str) -> tuple[RSAPrivateKey, bytes] | None:
        """(key, pepper); None: destroyed, or there never was one."""
        try:
            key = load_der_private_key(self._key(code).read_bytes(), password=None)
            pepper = self._pepper(code).read_bytes()
        except FileNotFoundError:
            return None
        assert isinstance(key, RSAPrivateKey)
        return key, pepper

    def destroy(self, code: str) -> None:
        """Overwritten, then gone. On a disk that copies on write the old blocks live on until it reuses them."""
        for path in (self._key(code), self._pepper(code)):
            with contextlib.suppress(FileNotFoundError):
                with path.open("r+b") as file:
                    file.write(secrets.token_bytes(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()

    def _key(self, code: str) -> Path:
        return self._folder / f"{code}.key"

    def _pepper(self, code: str) -> Path:
        return self._folder / f"{code}.pepper"

    def _write(self, path: Path, content: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def public_bytes(key: RSAPrivateKey) -> bytes:
    """SPKI in DER, under the OID rsaEncryption: the one that browsers take for PSS too."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
