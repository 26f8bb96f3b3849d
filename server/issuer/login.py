"""A sign-in under way: sealed into a cookie of the browser that began it. The server keeps nothing of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LOGIN_S: Final = 600.0
"""How long signing in at the provider may take."""
NONCE: Final = 12
"""Of AES-GCM (NIST SP 800-38D, 8.2.2), drawn for each."""


@dataclass(frozen=True, slots=True)
class Login:
    """`state`, `nonce`, `verifier`: of this sign-in, at the provider. `tab`: what the page gave to know its own return by, or "".
    `staff`: the role that is asked for, "any"; "": somebody wants to take part. `until`: unix seconds.
    """

    code: str
    state: str
    nonce: str
    verifier: str
    until: float
    staff: str = ""
    tab: str = ""


class Logins:
    """Seals with `key`, 32 bytes. As many may be under way as there are browsers: none takes another's place."""

    def __init__(self, key: bytes, wall: Callable[[], float] = time.time) -> None:
        self._aead = AESGCM(key)
        self._wall = wall

    def __repr__(self) -> str:
        return "Logins(…)"

    def seal(self, login: Login) -> bytes:
        """For the cookie."""
        nonce = token_bytes(NONCE)
        return nonce + self._aead.encrypt(nonce, msgspec.msgpack.encode(login), None)

    def opened(self, sealed: bytes, state: str) -> Login | None:
        """The sign-in of that cookie, if it is the one that comes back with `state` and its time is not over."""
        try:
            login = msgspec.msgpack.decode(self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], None), type=Login)
        except (InvalidTag, ValueError, msgspec.MsgspecError):
            return None
        return login if login.state == state and login.until > self._wall() else None
