"""The organiser's interface: create, list, look at, import, QR."""

import time
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from moderation.context import Actor
from moderation.context import Context as Known
from protocol.limits import limit
from protocol.names import HallCode
from protocol.refusals import Refusal
from protocol.setup import Admission, Setup
from protocol.views import OrganiserHall, RoleLink
from server.admission.signature import is_issuer_key
from server.gateway.staff import DAYS, everybody, hand_out
from server.halls.runtime import Runtime
from server.http import csv_import
from server.http.body import read, read_bytes, typed
from server.http.built import Handler
from server.http.context import Context
from server.http.join import svg
from server.http.replies import bearer, done, language, no
from server.http.staff import states
from server.settings import Settings
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable


class NewHall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/halls`. Without a code, one is drawn."""

    setup: Setup
    code: HallCode | None = None
    admission: Admission | None = None
    """With the issuer's card; without it, whoever has the link is a participant."""
    link_days: Annotated[int, msgspec.Meta(ge=1, le=limit("link_days"))] = DAYS
    """How long the links of its hosts, directors and overlay hold, which are made with it."""


class QrText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/qr`."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


def shown(context: Context, runtime: Runtime, made: tuple[RoleLink, ...] = ()) -> OrganiserHall:
    """A town hall as its organiser sees it. `made`: links that were made just now."""
    hall = runtime.hall
    return OrganiserHall(
        code=hall.code,
        setup=hall.setup,
        phase=hall.phase,
        opened_at=hall.opened_at,
        closed_at=hall.closed_at,
        counts=hall.counts(),
        viewers=runtime.viewers,
        untied=context.gateway.directory.untied(runtime.code),
        admission=hall.admission,
        participants=len(hall.admitted),
        audit=hall.chain,
        audience_url=context.gateway.admission.links.audience_url(hall.code),
        links=states(runtime, int(time.time())),
        made=made,
    )


def routes(context: Context) -> list[web.RouteDef]:
    """All need `Authorization: Bearer ORGANISER_KEY`."""
    gateway = context.gateway

    def guarded(handler: Handler) -> Handler:
        async def check(request: web.Request) -> web.StreamResponse:
            if not gateway.admission.is_organiser(bearer(request)):
                return no(Refusal("not_admitted"), request)
            try:
                return await handler(request)
            except (StoreUnavailable, Busy):
                return no(Refusal("not_saved", retry_after_ms=1_000), request)
            except StoreRefused:
                return no(Refusal("disk_full", retry_after_ms=5_000), request)

        return check

    async def listed(request: web.Request) -> web.StreamResponse:
        found = [await gateway.find(code) for code in await gateway.directory.codes()]
        return done([shown(context, runtime) for runtime in found if isinstance(runtime, Runtime)])

    async def create(request: web.Request) -> web.StreamResponse:
        body = await read(request, "setup_bytes")
        asked = typed(body, NewHall)
        if isinstance(asked, Refusal):
            return no(asked, request)
        if asked.admission is not None and not is_issuer_key(asked.admission.issuer.key):
            return no(Refusal("bad_request", field="$.admission.issuer.key"), request)
        waiting = asked.admission.issuer.waiting_key if asked.admission is not None else ""
        # One key for both would sign an entry as a waiting token: what is signed is not seen.
        if asked.admission is not None and waiting and (waiting == asked.admission.issuer.key or not is_issuer_key(waiting)):
            return no(Refusal("bad_request", field="$.admission.issuer.waiting_key"), request)
        runtime = await gateway.directory.create(
            asked.code, asked.setup, Actor("organiser"), known(context.settings), asked.admission
        )
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        gateway_links = context.gateway.admission.links
        holders = everybody(runtime.hall, runtime.hall.setup.language)
        # It exists even if its links could not be made: the organiser's page makes them again, one by one.
        made = await hand_out(gateway.executor, gateway_links, runtime, holders, days=asked.link_days)
        return done(shown(context, runtime, () if isinstance(made, Refusal) else made))

    async def one(request: web.Request) -> web.StreamResponse:
        runtime = await gateway.find(request.match_info["code"])
        return no(runtime, request) if isinstance(runtime, Refusal) else done(shown(context, runtime))

    async def imported(request: web.Request) -> web.StreamResponse:
        raw = await read_bytes(request, "setup_bytes")
        found = raw if isinstance(raw, Refusal) else csv_import.parse(raw, language(request))
        if isinstance(found, Refusal):
            return no(found, request)
        departments, directors = found
        return done({"departments": departments, "directors": directors})

    async def qr(request: web.Request) -> web.StreamResponse:
        asked = typed(await read(request, "staff_frame_bytes"), QrText)
        return no(asked, request) if isinstance(asked, Refusal) else svg(asked.text)

    return [
        web.get("/api/v1/halls", guarded(listed)),
        web.post("/api/v1/halls", guarded(create)),
        web.get("/api/v1/halls/{code}/organiser", guarded(one)),
        web.post("/api/v1/directors-csv", guarded(imported)),
        web.post("/api/v1/qr", guarded(qr)),
    ]


def known(settings: Settings) -> Known:
    """What a decision may know from outside."""
    now = int(time.time())
    return Known(now, datetime.fromtimestamp(now, ZoneInfo(settings.time_zone)).date().isoformat())
