"""Commands by POST: the same payloads, acknowledgements and limits as over the socket."""

import asyncio

from aiohttp import web

from protocol import wire
from protocol.commands import Join
from protocol.limits import limit
from protocol.names import Role
from protocol.refusals import Refusal
from server.http.context import Context
from server.http.replies import bearer, language, no, reply

ROLES: dict[str, Role] = {
    "audience": "audience",
    "host": "host",
    "director": "director",
    "overlay": "overlay",
    "organiser": "organiser",
}

BODY_S = 15.0
"""A body that has not come whole by then is not waited for."""


def routes(context: Context) -> list[web.RouteDef]:
    """`POST /api/v1/halls/CODE/ROLE/commands`."""

    async def post(request: web.Request) -> web.StreamResponse:
        role = ROLES.get(request.match_info["role"])
        if role is None:
            return no(Refusal("unknown_command"), request)
        body = await read(request, "setup_bytes" if role == "organiser" else "staff_frame_bytes")
        if isinstance(body, Refusal):
            return no(body, request)
        join = Join(code=request.match_info["code"], token=bearer(request), lang=language(request))
        session = await context.gateway.join(role, join)
        if isinstance(session, Refusal):
            return no(session, request)
        if not isinstance(body, dict) or set(body) != {"command", "payload"}:
            return no(Refusal("bad_request", field="$"), request)
        return reply(await context.gateway.answer(session, body["command"], body["payload"]))

    return [web.post("/api/v1/halls/{code}/{role}/commands", post)]


async def read(request: web.Request, bound: str) -> object | Refusal:
    """The JSON body, within the bound."""
    raw = await read_bytes(request, bound)
    if isinstance(raw, Refusal):
        return raw
    try:
        value: object = wire.loads(raw)
    except wire.BadJson:
        return Refusal("bad_request", field="$")
    return value


async def read_bytes(request: web.Request, bound: str) -> bytes | Refusal:
    """The body, not read further than the bound."""
    most = limit(bound)
    if (request.content_length or 0) > most or request.headers.get("Content-Encoding"):
        return Refusal("too_big")
    raw = b""
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.content.iter_chunked(65_536):
                raw += chunk
                if len(raw) > most:
                    return Refusal("too_big")
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return raw
