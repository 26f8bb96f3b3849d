"""Whether a browser holds the key that it shows: its signature over a link and a nonce."""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from protocol.credentials import PROOF_BYTES
from protocol.link_proofs import LinkProof, link_proven


def nonce_of(shown: LinkProof) -> bytes:
    """Its bytes."""
    return _bytes(shown.nonce)


def key_shown(code: str, role: str, link: str, shown: LinkProof) -> bytes | None:
    """SHA-256 of the key, if it has signed this link and this nonce. Whether the nonce is good is not looked at."""
    key, proof = _bytes(shown.key), _bytes(shown.proof)
    r, s = (int.from_bytes(proof[at : at + PROOF_BYTES // 2], "big") for at in (0, PROOF_BYTES // 2))
    over = link_proven(code, role, link, nonce_of(shown))
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        public.verify(encode_dss_signature(r, s), over, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return None
    return hashlib.sha256(key).digest()


def _bytes(text: str) -> bytes:
    """Of letters that were checked to be base64url without padding (RFC 4648, 5)."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
