"""Reading a request's body, within its bound."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from protocol import wire
from protocol.limits import limit
from protocol.refusals import Refusal

T = TypeVar("T", bound=msgspec.Struct)
BODY_S = 15.0
"""A body that has not come whole by then is not waited for."""


async def read(request: web.Request, bound: str) -> object | Refusal:
    """The JSON body, within the bound."""
    raw = await read_bytes(request, bound)
    return raw if isinstance(raw, Refusal) else parsed(raw)


def parsed(raw: bytes) -> object | Refusal:
    """The JSON that `raw` is. Refuses `bad_request`."""
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


def typed(body: object, kind: type[T]) -> T | Refusal:
    """`body` as `kind`, or which field is wrong."""
    if isinstance(body, Refusal):
        return body
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        return Refusal("bad_request", field=str(error).partition(" - at `")[2].rstrip("`") or "$")
