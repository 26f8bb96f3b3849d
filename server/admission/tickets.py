"""A participant's ticket: a random participant id, signed for one town hall. Any node can check it; none is stored."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from server.admission.secret import Secret

LIFE_S = 24 * 3600
_MAC = 16
_PID = 16
_EXPIRY = 6


class Tickets:
    """`clock`: unix seconds."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        self._key = secret.key("ticket")
        self._clock = clock

    def issue(self, code: str) -> str:
        """A ticket for a new participant of the town hall `code`, good for a day."""
        body = secrets.token_bytes(_PID) + int(self._clock() + LIFE_S).to_bytes(_EXPIRY, "big")
        return base64.urlsafe_b64encode(body + self._mac(code, body)).decode().rstrip("=")

    def participant(self, code: str, ticket: str) -> bytes | None:
        """The participant id, or None: altered, expired, or for another town hall."""
        try:
            raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[: _PID + _EXPIRY], raw[_PID + _EXPIRY :]
        if not hmac.compare_digest(self._mac(code, body), mac):
            return None
        return body[:_PID] if int.from_bytes(body[_PID:], "big") > self._clock() else None

    def _mac(self, code: str, body: bytes) -> bytes:
        return hmac.digest(self._key, code.encode() + b"|" + body, hashlib.sha256)[:_MAC]
