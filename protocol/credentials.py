"""What an anonymous token says, byte by byte, and the words in which an issuer's key is read out.

The browser makes a device key and a message, has it blindly signed by the issuer (RFC 9474,
RSABSSA-SHA384-PSS-Randomized), and later shows both to the chat. The same bytes are made by static/src/admission/token.ts.

    message  = "TH1" ‖ purpose ‖ SHA256(code ‖ 0x00 ‖ SHA256(SPKI)) ‖ SHA256(device public key)
    prepared = 32 random bytes ‖ message                                   (RFC 9474, 4.1)
    proof    = ECDSA-P256-SHA256 by the device key over "TH1 redeem" ‖ 0x00 ‖ code ‖ 0x00 ‖ nonce ‖ SHA256(prepared)
"""

import base64
import hashlib
from typing import Final, Literal

from protocol.names import Language
from protocol.sentences import section
from protocol.setup import Issuer

Purpose = Literal["participant", "ballot", "waiting"]
PURPOSES: Final[dict[Purpose, bytes]] = {"participant": b"\x01", "ballot": b"\x02", "waiting": b"\x03"}
"""A token is good for one thing only. A `waiting` token names no device: its device public key is empty."""
WAITING_TOKENS: Final = 2
"""Waiting tokens that one person gets with their entry. They are signed by a key of their own, the waiting key: a blind
signer does not see the purpose.
"""
MAGIC: Final = b"TH1"
RANDOM_BYTES: Final = 32
SALT_BYTES: Final = 48
"""Of PSS with SHA-384, in RSABSSA-SHA384-PSS-Randomized."""
KEY_BITS: Final = 3_072
KEY_BYTES: Final = KEY_BITS // 8
EXPONENT: Final = 65_537
DEVICE_KEY_BYTES: Final = 65
"""An uncompressed point of P-256 (SEC 1, 2.3.3)."""
PROOF_BYTES: Final = 64
"""ECDSA as r ‖ s, as WebCrypto writes it."""
FINGERPRINT_ROUNDS: Final = 100_000
"""Of PBKDF2: whoever looks for two keys with the same words pays this for each try."""
FINGERPRINT_PAIRS: Final = 6
"""Pairs of words, 12 bits each."""


def message(purpose: Purpose, code: str, spki: bytes, device_key: bytes) -> bytes:
    """What is signed, without its random prefix: 68 bytes."""
    key_id = hashlib.sha256(spki).digest()
    hall = hashlib.sha256(code.encode() + b"\0" + key_id).digest()
    return MAGIC + PURPOSES[purpose] + hall + hashlib.sha256(device_key).digest()


def proven(code: str, nonce: bytes, prepared: bytes) -> bytes:
    """What the device key signs to show that it is the one in the token."""
    return b"\0".join((b"TH1 redeem", code.encode(), nonce + hashlib.sha256(prepared).digest()))


def public_key(issuer: Issuer) -> bytes:
    """The issuer's SPKI in DER."""
    return base64.urlsafe_b64decode(issuer.key + "=" * (-len(issuer.key) % 4))


def waiting_key(issuer: Issuer) -> bytes:
    """The issuer's SPKI for waiting tokens, in DER; b"" where it gives none."""
    return base64.urlsafe_b64decode(issuer.waiting_key + "=" * (-len(issuer.waiting_key) % 4))


def key_hex(spki: bytes) -> str:
    """SHA-256 of the public key, in groups of four for reading."""
    digest = hashlib.sha256(spki).hexdigest()
    return " ".join(digest[place : place + 4] for place in range(0, len(digest), 4))


def key_words(spki: bytes, lang: Language) -> tuple[str, ...]:
    """The key as six pairs of words to be read out: `푸른 고래`, `Blue Whale`."""
    bits = hashlib.pbkdf2_hmac("sha256", spki, b"TH1 fingerprint", FINGERPRINT_ROUNDS, FINGERPRINT_PAIRS * 2)
    words = section(lang, "pseudonym")
    pairs = ((bits[2 * place] % 64, bits[2 * place + 1] % 64) for place in range(FINGERPRINT_PAIRS))
    return tuple(f"{words['adjectives'][adjective]} {words['animals'][animal]}" for adjective, animal in pairs)
