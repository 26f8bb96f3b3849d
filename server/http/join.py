"""Coming in: the public card of a town hall, and a participant's ticket."""

import io
from functools import lru_cache

import segno
from aiohttp import web

from protocol.refusals import Refusal
from server.http.address import asked_from
from server.http.body import read_bytes
from server.http.built import Handler
from server.http.context import Context
from server.http.entrance import GOES_ON, What
from server.http.errors import internal
from server.http.replies import done, no
from server.http.security import headers

QRS_MAX = 256
"""Drawn codes that are kept: drawing one takes milliseconds, and anybody may ask for a town hall's."""


def routes(context: Context) -> list[web.RouteDef]:
    """`GET /api/v1/halls/CODE`, `POST …/join`, `GET …/qr.svg`."""

    async def qr(request: web.Request) -> web.StreamResponse:
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        return svg(context.gateway.admission.links.audience_url(runtime.code))

    return [
        web.get("/api/v1/halls/{code}", ask(context, "card")),
        web.post("/api/v1/halls/{code}/join", ask(context, "join")),
        web.get("/api/v1/halls/{code}/qr.svg", qr),
    ]


def ask(context: Context, what: What, bound: str = "") -> Handler:
    """Asks the entrance for `what`. `bound`: of a body that it takes."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            answer = await answered(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            resource = request.match_info.route.resource
            answer = no(internal(resource.canonical if resource else "-"), request)
        if what not in GOES_ON:
            answer.force_close()
        return answer

    async def answered(request: web.Request) -> web.Response:
        refusal = context.entrance.too_many(what, lambda: context.addresses.key(*asked_from(request)))
        if refusal is not None:
            return no(refusal, request)
        body = await read_bytes(request, bound) if bound else b""
        if isinstance(body, Refusal):
            return no(body, request)
        told = context.entrance.told(what, request.match_info["code"], body)
        if not isinstance(told, dict | Refusal):
            told = await told
        return no(told, request) if isinstance(told, Refusal) else done(told)

    return handle


def svg(text: str) -> web.Response:
    """A QR code (ISO/IEC 18004, error correction M) as SVG."""
    return web.Response(body=_drawn(text), content_type="image/svg+xml", headers=headers("api"))


@lru_cache(QRS_MAX)
def _drawn(text: str) -> bytes:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False, omitsize=True)
    return out.getvalue()
