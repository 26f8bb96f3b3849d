"""A token becomes a participant: the issuer's signature, the device's key, and that nobody else has shown it.

What comes in says nothing of a person, and what is kept (a hash of the token, a hash of the key) says nothing of its
signing: the signature that the issuer gave was blind.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from protocol.credentials import DEVICE_KEY_BYTES, KEY_BYTES, PROOF_BYTES, RANDOM_BYTES, message, proven
from protocol.limits import limit
from protocol.refusals import Refusal
from server.admission.signature import verify
from server.mac import Mac
from server.secret import Secret

_TIME = 6
_RANDOM = 10
_MAC = 16


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as a browser shows it, in bytes: random prefix, signature, device key (uncompressed point), nonce, proof.

    `few`: its holder will come in with fewer than are let in together.
    """

    prefix: bytes
    signature: bytes
    device_key: bytes
    nonce: bytes
    proof: bytes
    few: bool = False


@dataclass(frozen=True, slots=True)
class Genuine:
    """`id` of the token, for remembering that it was shown; `device`: hash of its key."""

    id: bytes
    device: bytes


class Redeeming:
    """Checks tokens. `clock`: unix seconds."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        self._key = Mac(secret.key("nonce"))
        self._clock = clock

    def nonce(self, code: str) -> bytes:
        """For one proof, good for limits.nonce_s. It carries its time and a MAC; kept is that it was used (store/nonces.py)."""
        body = int(self._clock()).to_bytes(_TIME, "big") + secrets.token_bytes(_RANDOM)
        return body + self._mac(code, body)

    def check(self, code: str, spki: bytes, shown: ShownToken) -> Genuine | Refusal:
        """Whether the issuer with the public key `spki` signed this for the town hall `code`, and its key is at hand here.

        Refuses with `stale_nonce`, `bad_token`.
        """
        body, mac = shown.nonce[:-_MAC], shown.nonce[-_MAC:]
        if len(shown.nonce) != _TIME + _RANDOM + _MAC or not hmac.compare_digest(self._mac(code, body), mac):
            return Refusal("stale_nonce", retry_after_ms=0)
        if not 0 <= self._clock() - int.from_bytes(body[:_TIME], "big") <= limit("nonce_s"):
            return Refusal("stale_nonce", retry_after_ms=0)
        lengths = (len(shown.prefix), len(shown.signature), len(shown.device_key), len(shown.proof))
        if lengths != (RANDOM_BYTES, KEY_BYTES, DEVICE_KEY_BYTES, PROOF_BYTES):
            return Refusal("bad_token")
        prepared = shown.prefix + message("participant", code, spki, shown.device_key)
        try:
            verify(spki, shown.signature, prepared)
            device = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), shown.device_key)
            r, s = (int.from_bytes(shown.proof[at : at + PROOF_BYTES // 2], "big") for at in (0, PROOF_BYTES // 2))
            device.verify(encode_dss_signature(r, s), proven(code, shown.nonce, prepared), ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return Refusal("bad_token")
        id = hashlib.sha256(b"TH1 spent\0" + code.encode() + b"\0" + prepared).digest()
        return Genuine(id, hashlib.sha256(shown.device_key).digest())

    def _mac(self, code: str, body: bytes) -> bytes:
        return self._key.of(code.encode() + b"|" + body)[:_MAC]


def participant_id(author_key: Mac, token: bytes) -> bytes:
    """16 bytes. `author_key`: of the town hall; once it is destroyed nothing leads from a token to its participant."""
    return author_key.of(b"participant" + token)[:16]
