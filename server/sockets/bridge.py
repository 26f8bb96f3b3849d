"""Between a connection and python-socketio, by its ASGI interface: whole packets go in that have been checked, and what it
sends comes out in our frames. The handshake, the heartbeats and the bounds are the connection's.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import socketio

from protocol.limits import limit
from server.fanout.ready_frame import ready_frame

if TYPE_CHECKING:
    from server.sockets.connection import Connection

KEY = "townhall.bridge"
"""Where a handler finds this in its environ: `environ["asgi.scope"][KEY]`."""
background: ContextVar[set[asyncio.Future[Any]]] = ContextVar("tasks of this connection")
"""What python-engineio starts for a connection and would leave behind it."""


class Bridge:
    """`joined`: by namespace, what to do once its CONNECT has been answered, so that frames come after that."""

    def __init__(self, server: socketio.AsyncServer, connection: "Connection") -> None:
        self._server = server
        self.connection = connection
        self.joined: dict[str, Callable[[], None]] = {}
        self._inbox: deque[str] = deque()
        self._begun = False
        self._ended = False
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="staff")

    def take(self, text: str) -> None:
        """A packet of the client."""
        self._inbox.append(text)
        if len(self._inbox) > limit("commands_waiting"):
            return self.connection.refuse(3504, "too_many_commands")
        self._news.set()

    def go_on(self) -> None:
        """The client reads again."""
        self._news.set()

    def ended(self) -> None:
        """The connection is gone."""
        self._ended = True
        self._news.set()

    async def _run(self) -> None:
        tasks: set[asyncio.Future[Any]] = set()
        background.set(tasks)
        scope = {
            "type": "websocket",
            "path": "/socket.io/",
            "query_string": b"EIO=4&transport=websocket",
            # Nobody reads an identity from headers, and none are kept.
            "headers": [(b"upgrade", b"websocket"), (b"connection", b"upgrade")],
            KEY: self,
        }
        try:
            await self._server.handle_request(scope, self._receive, self._send)
        finally:
            for task in list(tasks):
                task.cancel()
            self.joined.clear()
            self.connection.close(1000)

    async def _receive(self) -> dict[str, Any]:
        if not self._begun:
            self._begun = True
            return {"type": "websocket.connect"}
        # Whoever does not take the answers gets no further ones: nothing piles up behind it.
        while not self._ended and (not self._inbox or self.connection.stuck):
            self._news.clear()
            await self._news.wait()
        if self._ended:
            return {"type": "websocket.disconnect", "code": 1000}
        return {"type": "websocket.receive", "text": self._inbox.popleft()}

    async def _send(self, event: dict[str, Any]) -> None:
        text = event.get("text")
        if event["type"] == "websocket.close":
            self.connection.close(1000)
        if not isinstance(text, str) or not text.startswith("4"):
            return  # the open packet, heartbeats: the connection has its own
        self.connection.write(ready_frame(text.encode()))
        if text.startswith("40/") and (begin := self.joined.pop(text[2:].partition(",")[0], None)):
            begin()
