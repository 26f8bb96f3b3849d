"""python-socketio, set up; and the door in front of it: who may open a connection at all."""

import asyncio
import logging
import time
import types
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import engineio.async_socket
import orjson
import socketio
from aiohttp import web

from protocol import wire
from protocol.limits import limit
from protocol.sentences import sentence
from server.sockets.guard import GuardedWebSocket

PATH = "/socket.io/"
PING_S = 25
PONG_S = 20


class _Json:
    """The codec that python-socketio is given: ours, with its bounds."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return orjson.dumps(value, default=wire.plain, option=orjson.OPT_NON_STR_KEYS).decode()

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        return wire.loads(text)


def make() -> socketio.AsyncServer:
    """A server with WebSocket only, one command of a client at a time, and the guard in place of the stock driver."""
    quiet = logging.getLogger("townhall.socketio")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    quiet.setLevel(logging.CRITICAL + 1)
    server = socketio.AsyncServer(
        async_mode="aiohttp",
        async_handlers=False,
        transports=["websocket"],
        json=_Json,
        logger=quiet,
        engineio_logger=quiet,
        cors_allowed_origins=[],  # our own door checks origins, for HTTP and WebSocket alike
        max_http_buffer_size=limit("staff_frame_bytes") + 64,
        ping_interval=PING_S,
        ping_timeout=PONG_S,
        http_compression=False,
        cookie=None,
    )
    # The stock driver negotiates compression for each connection (109 kB each) and hands on whatever arrives.
    server.eio._async = {**server.eio._async, "websocket": GuardedWebSocket}
    # A heartbeat that waits for its turn outlives its connection there; ours end with it.
    server.eio.start_background_task = _begin
    # Heartbeats are measured by the wall clock there: a clock that is set forward would drop everybody.
    engineio.async_socket.time = types.SimpleNamespace(time=time.monotonic)
    return server


_tasks: ContextVar[set[asyncio.Future[Any]]] = ContextVar("tasks of this connection")


def _begin(target: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> asyncio.Future[Any]:
    """Stands where engine.io's start_background_task stands: the same, but kept with its connection."""
    task = asyncio.ensure_future(target(*args, **named))
    mine = _tasks.get(None)
    # The first connection also begins the task that looks after all of them; that one outlives it.
    if mine is not None and getattr(target, "__name__", "") != "_service_task":
        mine.add(task)
        task.add_done_callback(mine.discard)
    return task


class Door:
    """Counts connections and checks what a handshake says before python-socketio sees it.

    `address(request)`: opaque key of where it comes from. `origins`: allowed besides the server's own.
    """

    def __init__(
        self,
        server: socketio.AsyncServer,
        address: Callable[[web.Request], bytes],
        allowed: Callable[[web.Request], bool],
        draining: Callable[[], bool],
    ) -> None:
        self._server = server
        self._address = address
        self._allowed = allowed
        self._draining = draining
        self._open: Counter[bytes] = Counter()
        self.connections = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`/socket.io/`, all methods."""
        refusal = self._refusal(request)
        if refusal is not None:
            status, code = refusal
            return web.Response(status=status, text=_words(code), headers={"Cache-Control": "no-store"})
        key = self._address(request)
        self._open[key] += 1
        self.connections += 1
        tasks: set[asyncio.Future[Any]] = set()
        _tasks.set(tasks)
        try:
            response: web.StreamResponse = await self._server.handle_request(request)
            return response
        finally:
            for task in list(tasks):
                task.cancel()
            self.connections -= 1
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def _refusal(self, request: web.Request) -> tuple[int, str] | None:
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        query = request.query
        if request.method != "GET" or query.get("transport") != "websocket" or "sid" in query or not upgrade:
            return 400, "transport_refused"
        if query.get("EIO") != "4":
            return 400, "transport_refused"
        if not self._allowed(request):
            return 403, "not_admitted"
        if self._draining():
            return 503, "draining"
        if self.connections >= limit("connections"):
            return 503, "node_full"
        if self._open[self._address(request)] >= limit("connections_per_address"):
            return 429, "too_many_connections"
        return None


def _words(code: str) -> str:
    section = "closing" if code == "transport_refused" else "refusal"
    return f"{code}: {sentence('en', section, code)} / {sentence('ko', section, code)}\n"
