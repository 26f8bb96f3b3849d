"""Nonces that nobody keeps: each carries its time and a MAC. That one is good once is kept by whoever takes it."""

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from protocol.limits import limit
from server.mac import Mac

_TIME: Final = 6
_RANDOM: Final = 10
_MAC: Final = 16
NONCE_BYTES: Final = _TIME + _RANDOM + _MAC


class Nonces:
    """`key`: 32 bytes of this purpose. `clock`: unix seconds."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = Mac(key)
        self._clock = clock

    def new(self, scope: str) -> bytes:
        """For one proof within `scope` (the code of a town hall), good for limits.nonce_s."""
        body = int(self._clock()).to_bytes(_TIME, "big") + secrets.token_bytes(_RANDOM)
        return body + self._mac(scope, body)

    def good(self, scope: str, nonce: bytes) -> bool:
        """Whether it was made here for `scope`, a short time ago."""
        body, mac = nonce[:-_MAC], nonce[-_MAC:]
        if len(nonce) != NONCE_BYTES or not hmac.compare_digest(self._mac(scope, body), mac):
            return False
        return 0 <= self._clock() - int.from_bytes(body[:_TIME], "big") <= limit("nonce_s")

    def _mac(self, scope: str, body: bytes) -> bytes:
        return self._key.of(scope.encode() + b"|" + body)[:_MAC]
