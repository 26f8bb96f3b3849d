"""What stands for a voter in one question: a pseudorandom permutation of their opaque key, another one for each question.

Two handles of one voter have nothing in common for whoever has no key; whoever counts has it and finds the voter again.
"""

import hashlib
import hmac
from collections.abc import Sequence
from struct import iter_unpack

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

BYTES = 16
"""Of an opaque voter, and of a handle: one block."""


def _cipher(key: bytes, message: int) -> Cipher[ECB]:
    """Of one question. What is enciphered are single blocks that never repeat: ECB is the bare permutation."""
    return Cipher(AES256(hmac.digest(key, b"support:%d" % message, hashlib.sha256)), ECB())


def handle(key: bytes, message: int, voter: bytes) -> bytes:
    """`key`: the support key of the town hall. `voter`: BYTES long, else ValueError."""
    if len(voter) != BYTES:
        raise ValueError(f"an opaque voter has {BYTES} bytes")
    return _cipher(key, message).encryptor().update(voter)


def voters(key: bytes, message: int, handles: Sequence[bytes]) -> set[tuple[bytes]]:
    """Whose they are, to be compared with those of another question."""
    return set(iter_unpack(f"{BYTES}s", _cipher(key, message).decryptor().update(b"".join(handles))))
