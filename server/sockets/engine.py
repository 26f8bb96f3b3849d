"""python-socketio, set up for the staff's namespaces: behind a `Bridge`, which gives it packets that have been checked."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import socketio

from protocol import wire
from protocol.limits import limit
from server.sockets.bridge import background

NEVER_S = 10 * 365 * 24 * 3600
"""The connection has the heartbeat: the library's own would go by the wall clock, and a clock set forward drop everybody."""


class _Json:
    """The codec that python-socketio is given: ours, with its bounds."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return orjson.dumps(value, default=wire.plain, option=orjson.OPT_NON_STR_KEYS).decode()

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        return wire.loads(text)


def make() -> socketio.AsyncServer:
    """A server for WebSocket only, that takes one command of a client at a time."""
    quiet = logging.getLogger("townhall.socketio")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    quiet.setLevel(logging.CRITICAL + 1)
    server = socketio.AsyncServer(
        async_mode="asgi",
        async_handlers=False,
        transports=["websocket"],
        json=_Json,
        logger=quiet,
        engineio_logger=quiet,
        cors_allowed_origins=[],  # our own door checks origins, for HTTP and WebSocket alike
        max_http_buffer_size=limit("staff_frame_bytes") + 64,
        ping_interval=NEVER_S,
        ping_timeout=NEVER_S,
        monitor_clients=False,
        http_compression=False,
        cookie=None,
    )
    # What is started for a connection waits there for its turn, for ever; ours ends with the connection.
    server.eio.start_background_task = _begin
    return server


def _begin(target: Callable[..., Awaitable[Any]], *args: Any, **named: Any) -> asyncio.Future[Any]:
    """Stands where engine.io's start_background_task stands: the same, but kept with its connection."""
    task = asyncio.ensure_future(target(*args, **named))
    mine = background.get(None)
    if mine is not None:
        mine.add(task)
        task.add_done_callback(mine.discard)
    return task
