"""JSON answers: always an Ack."""

from typing import Any

from aiohttp import web

from protocol import wire
from protocol.frames import Ack
from protocol.names import Language
from protocol.refusals import Refusal
from server.answers import accepted, refused, status
from server.http.security import headers


def reply(ack: Ack) -> web.Response:
    """An Ack with the HTTP status of its code."""
    extra = {}
    if ack.error is not None and ack.error.retry_after_ms is not None:
        extra["Retry-After"] = str(-(-ack.error.retry_after_ms // 1000))  # RFC 9110, 10.2.3: whole seconds
    return web.Response(
        body=wire.dumps(ack), status=status(ack), content_type="application/json", headers={**headers("api"), **extra}
    )


def done(data: Any = None) -> web.Response:
    """`{ok: true, data}`."""
    return reply(accepted(data=data))


def no(refusal: Refusal, request: web.Request) -> web.Response:
    """`{ok: false, error}` in the language of the request."""
    return reply(refused(refusal, language(request)))


def language(request: web.Request) -> Language:
    """`?lang=`, else the first of Accept-Language that we have, else Korean."""
    asked = str(request.query.get("lang") or request.headers.get("Accept-Language", ""))
    for part in asked.split(","):
        short = part.strip().lower()[:2]
        if short in ("ko", "en"):
            return "ko" if short == "ko" else "en"
    return "ko"


def bearer(request: web.Request) -> str:
    """The token of an Authorization header (RFC 6750), "" if there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.isascii() else ""
