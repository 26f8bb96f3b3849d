"""Who may organise, asked over HTTP; the same at the chat and at the issuer, each with openings of its own."""

import base64
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from protocol.limits import limit
from protocol.link_proofs import LinkProof
from protocol.refusals import Refusal
from server.buckets import Buckets
from server.http.address import Addresses, asked_from
from server.http.body import parsed, read_bytes, typed
from server.http.built import Handler
from server.http.replies import bearer, done, no
from server.openings import NotKept, Openings

AGAIN_MS: Final = 1_000


class Guard:
    """Counts only who has shown nothing good: behind one address there may be everybody, and the organiser comes in anyway."""

    def __init__(self, openings: Openings, addresses: Addresses) -> None:
        self.openings = openings
        self._addresses = addresses
        self._failures = Buckets(limit("bad_secrets_per_address_per_min"), 60)

    async def refused(self, request: web.Request) -> Refusal | None:
        """None: the request is an organiser's. Refuses `not_admitted`, `opening_used`, `too_many_joins`, `not_saved`."""
        try:
            why = await self.openings.admit(bearer(request))
        except NotKept:
            return Refusal("not_saved", retry_after_ms=AGAIN_MS)
        return None if why is None else self.counted(why, request)

    def counted(self, refusal: Refusal, request: web.Request) -> Refusal:
        """`refusal`, unless its address has tried too often; for what whoever guesses is told."""
        if refusal.code not in ("not_admitted", "bad_request", "too_big"):
            return refusal
        wait_s = self._failures.take(self._addresses.key(*asked_from(request)), time.monotonic())
        return Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1) if wait_s else refusal

    def only(self, handler: Handler) -> Handler:
        """`handler` for organisers alone."""

        async def check(request: web.Request) -> web.StreamResponse:
            why = await self.refused(request)
            return await handler(request) if why is None else no(why, request)

        return check


def routes(guard: Guard, public_url: Callable[[], str]) -> list[web.RouteDef]:
    """`POST /api/v1/organiser/nonce`, `POST …/ticket`, `POST …/openings`."""
    openings = guard.openings

    async def nonce(request: web.Request) -> web.StreamResponse:
        return done({"nonce": base64.urlsafe_b64encode(openings.nonce()).decode().rstrip("=")})

    async def ticket(request: web.Request) -> web.StreamResponse:
        raw = await read_bytes(request, "frame_bytes")
        shown = raw if isinstance(raw, Refusal) else typed(parsed(raw), LinkProof) if raw else None
        if isinstance(shown, Refusal):
            return no(guard.counted(shown, request), request)
        try:
            told = await openings.ticket(bearer(request), shown)
        except NotKept:
            told = Refusal("not_saved", retry_after_ms=AGAIN_MS)
        if isinstance(told, Refusal):
            return no(guard.counted(told, request), request)
        return done({"ticket": told, "expires_in_s": limit("staff_ticket_s")})

    async def make(request: web.Request) -> web.StreamResponse:
        try:
            return done({"url": await openings.url(public_url())})
        except NotKept:
            return no(Refusal("not_saved", retry_after_ms=AGAIN_MS), request)

    return [
        web.post("/api/v1/organiser/nonce", nonce),
        web.post("/api/v1/organiser/ticket", ticket),
        web.post("/api/v1/organiser/openings", guard.only(make)),
    ]
