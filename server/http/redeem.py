"""From a token to a participant's ticket: a nonce, then the proof. No cookie, no account, nothing of a person."""

from aiohttp import web

from server.http.context import Context
from server.http.join import ask


def routes(context: Context) -> list[web.RouteDef]:
    """`POST /api/v1/halls/CODE/nonce`, `POST …/redeem`."""
    return [
        web.post("/api/v1/halls/{code}/nonce", ask(context, "nonce")),
        web.post("/api/v1/halls/{code}/redeem", ask(context, "redeem", "frame_bytes")),
    ]
