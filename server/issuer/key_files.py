"""The private keys and the pepper of a town hall: a file each, readable by its owner alone, destroyed when issuing closes."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import NamedTuple

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
from server.private_files import write_private

PEPPER_BYTES = 32


class Keys(NamedTuple):
    """Of one town hall. `waiting`: signs waiting tokens; None at a town hall whose keys were made before there were any."""

    entry: RSAPrivateKey
    waiting: RSAPrivateKey | None
    pepper: bytes


class PublicKeys(NamedTuple):
    """SPKI in DER, of both."""

    entry: bytes
    waiting: bytes


class KeyFiles:
    """`folder` is made with mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def make(self, code: str) -> PublicKeys:
        """New keys and a pepper for `code`. Takes up to seconds of one core."""
        waiting, entry = (rsa.generate_private_key(EXPONENT, KEY_BITS) for _ in range(2))
        # The entry's key last: a town hall whose key is there has all that belongs to it.
        write_private(self._pepper(code), secrets.token_bytes(PEPPER_BYTES))
        for path, key in ((self._waiting(code), waiting), (self._key(code), entry)):
            write_private(path, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        return PublicKeys(public_bytes(entry), public_bytes(waiting))

    def load(self, code: str) -> Keys | None:
        """None: destroyed, or there never were any."""
        try:
            entry = _private(self._key(code))
            pepper = self._pepper(code).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return Keys(entry, _private(self._waiting(code)), pepper)
        except FileNotFoundError:
            return Keys(entry, None, pepper)

    def there(self, code: str) -> bool:
        """Whether entries can still be signed: another process may have destroyed the key."""
        return self._key(code).exists()

    def destroy(self, code: str) -> None:
        """Overwritten, then gone. On a disk that copies on write the old blocks live on until it reuses them."""
        for path in (self._key(code), self._waiting(code), self._pepper(code)):
            with contextlib.suppress(FileNotFoundError):
                with path.open("r+b") as file:
                    file.write(secrets.token_bytes(path.stat().st_size))
                    file.flush()
                    os.fsync(file.fileno())
                path.unlink()

    def _key(self, code: str) -> Path:
        return self._folder / f"{code}.key"

    def _waiting(self, code: str) -> Path:
        return self._folder / f"{code}.waiting.key"

    def _pepper(self, code: str) -> Path:
        return self._folder / f"{code}.pepper"


def _private(path: Path) -> RSAPrivateKey:
    key = load_der_private_key(path.read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


def public_bytes(key: RSAPrivateKey) -> bytes:
    """SPKI in DER, under the OID rsaEncryption: the one that browsers take for PSS too."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
