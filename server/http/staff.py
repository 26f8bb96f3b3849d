"""Staff links over HTTP: made by the organiser or for a grant of the issuer; their secret is exchanged for a ticket."""

import contextlib
import time
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from protocol.limits import limit
from protocol.link_proofs import LinkProof
from protocol.names import Role, StaffId, StaffRole
from protocol.refusals import Refusal
from protocol.views import StaffLinkState
from server.admission.grants import granted
from server.buckets import Buckets
from server.gateway.staff import DAYS, Holder, hand_out, let_in
from server.halls.runtime import Runtime
from server.http.address import asked_from
from server.http.body import parsed, read, read_bytes, typed
from server.http.commands import ROLES
from server.http.context import Context
from server.http.replies import bearer, done, no
from server.store.client import StoreRefused, StoreUnavailable

GUESSES = frozenset({"not_admitted", "unknown_hall", "unknown_command", "bad_request", "too_big"})
"""Refusals that whoever tries secrets gets."""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to get a link. Without an id: a further moderator, known by `label`."""

    role: StaffRole
    label: Annotated[str, Meta(min_length=1, max_length=200)]
    id: StaffId | None = None


class WantedLinks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/halls/CODE/links`."""

    links: Annotated[tuple[Wanted, ...], Meta(min_length=1, max_length=500)]
    days: Annotated[int, Meta(ge=1, le=limit("link_days"))] = DAYS


def routes(context: Context) -> list[web.RouteDef]:
    """`POST /api/v1/halls/CODE/ROLE/ticket`, `POST …/ROLE/grant`, `POST /api/v1/halls/CODE/links`."""
    failures = Buckets(limit("bad_secrets_per_address_per_min"), 60)

    def refused(refusal: Refusal, request: web.Request) -> web.StreamResponse:
        """Only who has shown nothing good is counted: behind one address there may be everybody, and staff come in anyway."""
        if refusal.code in GUESSES:
            wait_s = failures.take(context.addresses.key(*asked_from(request)), time.monotonic())
            if wait_s:
                refusal = Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1)
        return no(refusal, request)

    async def asked(request: web.Request) -> tuple[Role, Runtime, LinkProof | Refusal | None] | Refusal:
        """What is wrong with the proof is told to whoever has a right secret."""
        role = ROLES.get(request.match_info["role"])
        if role is None:
            return Refusal("unknown_command")
        raw = await read_bytes(request, "frame_bytes")
        if isinstance(raw, Refusal):
            return raw
        shown = typed(parsed(raw), LinkProof) if raw else None
        runtime = await context.gateway.find(request.match_info["code"])
        return runtime if isinstance(runtime, Refusal) else (role, runtime, shown)

    async def ticket(request: web.Request) -> web.StreamResponse:
        arrived = await asked(request)
        if isinstance(arrived, Refusal):
            return refused(arrived, request)
        role, runtime, shown = arrived
        if role in ("audience", "organiser"):
            return refused(Refusal("unknown_command"), request)
        found = context.gateway.admission.links.link(runtime.hall, role, bearer(request))
        if isinstance(found, Refusal):
            return refused(found, request)
        if isinstance(shown, Refusal):
            return refused(shown, request)
        try:
            told = await context.binding.ticket(runtime.code, role, found, shown)
        except (StoreUnavailable, StoreRefused):
            return no(Refusal("not_saved", retry_after_ms=1_000), request)
        if isinstance(told, Refusal):
            return refused(told, request)
        return done({"ticket": told, "expires_in_s": limit("staff_ticket_s")})

    async def make(request: web.Request) -> web.StreamResponse:
        if (why := await context.guard.refused(request)) is not None:
            return no(why, request)
        wanted = typed(await read(request, "setup_bytes"), WantedLinks)
        if isinstance(wanted, Refusal):
            return no(wanted, request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        holders = [Holder(one.role, one.id or ("overlay" if one.role == "overlay" else ""), one.label) for one in wanted.links]
        made = await hand_out(context.gateway.executor, context.gateway.admission.links, runtime, holders, days=wanted.days)
        return no(made, request) if isinstance(made, Refusal) else done({"links": made})

    async def grant(request: web.Request) -> web.StreamResponse:
        arrived = await asked(request)
        if isinstance(arrived, Refusal):
            return refused(arrived, request)
        role, runtime, shown = arrived
        found = granted(runtime.hall, role, bearer(request), time.time())
        if isinstance(found, Refusal):
            return refused(found, request)
        if isinstance(shown, Refusal):
            return refused(shown, request)
        try:
            # Bound before it is made: nobody can be first in between.
            bound = await context.binding.bind(runtime.code, role, found.made, shown) if shown is not None else None
        except (StoreUnavailable, StoreRefused):
            bound = Refusal("not_saved", retry_after_ms=1_000)
        if bound is not None:
            return refused(bound, request)
        made = await let_in(context.gateway.executor, context.gateway.admission.links, runtime, found)
        if isinstance(made, Refusal):
            return no(made, request)
        seq, link = made
        with contextlib.suppress(TimeoutError):
            await context.gateway.directory.caught_up(runtime, seq)
        return done({"secret": link.url.partition("#")[2], "link": link.link, "good_for_s": limit("granted_link_s")})

    return [
        web.post("/api/v1/halls/{code}/{role}/grant", grant),
        web.post("/api/v1/halls/{code}/{role}/ticket", ticket),
        web.post("/api/v1/halls/{code}/links", make),
    ]


def states(runtime: Runtime, now: int) -> tuple[StaffLinkState, ...]:
    """The staff links of a town hall as they stand, newest first."""
    return tuple(
        StaffLinkState(
            link=name,
            role=link.role,
            id=link.id,
            label=link.label,
            made_at=link.made_at,
            expires=link.expires,
            state="revoked" if link.revoked else "holds" if link.holds(now) else "expired",
            live=runtime.live(name),
        )
        for name, link in reversed(runtime.hall.links.items())
    )
