"""JSON answers: always an Ack."""

from typing import Any

from aiohttp import web

from protocol import wire
from protocol.frames import Ack
from protocol.names import Language
from protocol.refusals import Refusal
from server.answers import accepted, refused, status
from server.http.security import headers

JSON = "application/json"


def reply(ack: Ack) -> web.Response:
    """An Ack with the HTTP status of its code."""
    return web.Response(body=wire.dumps(ack), status=status(ack), content_type=JSON, headers=headers_of(ack))


def headers_of(ack: Ack) -> dict[str, str]:
    """Of an answer that is this Ack, but for the type and length of its body."""
    found = headers("api")
    if ack.error is not None and ack.error.retry_after_ms is not None:
        found["Retry-After"] = str(-(-ack.error.retry_after_ms // 1000))  # RFC 9110, 10.2.3: whole seconds
    return found


def done(data: Any = None) -> web.Response:
    """`{ok: true, data}`."""
    return reply(accepted(data=data))


def no(refusal: Refusal, request: web.Request) -> web.Response:
    """`{ok: false, error}` in the language of the request."""
    return reply(refused(refusal, language(request)))


def language(request: web.Request) -> Language:
    """`?lang=`, else the first of Accept-Language that we have, else Korean."""
    return spoken(str(request.query.get("lang") or ", ".join(request.headers.getall("Accept-Language", ()))))


def spoken(asked: str) -> Language:
    """The first of Accept-Language `asked` that we have, else Korean."""
    for part in asked.split(","):
        short = part.strip().lower()[:2]
        if short in ("ko", "en"):
            return "ko" if short == "ko" else "en"
    return "ko"


def bearer(request: web.Request) -> str:
    """The token of an Authorization header (RFC 6750), "" if there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.isascii() else ""
