"""`GET /metrics`: for whoever has the token.

Not by address: behind a reverse proxy on the same machine everybody comes from the loopback, and ours passes no header on
that would tell.
"""

import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from protocol.refusals import Refusal
from server import metrics
from server.http.context import Context
from server.http.replies import bearer, no
from server.http.security import headers
from server.secret import private_text
from server.settings import Settings

TOKEN = "metrics-token"
"""File in the data folder, made at the first start."""
TOKEN_MIN = 16
"""Characters."""


def routes(context: Context, figures: Callable[[], Awaitable[metrics.Families]]) -> list[web.RouteDef]:
    """`figures` are those of the whole server, of all its processes. Raises BadToken, OSError."""
    wanted = token(context.settings)

    async def get(request: web.Request) -> web.Response:
        if not hmac.compare_digest(bearer(request).encode(), wanted.encode()):
            return no(Refusal("not_allowed"), request)
        body = metrics.exposition(await figures())
        return web.Response(body=body, headers={**headers("api"), "Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/metrics", get)]


class BadToken(Exception):
    """The file holds no token worth the name; its name is all that is told."""


def token(settings: Settings) -> str:
    """Of the file that the settings name, or of one that is made. Raises BadToken, OSError."""
    file = Path(settings.metrics_token_file or Path(settings.data_dir) / TOKEN)
    try:
        found = file.read_text("ascii").strip() if settings.metrics_token_file else private_text(file)
    except UnicodeDecodeError:
        found = ""
    if len(found) < TOKEN_MIN:
        raise BadToken(str(file))
    return found
