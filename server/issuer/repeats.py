"""How often one person asks for the signature that they have already: each time costs the private operation again.

Counted in a fixed table under a hash that is drawn anew every minute, so that it tells neither who asked nor in which order.
Whoever asks once, as people do, is not counted.
"""

import hashlib
import hmac
import secrets

SLOTS = 4_096
MINUTE_S = 60.0


class Repeats:
    """`most`: times a minute that a person, or others with the same slot, may ask again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._until = 0.0
        self._key = b""
        self._slots: list[int] = []

    def take(self, person: bytes, now: float) -> float:
        """0: they may. Otherwise seconds until they may again. `now`: monotonic seconds."""
        if now >= self._until:
            self._key, self._slots, self._until = secrets.token_bytes(32), [0] * SLOTS, now + MINUTE_S
        slot = int.from_bytes(hmac.digest(self._key, person, hashlib.sha256)[:8]) % SLOTS
        if self._slots[slot] >= self._most:
            return self._until - now
        self._slots[slot] += 1
        return 0.0
