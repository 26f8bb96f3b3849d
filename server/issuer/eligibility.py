"""Who is eligible: one interface, one implementation a way of showing it (open code, invitation, single sign-on)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from protocol.names import Language
from protocol.refusals import Refusal
from protocol.setup import EligibilityKind


@dataclass(frozen=True, slots=True)
class Issuance:
    """What the issuer knows of one town hall. `chat_url`: where its browsers go back to, `https://chat.example.org`.

    `kinds`: the ways of being eligible that count here. `spki`: the public key (DER, RFC 5280); `waiting_spki`: that of
    waiting tokens, b"" where there are none. `open`: the private keys still exist. `closes_at`: unix seconds at which those
    are destroyed, if nobody does so before. `issued`: how many had a signature when they were. `ends_at`: planned end of
    the town hall; 0 where the keys are of a version that did not ask for it.
    """

    code: str
    title: str
    language: Language
    chat_url: str
    kinds: tuple[EligibilityKind, ...]
    spki: bytes
    open: bool
    closes_at: int
    issued: int = 0
    waiting_spki: bytes = b""
    ends_at: int = 0


class Eligibility(Protocol):
    """One way of showing that one is eligible."""

    @property
    def kind(self) -> EligibilityKind:
        """Its name in an issuance's `kinds` and in the body of a request to sign."""
        ...

    def routes(self) -> Sequence[web.RouteDef]:
        """Routes of its own, such as signing in and coming back; none of them is under `/api/v1/issuances/CODE/sign`."""
        ...

    async def person(self, request: web.Request, issuance: Issuance, proof: str) -> tuple[bytes, ...] | Refusal:
        """Who asks: every opaque id that they are known by, of at most 1,000 bytes each; or why they are not eligible.

        `proof`: what the page sent with the blinded value (an invitation's secret), "" where the request itself shows it (a
        session). An id is never stored or logged: only its HMAC under a key of the town hall is. All of them are bound to
        the entry, and nobody gets another one by any of them: an account by its subject and by its address, so that whatever
        becomes of the address it is one person. Two ways that can tell that they speak of the same human (by the e-mail
        address) share an id: one person is one participant.
        """
        ...

    def given(self, request: web.Request, response: web.StreamResponse) -> None:
        """The signature was given and is about to be sent: what showed that somebody is eligible has done its work."""
        ...
