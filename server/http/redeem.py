"""From a token to a participant's ticket: a nonce, then the proof. No cookie, no account, nothing of a person."""

import base64
import binascii
import time
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from protocol.limits import limit
from protocol.refusals import Refusal
from server.admission.redeem import ShownToken
from server.buckets import Buckets
from server.http.address import asked_from
from server.http.body import read, typed
from server.http.context import Context
from server.http.replies import done, no
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable

Bytes = Annotated[str, Meta(max_length=1_000, pattern=r"^[A-Za-z0-9_-]*$")]


class Redeem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/halls/CODE/redeem`; values base64url without padding (protocol/credentials.py).

    `few`: I will come in with fewer than are let in together.
    """

    prefix: Bytes
    signature: Bytes
    device_key: Bytes
    nonce: Bytes
    proof: Bytes
    few: bool = False


def routes(context: Context) -> list[web.RouteDef]:
    """`POST /api/v1/halls/CODE/nonce`, `POST …/redeem`."""
    shown_by = Buckets(limit("joins_per_address_per_min"), 60)

    async def nonce(request: web.Request) -> web.StreamResponse:
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        return done({"nonce": base64.urlsafe_b64encode(context.redeemer.nonce(runtime)).decode().rstrip("=")})

    async def redeem(request: web.Request) -> web.StreamResponse:
        wait_s = shown_by.take(context.addresses.key(*asked_from(request)), time.monotonic())
        if wait_s:
            return no(Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1), request)
        asked = typed(await read(request, "frame_bytes"), Redeem)
        if isinstance(asked, Refusal):
            return no(asked, request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        shown = ShownToken(
            prefix=_bytes(asked.prefix),
            signature=_bytes(asked.signature),
            device_key=_bytes(asked.device_key),
            nonce=_bytes(asked.nonce),
            proof=_bytes(asked.proof),
            few=asked.few,
        )
        try:
            ticket = await context.redeemer.redeem(runtime, shown)
        except (StoreUnavailable, Busy):
            return no(Refusal("not_saved", retry_after_ms=1_000), request)
        except StoreRefused:
            return no(Refusal("disk_full", retry_after_ms=5_000), request)
        return no(ticket, request) if isinstance(ticket, Refusal) else done({"ticket": ticket, "good_for_s": limit("ticket_s")})

    return [
        web.post("/api/v1/halls/{code}/nonce", nonce),
        web.post("/api/v1/halls/{code}/redeem", redeem),
    ]


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
