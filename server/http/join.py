"""Coming in: the public card of a town hall, and a participant's ticket."""

import io
import random
import time
from functools import lru_cache

import segno
from aiohttp import web

from protocol.limits import limit
from protocol.refusals import Refusal
from server.buckets import Buckets
from server.http.address import asked_from
from server.http.context import Context
from server.http.replies import done, no
from server.http.security import headers

QRS_MAX = 256
"""Drawn codes that are kept: drawing one takes milliseconds, and anybody may ask for a town hall's."""


SPREAD_MS = 5_000
"""Over so long are those spread who are told to come again: a whole office shares one address."""


def routes(context: Context) -> list[web.RouteDef]:
    """`GET /api/v1/halls/CODE`, `POST …/join`, `GET …/qr.svg`."""
    joins = Buckets(limit("joins_per_address_per_min"), 60)

    def key(request: web.Request) -> bytes:
        return context.addresses.key(*asked_from(request))

    async def card(request: web.Request) -> web.StreamResponse:
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        hall = runtime.hall
        return done(
            {
                "code": hall.code,
                "title": hall.setup.title,
                "phase": hall.phase,
                "mode": hall.mode,
                "language": hall.setup.language,
                "admission": hall.admission,
            }
        )

    async def join(request: web.Request) -> web.StreamResponse:
        wait_s = joins.take(key(request), time.monotonic())
        if wait_s:
            return no(Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + random.randint(1, SPREAD_MS)), request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        return done({"ticket": context.gateway.admission.tickets.issue(runtime.code)})

    async def qr(request: web.Request) -> web.StreamResponse:
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        return svg(context.gateway.admission.links.audience_url(runtime.code))

    return [
        web.get("/api/v1/halls/{code}", card),
        web.post("/api/v1/halls/{code}/join", join),
        web.get("/api/v1/halls/{code}/qr.svg", qr),
    ]


def svg(text: str) -> web.Response:
    """A QR code (ISO/IEC 18004, error correction M) as SVG."""
    return web.Response(body=_drawn(text), content_type="image/svg+xml", headers=headers("api"))


@lru_cache(QRS_MAX)
def _drawn(text: str) -> bytes:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False, omitsize=True)
    return out.getvalue()
