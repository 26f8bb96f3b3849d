"""The audit of a town hall, for its organiser: one JSON object an entry, chained (moderation/audit.py)."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from moderation.audit import advance, line
from moderation.evolve import evolve
from moderation.hall import Hall
from protocol import wire
from protocol.bus import unpack
from protocol.refusals import Refusal
from server.http.context import Context
from server.http.replies import no
from server.http.security import headers
from server.store import log as store_log
from server.store.client import Store, StoreRefused, StoreUnavailable


async def audit_lines(store: Store, code: str) -> AsyncIterator[bytes]:
    """The log as it stands, a line an entry. Raises StoreUnavailable, StoreRefused."""
    hall = Hall.empty()
    async for seq, body, text in store_log.read_all(store, code):
        entry = unpack(body, text)
        evolve(hall, seq, entry)
        advance(hall, seq, body)
        yield wire.dumps(line(hall, seq, body, entry)) + b"\n"


def routes(context: Context) -> list[web.RouteDef]:
    """`GET /api/v1/halls/CODE/audit.jsonl`."""

    async def audit(request: web.Request) -> web.StreamResponse:
        refusal = context.no_organiser(request)
        if refusal is not None:
            return no(refusal, request)
        runtime = await context.gateway.find(request.match_info["code"])
        if isinstance(runtime, Refusal):
            return no(runtime, request)
        response = web.StreamResponse(
            headers={
                **headers("api"),
                "Content-Type": "application/jsonl; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{runtime.code}-audit.jsonl"',
            }
        )
        try:
            lines = audit_lines(context.store, runtime.code)
            first = await anext(lines)
        except (StoreUnavailable, StoreRefused):
            return no(Refusal("not_saved", retry_after_ms=1_000), request)
        await response.prepare(request)
        await response.write(first)
        async for one in lines:
            await response.write(one)
            await asyncio.sleep(0)
        await response.write_eof()
        return response

    return [web.get("/api/v1/halls/{code}/audit.jsonl", audit)]
