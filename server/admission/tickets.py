"""Tickets of the audience, signed for one town hall. Any node can check them without asking the store; none is kept.

One to watch with is anybody's, for a day. A participant's is good for a quarter of an hour: whoever holds the device key
of the token refreshes it (redeem.py), so that 10,000 who come back at once cost no look at the store.
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from protocol.limits import limit
from server.mac import Mac
from server.secret import Secret

WATCH_S = 24 * 3600
_MAC = 16
_PID = 16
_EXPIRY = 6
_KINDS: dict[bytes, Literal["watch", "participant"]] = {b"w": "watch", b"p": "participant"}


class Holder(NamedTuple):
    """`id`: the participant's, or a random one of whoever watches."""

    kind: Literal["watch", "participant"]
    id: bytes


class Tickets:
    """`clock`: unix seconds."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        self._key = Mac(secret.key("ticket"))
        self._clock = clock

    def issue(self, code: str) -> str:
        """A ticket to watch the town hall `code`; where there is no issuer, also to take part in it. Good for a day."""
        return self._made(code, b"w" + secrets.token_bytes(_PID), WATCH_S)

    def issue_participant(self, code: str, id: bytes) -> str:
        """A ticket for the participant `id` (16 bytes), good for limits.ticket_s."""
        return self._made(code, b"p" + id, limit("ticket_s"))

    def holder(self, code: str, ticket: str) -> Holder | None:
        """None: altered, expired, or for another town hall."""
        try:
            raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[: 1 + _PID + _EXPIRY], raw[1 + _PID + _EXPIRY :]
        if not hmac.compare_digest(self._mac(code, body), mac) or body[:1] not in _KINDS:
            return None
        if int.from_bytes(body[1 + _PID :], "big") <= self._clock():
            return None
        return Holder(_KINDS[body[:1]], body[1 : 1 + _PID])

    def _made(self, code: str, who: bytes, life_s: int) -> str:
        body = who + int(self._clock() + life_s).to_bytes(_EXPIRY, "big")
        return base64.urlsafe_b64encode(body + self._mac(code, body)).decode().rstrip("=")

    def _mac(self, code: str, body: bytes) -> bytes:
        return self._key.of(code.encode() + b"|" + body)[:_MAC]
