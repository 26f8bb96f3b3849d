"""Who came in, and what they are known by once they do something."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from moderation.context import Actor
from protocol.names import Role
from server.mac import Mac

NOBODY = "0" * 16
"""Author tag of everybody once a town hall is closed: no message has it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """`bucket`: opaque key for rate limits. `voter`: opaque key for gauges; None for staff, and once closed."""

    actor: Actor
    bucket: bytes
    voter: bytes | None
    dedupe_key: bytes

    def dedupe(self, client_id: str) -> bytes:
        """Opaque key of (this sender, client id): nobody can guess or burn another's."""
        return hmac.digest(self.dedupe_key, client_id.encode(), hashlib.sha256)


class Admitted:
    """`link`: of staff, the one they came by. `make(key)`: what they are known by, made when it is first asked for: most only
    watch, and ten thousand come at once."""

    __slots__ = ("_key", "_make", "_sender", "id", "link", "name", "role")

    def __init__(
        self, role: Role, make: Callable[[bytes], Sender], key: bytes, *, id: str = "", name: str = "", link: str | None = None
    ) -> None:
        self.role = role
        self.id = id
        self.name = name
        self.link = link
        self._make = make
        self._key = key
        self._sender: Sender | None = None

    @property
    def sender(self) -> Sender:
        """What they are known by."""
        if self._sender is None:
            self._sender = self._make(self._key)
        return self._sender

    def untie(self) -> None:
        """The town hall is closed and its author key gone: of a participant nothing is known any more that leads to what they
        wrote. Their connections may stand for hours.
        """
        if self._make is participant:
            self._make, self._key, self._sender = spent, secrets.token_bytes(len(self._key)), None


def participant_key(author_key: Mac, pid: bytes) -> bytes:
    """What all is made of that the participant `pid` is known by in one town hall, 32 bytes. `author_key`: of the town hall."""
    return author_key.of(b"sender" + pid)


def author_tag(key: bytes) -> str:
    """What stands in the log for a participant. `key`: of `participant_key`."""
    return _derived(key, b"tag")[:8].hex()


def participant(key: bytes) -> Sender:
    """As whom a participant writes, supports and votes. `key`: of `participant_key`."""
    actor = Actor("audience", author=author_tag(key), seed=int.from_bytes(_derived(key, b"name")[:8], "big"))
    return Sender(actor, _derived(key, b"bucket"), _derived(key, b"voter")[:16], _derived(key, b"dedupe"))


def spent(key: bytes) -> Sender:
    """A participant of a town hall that is closed."""
    return Sender(Actor("audience", author=NOBODY), key, None, key)


def watching(key: bytes) -> Sender:
    """Somebody without a token: no tag, no vote, no name."""
    return Sender(Actor("audience"), key, None, key)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose, hashlib.sha256)
