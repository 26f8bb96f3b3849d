"""The organiser's interface: create, list, look at, import, QR."""

import time
from datetime import datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from moderation.context import Actor
from moderation.context import Context as Known
from protocol.names import HallCode
from protocol.refusals import Refusal
from protocol.setup import Setup
from protocol.views import OrganiserHall
from server.halls.runtime import Runtime
from server.http import csv_import
from server.http.commands import read, read_bytes
from server.http.context import Context
from server.http.join import svg
from server.http.pages import Handler
from server.http.replies import bearer, done, language, no
from server.settings import Settings
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable

T = TypeVar("T", bound=msgspec.Struct)


class NewHall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/halls`. Without a code, one is drawn."""

    setup: Setup
    code: HallCode | None = None


class QrText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/qr`."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]


def shown(context: Context, runtime: Runtime) -> OrganiserHall:
    """A town hall as its organiser sees it, links included."""
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
        links=context.gateway.admission.links.all(hall),
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
        runtime = await gateway.directory.create(asked.code, asked.setup, Actor("organiser"), known(context.settings))
        return no(runtime, request) if isinstance(runtime, Refusal) else done(shown(context, runtime))

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


def typed(body: object, kind: type[T]) -> T | Refusal:
    """`body` as `kind`, or which field is wrong."""
    if isinstance(body, Refusal):
        return body
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        return Refusal("bad_request", field=str(error).partition(" - at `")[2].rstrip("`") or "$")


def known(settings: Settings) -> Known:
    """What a decision may know from outside."""
    now = int(time.time())
    return Known(now, datetime.fromtimestamp(now, ZoneInfo(settings.time_zone)).date().isoformat())
