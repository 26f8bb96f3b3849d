"""The issuer's interface: its card and its signature for a person's browser, its keys for the organiser."""

import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from protocol.credentials import WAITING_TOKENS, key_hex, key_words
from protocol.limits import limit
from protocol.names import HallCode, Language
from protocol.refusals import Refusal
from protocol.setup import EligibilityKind, Issuer
from server.buckets import Buckets
from server.http import openings
from server.http.address import Addresses, asked_from
from server.http.body import read, typed
from server.http.built import Built, Handler, assets
from server.http.openings import Guard
from server.http.replies import done, no
from server.http.security import headers, page_csp
from server.issuer.eligibility import Eligibility, Issuance
from server.issuer.issuances import Issuances

Url = Annotated[str, Meta(pattern=r"^https?://[A-Za-z0-9.:\[\]-]{1,250}$")]


class NewIssuance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/issuances`. Without a code, one is drawn. `chat_url`: origin of the chat's pages.

    `ends_at`: planned end of the town hall, unix seconds; or in `days`; otherwise tomorrow at this time.
    """

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    chat_url: Url
    kinds: Annotated[tuple[EligibilityKind, ...], Meta(min_length=1, max_length=3)]
    language: Language = "ko"
    code: HallCode | None = None
    days: Annotated[int, Meta(ge=1, le=limit("issuing_days"))] | None = None
    ends_at: Annotated[int, Meta(ge=0, le=2**40)] | None = None


class AskedToSign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/issuances/CODE/sign`. `blinded`: base64url. `proof`: of being eligible, as its `kind` wants it.
    `waiting`: blinded values of waiting tokens, which another key signs.
    """

    blinded: Annotated[str, Meta(max_length=1_000)]
    kind: EligibilityKind
    proof: Annotated[str, Meta(max_length=1_000)] = ""
    waiting: Annotated[tuple[Annotated[str, Meta(max_length=1_000)], ...], Meta(max_length=WAITING_TOKENS)] = ()


@dataclass(slots=True)
class Desk:
    """What the issuer's handlers are given. `public_url`: origin that people reach it at, known once it listens.
    `chat_url`: what its organiser's page proposes as the chat's address; "" where nothing is known. `mails`: whether there
    is an SMTP server. `staff_key`: public half of what grants to staff are signed with, "" where none are given.
    """

    issuances: Issuances
    eligibility: Mapping[EligibilityKind, Eligibility]
    addresses: Addresses
    built: Mapping[str, Built]
    guard: Guard
    public_url: str = ""
    chat_url: str = ""
    mails: bool = False
    staff_key: str = ""
    failures: Buckets = field(default_factory=lambda: Buckets(limit("failed_proofs_per_address_per_min"), 60))

    def slowed(self, buckets: Buckets, request: web.Request) -> Refusal | None:
        """Why an address that asks too often is refused."""
        wait_s = buckets.take(self.addresses.key(*asked_from(request)), time.monotonic())
        return Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1) if wait_s else None

    def failed(self, request: web.Request, refusal: Refusal) -> web.Response:
        """The answer to an invitation, a session or a key that is none. Only these count: nobody who has a good one can be
        kept out by others of the same address.
        """
        return no(self.slowed(self.failures, request) or refusal, request)

    async def find(self, request: web.Request) -> Issuance | Refusal:
        """The issuance that a request's path names."""
        found = await self.issuances.get(request.match_info["code"].strip().upper()[:20])
        return found if found is not None and found.spki else Refusal("unknown_hall", field="$.code")


def card(desk: Desk, issuance: Issuance) -> Issuer:
    """What the organiser carries to the chat: it stands in the first entry of the town hall's log."""
    return Issuer(
        url=desk.public_url,
        key=b64(issuance.spki),
        kinds=issuance.kinds,
        staff_key=desk.staff_key,
        waiting_key=b64(issuance.waiting_spki),
    )


def guarded(desk: Desk, handler: Handler) -> Handler:
    """Only for the issuer's own organiser, who is not the chat's."""
    return desk.guard.only(handler)


def routes(desk: Desk) -> list[web.RouteDef]:
    """`/admit/CODE`, `/organiser`, `/api/v1/issuances…`, assets, and what each way of being eligible brings."""
    opened_by = Buckets(limit("signatures_per_address_per_min"), 60)

    def page(name: str) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            found = desk.built.get(name)
            if found is None:
                return web.Response(status=503, text="The pages are not built: run `make build`.\n", headers=headers("api"))
            return found.response(request, headers("page", page_csp(request.host)))

        return serve

    async def shown(request: web.Request) -> web.StreamResponse:
        issuance = await desk.find(request)
        if isinstance(issuance, Refusal):
            return no(issuance, request)
        return done({**public(issuance), "kinds": issuance.kinds, "chat_url": issuance.chat_url})

    async def sign(request: web.Request) -> web.StreamResponse:
        asked = typed(await read(request, "frame_bytes"), AskedToSign)
        if isinstance(asked, Refusal):
            return no(asked, request)
        issuance = await desk.find(request)
        if isinstance(issuance, Refusal):
            return no(issuance, request)
        way = desk.eligibility.get(asked.kind) if asked.kind in issuance.kinds else None
        if way is None:
            return desk.failed(request, Refusal("not_eligible"))
        person = await way.person(request, issuance, asked.proof)
        if isinstance(person, Refusal):
            return desk.failed(request, person)
        blinded, waiting = unb64(asked.blinded), [unb64(one) for one in asked.waiting]
        if refusal := await desk.issuances.unsignable(issuance, blinded, waiting):
            return no(refusal, request)
        # An open code shows nothing that could be looked at first. Whoever showed something waits for nobody who did not.
        if way.kind == "open" and (refusal := desk.slowed(opened_by, request)):
            return no(refusal, request)
        signed = await desk.issuances.sign_all(issuance, person, blinded, waiting)
        if isinstance(signed, Refusal):
            return no(signed, request)
        answer = done({"signature": b64(signed[0]), "waiting": [b64(one) for one in signed[1:]]})
        way.given(request, answer)
        return answer

    async def listed(request: web.Request) -> web.StreamResponse:
        return done([await told(desk, issuance) for issuance in await desk.issuances.all()])

    async def create(request: web.Request) -> web.StreamResponse:
        asked = typed(await read(request, "staff_frame_bytes"), NewIssuance)
        if isinstance(asked, Refusal):
            return no(asked, request)
        if any(kind not in desk.eligibility for kind in asked.kinds):
            return no(Refusal("bad_request", field="$.kinds"), request)
        made = await desk.issuances.create(
            asked.title, asked.language, asked.chat_url, asked.kinds, asked.code, asked.days, asked.ends_at
        )
        return no(made, request) if isinstance(made, Refusal) else done(await told(desk, made))

    async def offered(request: web.Request) -> web.StreamResponse:
        return done({"kinds": tuple(desk.eligibility), "chat_url": desk.chat_url, "mails": desk.mails})

    async def one(request: web.Request) -> web.StreamResponse:
        issuance = await desk.find(request)
        return no(issuance, request) if isinstance(issuance, Refusal) else done(await told(desk, issuance))

    async def close(request: web.Request) -> web.StreamResponse:
        issuance = await desk.find(request)
        if isinstance(issuance, Refusal):
            return no(issuance, request)
        return done(await told(desk, await desk.issuances.close_issuing(issuance)))

    async def alive(request: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True}, headers=headers("api"))

    return [
        web.get("/admit/{code}", page("admit.html")),
        web.get("/organiser", page("issuer.html")),
        web.get("/api/v1/eligibility", guarded(desk, offered)),
        web.get("/api/v1/issuances/{code}", shown),
        web.post("/api/v1/issuances/{code}/sign", sign),
        web.get("/api/v1/issuances", guarded(desk, listed)),
        web.post("/api/v1/issuances", guarded(desk, create)),
        web.get("/api/v1/issuances/{code}/organiser", guarded(desk, one)),
        web.post("/api/v1/issuances/{code}/close", guarded(desk, close)),
        web.get("/healthz", alive),
        *openings.routes(desk.guard, lambda: desk.public_url),
        *assets(dict(desk.built)),
        *(route for way in desk.eligibility.values() for route in way.routes()),
    ]


def public(issuance: Issuance) -> dict[str, Any]:
    """What anybody may know."""
    return {
        "code": issuance.code,
        "title": issuance.title,
        "language": issuance.language,
        "open": issuance.open,
        "key": b64(issuance.spki),
        "waiting_key": b64(issuance.waiting_spki),
        "closes_at": issuance.closes_at,
    }


async def told(desk: Desk, issuance: Issuance) -> dict[str, Any]:
    """What the organiser may know: how many, never who."""
    return {
        **public(issuance),
        "chat_url": issuance.chat_url,
        "ends_at": issuance.ends_at,
        "issued": await desk.issuances.issued(issuance),
        "issuer": card(desk, issuance),
        "key_hex": key_hex(issuance.spki),
        "key_words": key_words(issuance.spki, issuance.language),
    }


def b64(raw: bytes) -> str:
    """base64url without padding (RFC 4648, 5)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    """The bytes; none where it is no base64url: whoever wants a length refuses those."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
