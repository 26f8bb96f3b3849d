"""Staff links over HTTP: made by the organiser or for a grant of the issuer; their secret is exchanged for a ticket."""

import contextlib
import time
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from protocol.limits import limit
from protocol.names import StaffId, StaffRole
from protocol.refusals import Refusal
from protocol.views import StaffLinkState
from server.admission.grants import granted
from server.buckets import Buckets
from server.gateway.staff import DAYS, Holder, hand_out, let_in
from server.halls.runtime import Runtime
from server.http.address import asked_from
from server.http.body import read, typed
from server.http.commands import ROLES
from server.http.context import Context
from server.http.replies import bearer, done, no


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
    failures = Buckets(limit("joins_per_address_per_min"), 60)

    def failed(refusal: Refusal, request: web.Request) -> web.StreamResponse:
        """A secret that is none counts against its address; one that is good is never kept waiting by what others try."""
        wait_s = failures.take(context.addresses.key(*asked_from(request)), time.monotonic())
        return no(Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1) if wait_s else refusal, request)

    async def ticket(request: web.Request) -> web.StreamResponse:
        role = ROLES.get(request.match_info["role"])
        if role is None or role in ("audience", "organiser"):
            return no(Refusal("unknown_command"), request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return failed(runtime, request)
        found = context.gateway.admission.exchange(runtime.hall, role, bearer(request))
        if isinstance(found, Refusal):
            return failed(found, request)
        return done({"ticket": found, "expires_in_s": limit("staff_ticket_s")})

    async def make(request: web.Request) -> web.StreamResponse:
        refusal = context.no_organiser(request)
        if refusal is not None:
            return no(refusal, request)
        asked = typed(await read(request, "setup_bytes"), WantedLinks)
        if isinstance(asked, Refusal):
            return no(asked, request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        holders = [Holder(one.role, one.id or ("overlay" if one.role == "overlay" else ""), one.label) for one in asked.links]
        made = await hand_out(context.gateway.executor, context.gateway.admission.links, runtime, holders, days=asked.days)
        return no(made, request) if isinstance(made, Refusal) else done({"links": made})

    async def grant(request: web.Request) -> web.StreamResponse:
        role = ROLES.get(request.match_info["role"])
        if role is None:
            return no(Refusal("unknown_command"), request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return failed(runtime, request)
        found = granted(runtime.hall, role, bearer(request), time.time())
        if isinstance(found, Refusal):
            return failed(found, request)
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
