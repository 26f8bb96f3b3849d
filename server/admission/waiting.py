"""A waiting token: what makes a browser count that waits for a round. The issuer signed it unseen, with a key of its own and a
few for each person; it names no device, leads to no participant, and one round takes it.
"""

import hashlib

from cryptography.exceptions import InvalidSignature

from protocol.credentials import KEY_BYTES, RANDOM_BYTES, message
from server.admission.signature import verify


def waiting_id(code: str, spki: bytes, prefix: bytes) -> bytes:
    """Id of the token that would begin with `prefix`, 32 bytes: known before it is looked at whether it was signed."""
    return hashlib.sha256(b"TH1 waiting\0" + code.encode() + b"\0" + _prepared(code, spki, prefix)).digest()


def is_genuine(code: str, spki: bytes, prefix: bytes, signature: bytes) -> bool:
    """Whether the issuer with the waiting key `spki` signed this for the town hall `code`."""
    if (len(prefix), len(signature)) != (RANDOM_BYTES, KEY_BYTES):
        return False
    try:
        verify(spki, signature, _prepared(code, spki, prefix))
    except (InvalidSignature, ValueError):
        return False
    return True


def _prepared(code: str, spki: bytes, prefix: bytes) -> bytes:
    return prefix + message("waiting", code, spki, b"")
