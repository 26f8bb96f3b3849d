"""BlindSign of RFC 9474, 4.3: bounds, the private operation, and the check without which nothing leaves."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from protocol.refusals import Refusal
from server.issuer.raw_rsa import Operation, SigningFailed, operation


class BlindSigner:
    """Signs what it cannot read. `raw`: the private operation; None: the best there is."""

    def __init__(self, key: RSAPrivateKey, raw: Operation | None = None) -> None:
        self._raw = operation(key) if raw is None else raw
        numbers = key.public_key().public_numbers()
        self._n, self._e = numbers.n, numbers.e
        self.length = key.key_size // 8

    def __repr__(self) -> str:
        return "BlindSigner(…)"

    def refused(self, blinded: bytes) -> Refusal | None:
        """Why `blinded` is not signed: wrong length, or a number that no honest blinding gives (0, 1, n-1, n and above)."""
        well = len(blinded) == self.length and 1 < int.from_bytes(blinded, "big") < self._n - 1
        return None if well else Refusal("bad_blinded", field="$.blinded")

    def sign(self, blinded: bytes) -> bytes:
        """The blind signature. A fault in the machine would give the key away, so it is checked. Raises SigningFailed.

        Takes milliseconds of one core: not for the event loop.
        """
        if self.refused(blinded) is not None:
            raise SigningFailed("out of bounds")
        signature = self._raw(blinded)
        if pow(int.from_bytes(signature, "big"), self._e, self._n) != int.from_bytes(blinded, "big"):
            raise SigningFailed("the signature does not open to what was signed")
        return signature
