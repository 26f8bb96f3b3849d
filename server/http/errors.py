"""Whatever becomes of a request, its answer is one of ours: an Ack or a line of text, with our headers."""

import secrets
from http import HTTPStatus

import structlog
from aiohttp import web

from protocol.refusals import Refusal
from server.http.built import Handler
from server.http.replies import no
from server.http.security import headers

log = structlog.get_logger()


@web.middleware
async def answer_everything(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors of the router get our headers too; a bug gets a number that is in the log, with neither text nor address."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = _told(error, request)
    except ConnectionError:
        raise
    except Exception:
        resource = request.match_info.route.resource
        refusal = internal(resource.canonical if resource else "-")
        if request.writer.output_size:
            raise ConnectionResetError("failed in the middle of an answer") from None
        response = no(refusal, request)
    if not response.prepared:
        for name, value in headers("api").items():
            response.headers.setdefault(name, value)
    return response


def internal(route: str, error: BaseException | None = None) -> Refusal:
    """Log `error`, else the one that is being handled; what to say of it is a number by which it is found there."""
    number = secrets.token_hex(4)
    log.error("internal", number=number, route=route, exc_info=error or True)
    return Refusal("internal", {"id": number})


def plain(status: int) -> web.Response:
    """A line of text that says no more than the status does."""
    return web.Response(status=status, text=f"{status}: {HTTPStatus(status).phrase}\n", headers=headers("api"))


def _told(error: web.HTTPException, request: web.Request) -> web.Response:
    if error.status < 400:
        response = web.Response(status=error.status, headers={"Location": error.headers.get("Location", "/")})
        response.headers.extend({name: value for name, value in error.headers.items() if name == "Set-Cookie"})
    elif request.path.startswith("/api/"):
        response = no(Refusal("unknown_command" if error.status in (404, 405) else "bad_request"), request)
        response.set_status(error.status)
    else:
        response = plain(error.status)
    return response
