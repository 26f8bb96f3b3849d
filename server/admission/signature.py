"""An issuer's signature over what it could not read (RFC 9474, 4.5), and what its key has to be."""

import base64
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import load_der_public_key

from protocol.credentials import EXPONENT, KEY_BITS, SALT_BYTES

_PSS: Final = padding.PSS(padding.MGF1(SHA384()), SALT_BYTES)


@lru_cache(256)
def issuer_key(spki: bytes) -> RSAPublicKey:
    """Raises ValueError: no RSA key of the length and exponent that we use."""
    found = load_der_public_key(spki)
    if not isinstance(found, RSAPublicKey) or found.key_size != KEY_BITS or found.public_numbers().e != EXPONENT:
        raise ValueError("not a key of an issuer")
    return found


def verify(spki: bytes, signature: bytes, prepared: bytes) -> None:
    """Raises InvalidSignature; ValueError: `spki` is no key of an issuer."""
    issuer_key(spki).verify(signature, prepared, _PSS, SHA384())


def is_issuer_key(text: str) -> bool:
    """Whether `text` (base64url) is a public key as our issuers make them."""
    try:
        issuer_key(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return False
    return True
