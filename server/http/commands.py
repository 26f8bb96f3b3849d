"""Commands by POST: the same payloads, acknowledgements and limits as over the socket."""

from aiohttp import web

from protocol.commands import Join
from protocol.names import Role
from protocol.refusals import Refusal
from server.http.address import asked_from
from server.http.body import read
from server.http.context import Context
from server.http.replies import bearer, language, no, reply

ROLES: dict[str, Role] = {
    "audience": "audience",
    "host": "host",
    "director": "director",
    "overlay": "overlay",
    "organiser": "organiser",
}

WAITS = "round:await"


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
        if role == "audience" and not join.token:
            # Nobody in particular: they may watch, and say that they wait.
            if not isinstance(body, dict) or body.get("command") != WAITS:
                return no(Refusal("not_admitted"), request)
            session = context.gateway.known_by(session, context.addresses.key(*asked_from(request)))
        if not isinstance(body, dict) or set(body) != {"command", "payload"}:
            return no(Refusal("bad_request", field="$"), request)
        return reply(await context.gateway.answer(session, body["command"], body["payload"]))

    return [web.post("/api/v1/halls/{code}/{role}/commands", post)]
