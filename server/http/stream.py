"""Server-Sent Events: the feed for where WebSocket cannot get through, and for anybody with `curl`."""

import asyncio
import contextlib
import random
import re
from collections import Counter

from aiohttp import web

from protocol import wire
from protocol.commands import Join, Since
from protocol.frames import BYE, JOINED
from protocol.limits import limit
from protocol.refusals import Refusal
from server.answers import bye
from server.fanout.figures import figures
from server.fanout.forms import STREAM
from server.fanout.position import position
from server.fanout.viewer import Viewer
from server.gateway.gateway import Session
from server.http.address import asked_from
from server.http.commands import ROLES
from server.http.context import Context
from server.http.replies import bearer, language, no
from server.http.security import headers

AGAIN_MS = (1_000, 5_000)
"""Between these, drawn by chance, may whoever found no room come again."""
KEEPALIVE_S = 15
"""A comment line this often, and where the reader should stand: proxies cut what is silent."""

_NUMBER = re.compile("[0-9]+")
"""Of ASCII digits: `isdigit` is true of others that are no number."""


class StreamViewer(Viewer):
    """Over aiohttp's connection: how much waits for it has to be asked; nobody tells us."""

    __slots__ = ("_http", "_session", "ended")

    def __init__(self, http: asyncio.WriteTransport, session: Session) -> None:
        super().__init__(self, STREAM)
        self._http = http
        self._session = session
        self.ended = asyncio.Event()

    def write(self, data: bytes) -> None:
        """As a transport does; says so when the client does not read."""
        if not self._http.is_closing():
            self._http.write(data)
            if not self.flows():
                self._session.room.stuck(self)

    def flows(self) -> bool:
        return self._http.get_write_buffer_size() <= limit("write_backlog_bytes")

    def untie(self) -> None:
        self._session.admitted.untie()

    def bye(self, code: int, come_back_after_ms: int | None) -> None:
        figures.closes[code] += 1
        self.write(STREAM.ready(BYE, wire.dumps(bye(code, come_back_after_ms, self._session.lang)), ""))
        self._session.room.leave(self)
        self.ended.set()


def routes(context: Context) -> list[web.RouteDef]:
    """`GET /api/v1/halls/CODE/ROLE/stream`. Bounded as WebSockets are."""
    by_address: Counter[bytes] = Counter()

    def full(address: bytes) -> Refusal | None:
        if sum(figures.connections.values()) >= limit("connections"):
            return Refusal("node_full", retry_after_ms=random.randint(*AGAIN_MS))
        if by_address[address] >= limit("connections_per_address"):
            return Refusal("too_many_connections", retry_after_ms=random.randint(*AGAIN_MS))
        return None

    async def stream(request: web.Request) -> web.StreamResponse:
        role = ROLES.get(request.match_info["role"])
        if role is None or role == "organiser":
            return no(Refusal("unknown_command"), request)
        since = _since(request)
        join = Join(code=request.match_info["code"], token=bearer(request), since=since, lang=language(request))
        session = await context.gateway.join(role, join)
        if isinstance(session, Refusal):
            return no(session, request)
        address = context.addresses.key(*asked_from(request))
        if (refusal := full(address)) is not None:
            return no(refusal, request)
        response = web.StreamResponse(
            headers={**headers("api"), "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        )
        response.enable_chunked_encoding()
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response
        viewer = StreamViewer(transport, session)
        link = session.admitted.link
        released = session.runtime.hold(link, viewer.bye) if link is not None else None
        stood = (since.epoch, since.seq) if since else None
        room = session.room
        hello = context.gateway.hello(session, room.resumable(stood))
        room.join(viewer, stood, STREAM.ready(JOINED, hello, ""))
        figures.connections["stream"] += 1
        by_address[address] += 1
        try:
            while not viewer.ended.is_set() and not transport.is_closing():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(KEEPALIVE_S):
                        await viewer.ended.wait()
                        break
                if transport.is_closing():
                    break
                if viewer.flows():
                    transport.write(b"3\r\n:\n\n\r\n" + position(viewer, session.runtime.epoch))
        finally:
            figures.connections["stream"] -= 1
            by_address[address] -= 1
            if not by_address[address]:
                del by_address[address]
            room.leave(viewer)
            if not viewer.flows():
                transport.abort()  # nobody reads: neither the end of the answer nor what was to come before it
            if released is not None:
                released()
        return response

    return [web.get("/api/v1/halls/{code}/{role}/stream", stream)]


def _since(request: web.Request) -> Since | None:
    """`?since=EPOCH-SEQ`, else Last-Event-ID (WHATWG HTML, 9.2.4); anything else means: from the beginning."""
    text = str(request.query.get("since") or request.headers.get("Last-Event-ID", ""))
    epoch, _, seq = text.partition("-")
    if len(text) < 34 and _NUMBER.fullmatch(epoch) and _NUMBER.fullmatch(seq):
        return Since(int(epoch), int(seq))
    return None
