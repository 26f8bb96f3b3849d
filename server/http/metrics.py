"""`GET /metrics`: for whoever has the token of `metrics_token_file`; without one, for this machine only."""

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from protocol.refusals import Refusal
from server import metrics
from server.http.context import Context
from server.http.replies import bearer, no
from server.http.security import headers

TOKEN_MIN = 16
"""Characters."""
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
"""A request with one of these came through a proxy: it only looks as if it were from this machine."""


def routes(context: Context, figures: Callable[[], Awaitable[metrics.Families]]) -> list[web.RouteDef]:
    """`figures` are those of the whole server, of all its processes. Raises BadToken, OSError."""
    wanted = token(context.settings.metrics_token_file) if context.settings.metrics_token_file else ""

    async def get(request: web.Request) -> web.Response:
        if not _may(request, wanted):
            return no(Refusal("not_allowed"), request)
        body = metrics.exposition(await figures())
        return web.Response(body=body, headers={**headers("api"), "Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/metrics", get)]


def _may(request: web.Request, wanted: str) -> bool:
    if wanted:
        return hmac.compare_digest(bearer(request).encode(), wanted.encode())
    if any(name in request.headers for name in FORWARDED):
        return False
    peer = request.transport.get_extra_info("peername") if request.transport else None
    try:
        return isinstance(peer, tuple) and ip_address(peer[0]).is_loopback
    except ValueError:
        return False


class BadToken(Exception):
    """The file holds no token worth the name; its name is all that is told."""


def token(file: str) -> str:
    """The token in `file`. Raises BadToken, OSError."""
    try:
        found = Path(file).read_text("ascii").strip()
    except UnicodeDecodeError:
        found = ""
    if len(found) < TOKEN_MIN:
        raise BadToken(file)
    return found
