"""How an organiser comes in: by an opening address that the first browser keeps to itself, or with a key for programs.

A browser keeps the addresses that it opens. So the one that `serve` prints holds no key, but an opening code: drawn anew at each
start, bound to the browser that first opens it, and worth nothing to anybody else from then on. The page asks for short tickets
with a proof of its key. Until then the code itself admits, for programs. The key for programs stands in no address.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from protocol.limits import limit
from protocol.link_proofs import LinkProof
from protocol.refusals import Refusal
from server.link_proof import key_shown, nonce_of
from server.nonces import Nonces
from server.secret import Secret

NAME: Final = 8
"""Letters of an opening's name at the head of its code, as of a link's."""
ROLE: Final = "organiser"
_RANDOM: Final = 32
_EXPIRY: Final = 6
_SALT: Final = 10
_MAC: Final = 16
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


class NotKept(Exception):
    """Openings can neither be read nor written at the moment."""


class Opening(NamedTuple):
    """`until`: unix seconds. `key`: SHA-256 of the key of the browser that it is bound to, b"" while there is none."""

    until: int
    key: bytes


class Storage(Protocol):
    """Openings by SHA-256 of their code. All methods raise NotKept."""

    async def add(self, id: str, until: int, now: int) -> None:
        """A new one. Those that are over go, and of more than limits.openings those that end first."""

    async def find(self, id: str) -> Opening | None:
        """None: it was never made, has gone or was ended."""

    async def bind(self, id: str, key: bytes, until: int) -> bytes:
        """The key that it is bound to now: `key`, unless another was first; then it also holds until `until`."""

    async def spend(self, nonce: bytes) -> bool:
        """Whether the nonce was not spent before."""

    async def end(self) -> None:
        """All go: no browser comes in by them any more."""


class Organisers:
    """Who is an organiser, without asking anybody: the key for programs, and tickets. `clock`: unix seconds."""

    def __init__(self, secret: Secret, api_key: str, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret.key("organiser-ticket")
        self._api_key = api_key
        self._clock = clock

    def ticket(self) -> str:
        """Good for limits.staff_ticket_s."""
        until = int(self._clock() + limit("staff_ticket_s"))
        body = until.to_bytes(_EXPIRY, "big") + secrets.token_bytes(_SALT)
        return _text(body + self._mac(body))

    def admit(self, token: str) -> bool:
        """Whether `token` is the key or a ticket that holds."""
        if hmac.compare_digest(token.encode(), self._api_key.encode()):
            return True
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return False
        body, mac = raw[: _EXPIRY + _SALT], raw[_EXPIRY + _SALT :]
        return hmac.compare_digest(self._mac(body), mac) and int.from_bytes(body[:_EXPIRY], "big") > self._clock()

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, hashlib.sha256)[:_MAC]


class Openings:
    """`api_key`: for programs. `nonces`: of all who share `storage`. `clock`: unix seconds."""

    def __init__(
        self, secret: Secret, api_key: str, storage: Storage, nonces: Nonces, clock: Callable[[], float] = time.time
    ) -> None:
        self.organisers = Organisers(secret, api_key, clock)
        self.api_key = api_key
        self._secret = secret.key("opening")
        self._nonces = nonces
        self._storage = storage
        self._clock = clock

    async def url(self, public_url: str) -> str:
        """A new address of the organiser's page, good for limits.opening_h unless a browser opens it. Raises NotKept."""
        body = secrets.token_hex(NAME // 2) + _text(secrets.token_bytes(_RANDOM))
        code = f"{body}.{self._mac(body)}"
        now = int(self._clock())
        await self._storage.add(_id(code), now + limit("opening_h") * _HOUR_S, now)
        return f"{public_url}/organiser#{code}"

    async def admit(self, token: str) -> Refusal | None:
        """None: `token` is the key, a ticket, or a code that no browser has opened. Raises NotKept."""
        if self.organisers.admit(token):
            return None
        if not self._ours(token):
            return Refusal("not_admitted")
        found = await self._found(token)
        return None if found is not None and not found.key else Refusal("opening_used")

    def nonce(self) -> bytes:
        """What a browser has to sign next."""
        return self._nonces.new(ROLE)

    async def ticket(self, code: str, shown: LinkProof | None) -> str | Refusal:
        """A ticket for an opening code; with `shown` it is bound, where it is not yet.

        Refuses `not_admitted`, `opening_used`, `stale_nonce`. Raises NotKept.
        """
        if not self._ours(code):
            return Refusal("not_admitted")
        found = await self._found(code)
        if found is None:
            return Refusal("opening_used")
        if shown is None:
            return Refusal("opening_used") if found.key else self.organisers.ticket()
        nonce = nonce_of(shown)
        if not self._nonces.good(ROLE, nonce):
            return Refusal("stale_nonce", retry_after_ms=0)
        key = key_shown("", ROLE, code[:NAME], shown)
        if key is None:
            return Refusal("not_admitted")
        if not await self._storage.spend(nonce):
            return Refusal("stale_nonce", retry_after_ms=0)
        until = found.until if found.key else int(self._clock()) + limit("opened_days") * _DAY_S
        bound = await self._storage.bind(_id(code), key, until)
        return self.organisers.ticket() if bound == key else Refusal("opening_used")

    async def end(self) -> None:
        """No browser comes in by an address of before; tickets that are out end by themselves. Raises NotKept."""
        await self._storage.end()

    async def _found(self, code: str) -> Opening | None:
        found = await self._storage.find(_id(code))
        return found if found is not None and found.until > self._clock() else None

    def _ours(self, code: str) -> bool:
        body, _, mac = code.partition(".")
        return hmac.compare_digest(self._mac(body).encode(), mac.encode())

    def _mac(self, body: str) -> str:
        return _text(hmac.digest(self._secret, body.encode("utf-8", "surrogatepass"), hashlib.sha256)[:_MAC])


def _id(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
