"""A staff ticket: what a link's secret is exchanged for. Short-lived, checked by any node, kept by none."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable

from protocol.limits import limit
from protocol.names import Role
from server.secret import Secret

_LINK = 4
_EXPIRY = 6
_MAC = 16


class StaffTickets:
    """`clock`: unix seconds."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        self._key = secret.key("staff-ticket")
        self._clock = clock

    def issue(self, code: str, role: Role, link: str) -> str:
        """A ticket for the link `link` of the town hall `code`, good for limits.staff_ticket_s."""
        body = bytes.fromhex(link) + int(self._clock() + limit("staff_ticket_s")).to_bytes(_EXPIRY, "big")
        return base64.urlsafe_b64encode(body + self._mac(code, role, body)).decode().rstrip("=")

    def link(self, code: str, role: Role, ticket: str) -> str | None:
        """The name of the link, or None: altered, expired, for another role or another town hall."""
        try:
            raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
        except (binascii.Error, ValueError):
            return None
        body, mac = raw[: _LINK + _EXPIRY], raw[_LINK + _EXPIRY :]
        if not hmac.compare_digest(self._mac(code, role, body), mac):
            return None
        return body[:_LINK].hex() if int.from_bytes(body[_LINK:], "big") > self._clock() else None

    def _mac(self, code: str, role: str, body: bytes) -> bytes:
        return hmac.digest(self._key, f"{code}|{role}|".encode() + body, hashlib.sha256)[:_MAC]
