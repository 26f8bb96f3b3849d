"""The browser's side of RFC 9474 (RSABSSA-SHA384-PSS-Randomized) in Python, for a simulated audience. Not for people's keys:
it takes no care of timing.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from protocol.credentials import PROOF_BYTES, RANDOM_BYTES, SALT_BYTES, WAITING_TOKENS, message, proven


@dataclass(frozen=True, slots=True)
class Blinded:
    """A message under way: what the issuer sees (`blinded`), and what takes the blinding off again (`inverse`)."""

    blinded: bytes
    inverse: int


def blind(key: RSAPublicKey, prepared: bytes, *, salt: bytes | None = None, r: int | None = None) -> Blinded:
    """RFC 9474, 4.2. `salt` and `r` are drawn, but for test vectors."""
    numbers = key.public_numbers()
    encoded = int.from_bytes(pss_encoded(prepared, key.key_size - 1, secrets.token_bytes(SALT_BYTES) if salt is None else salt))
    r = secrets.randbelow(numbers.n - 2) + 1 if r is None else r
    z = encoded * pow(r, numbers.e, numbers.n) % numbers.n
    return Blinded(z.to_bytes(key.key_size // 8), pow(r, -1, numbers.n))


def finalize(key: RSAPublicKey, prepared: bytes, blind_signature: bytes, inverse: int, *, salt_bytes: int = SALT_BYTES) -> bytes:
    """RFC 9474, 4.4. Raises InvalidSignature: it was not signed, or by another key."""
    s = int.from_bytes(blind_signature) * inverse % key.public_numbers().n
    signature = s.to_bytes(key.key_size // 8)
    key.verify(signature, prepared, padding.PSS(padding.MGF1(SHA384()), salt_bytes), SHA384())
    return signature


def pss_encoded(text: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 and MGF1 (RFC 8017, 9.1.1)."""
    length = -(-bits // 8)
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(text).digest() + salt).digest()
    block = bytes(length - len(salt) - len(digest) - 2) + b"\x01" + salt
    mask = b"".join(hashlib.sha384(digest + count.to_bytes(4)).digest() for count in range(-(-len(block) // len(digest))))[
        : len(block)
    ]
    masked = bytearray(a ^ b for a, b in zip(block, mask, strict=True))
    masked[0] &= 0xFF >> (8 * length - bits)
    return bytes(masked) + digest + b"\xbc"


@dataclass(slots=True)
class WaitingToken:
    """What makes a browser count that waits for a round. `spki`: the issuer's waiting key."""

    code: str
    spki: bytes
    prefix: bytes = field(default_factory=lambda: secrets.token_bytes(RANDOM_BYTES))
    signature: bytes = b""
    under_way: Blinded | None = None

    @property
    def prepared(self) -> bytes:
        """What is signed."""
        return self.prefix + message("waiting", self.code, self.spki, b"")

    def ask(self) -> bytes:
        """What the issuer is asked to sign."""
        if self.under_way is None:
            self.under_way = blind(_key(self.spki), self.prepared)
        return self.under_way.blinded

    def take(self, blind_signature: bytes) -> None:
        """What it answered. Raises InvalidSignature."""
        assert self.under_way is not None
        self.signature = finalize(_key(self.spki), self.prepared, blind_signature, self.under_way.inverse)


@dataclass(slots=True)
class Wallet:
    """What a browser keeps for one town hall: its device key, the message, the blinding, later the signature; and its waiting
    tokens, if the issuer gives any (`waiting_spki`: by which key).
    """

    code: str
    spki: bytes
    device: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    prefix: bytes = field(default_factory=lambda: secrets.token_bytes(RANDOM_BYTES))
    signature: bytes = b""
    under_way: Blinded | None = None
    waiting_spki: bytes = b""
    waiting: list[WaitingToken] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.waiting_spki and not self.waiting:
            self.waiting = [WaitingToken(self.code, self.waiting_spki) for _ in range(WAITING_TOKENS)]

    @property
    def key(self) -> RSAPublicKey:
        """The issuer's."""
        return _key(self.spki)

    @property
    def device_key(self) -> bytes:
        """Its public half, an uncompressed point."""
        return self.device.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def prepared(self) -> bytes:
        """What is signed."""
        return self.prefix + message("participant", self.code, self.spki, self.device_key)

    def ask(self) -> bytes:
        """What the issuer is asked to sign."""
        if self.under_way is None:
            self.under_way = blind(self.key, self.prepared)
        return self.under_way.blinded

    def ask_waiting(self) -> list[bytes]:
        """The same for its waiting tokens."""
        return [one.ask() for one in self.waiting]

    def take(self, blind_signature: bytes, waiting: Sequence[bytes] = ()) -> None:
        """What it answered; `waiting`: to those. Raises InvalidSignature."""
        assert self.under_way is not None
        for one, signed in zip(self.waiting, waiting, strict=False):
            one.take(signed)
        self.signature = finalize(self.key, self.prepared, blind_signature, self.under_way.inverse)

    def prove(self, nonce: bytes) -> bytes:
        """That the device key is at hand: r ‖ s."""
        r, s = decode_dss_signature(self.device.sign(proven(self.code, nonce, self.prepared), ec.ECDSA(SHA256())))
        return r.to_bytes(PROOF_BYTES // 2) + s.to_bytes(PROOF_BYTES // 2)


def _key(spki: bytes) -> RSAPublicKey:
    found = load_der_public_key(spki)
    assert isinstance(found, RSAPublicKey)
    return found
