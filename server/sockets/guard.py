"""What reaches python-socketio: whole text frames of bounded size and rate that hold a packet we offer, and nothing else.

Refused, each by closing the connection: binary frames and attachments, heartbeat answers nobody asked for, packets of
kinds that only a server sends, names that are not on the role's list, JSON nested deeply, frames too large or too many,
a connection that joins nothing. The first one is enough; it is counted, not logged one by one.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from aiohttp import WSMsgType, web

from protocol import wire
from protocol.commands import names_for
from protocol.limits import limit
from protocol.names import Role
from server.buckets import Bucket

NAMESPACES: dict[str, Role] = {"/audience": "audience", "/host": "host", "/director": "director", "/overlay": "overlay"}
PACKET = re.compile(r"(?P<kind>[012])(?P<namespace>/[a-z]{1,16}),(?P<id>\d{0,9})(?P<data>.*)", re.DOTALL)
"""Socket.IO protocol v5, of the kinds a client may send: CONNECT 0, DISCONNECT 1, EVENT 2; always with a namespace."""
refused: Counter[str] = Counter()
"""How many connections were closed, by reason; read by /metrics and by tests."""


class Refused(OSError):
    """The connection is not worth keeping. An OSError, which engine.io takes for the end of the connection."""


class GuardedWebSocket:
    """Stands where python-engineio's own aiohttp wrapper stands (`async_drivers/aiohttp.py`): same four methods.

    `joined` is called with the namespace once the CONNECT answer has been written, so that frames come after it.
    """

    def __init__(self, handler: Callable[["GuardedWebSocket"], Any], server: Any) -> None:
        self._handler = handler
        self._max_bytes = server.max_http_buffer_size
        self._socket = web.WebSocketResponse(max_msg_size=self._max_bytes, compress=False, autoping=True, timeout=2.0)
        self._bucket = Bucket(limit("frames_per_s") * 3.0, 3.0, time.monotonic())
        self._pings = 0
        self._deadline: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport | None = None
        self.environ: dict[str, Any] = {}
        self.joined: dict[str, Callable[[], None]] = {}
        self._inside: set[str] = set()

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ["aiohttp.request"]
        await self._socket.prepare(request)
        self.transport = request.transport
        self.environ = environ
        environ["townhall.socket"] = self
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(limit("join_wait_s"), self._never_joined)
        try:
            await self._handler(self)
        finally:
            self._deadline.cancel()
            environ.clear()
        return self._socket

    async def close(self) -> None:
        await self._socket.close()

    async def send(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            return
        if message == "2":
            self._pings += 1
        await self._socket.send_str(message)
        if message.startswith("40/"):
            namespace = message[2:].partition(",")[0]
            self._inside.add(namespace)
            if begin := self.joined.pop(namespace, None):
                if self._deadline is not None:
                    self._deadline.cancel()
                begin()

    async def wait(self) -> str:
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            if message.type is WSMsgType.BINARY:
                self._refuse("binary")
            raise OSError
        text: str = message.data
        if self._bucket.take(time.monotonic()):
            self._refuse("too_many_frames")
        if text == "3":
            if not self._pings:
                self._refuse("unasked_pong")
            self._pings -= 1
        elif text != "1":
            self._check(text)
        return text

    def _check(self, text: str) -> None:
        found = PACKET.fullmatch(text, 1) if text.startswith("4") else None
        role = NAMESPACES.get(found["namespace"]) if found else None
        if found is None or role is None:
            self._refuse("malformed")
        most = "staff_frame_bytes" if role in ("host", "director") else "frame_bytes"
        if len(text) > limit(most) or len(text.encode("utf-8", "surrogatepass")) > limit(most):
            self._refuse("too_big")
        try:
            data = wire.loads(found["data"]) if found["data"] else None
        except wire.BadJson:
            self._refuse("malformed")
        match found["kind"], data:
            case "0", None | dict():
                pass
            case "1" | "2", _ if found["namespace"] not in self._inside:
                self._refuse("not_joined")
            case "1", None:
                pass
            case "2", [str() as name, dict()] if name in names_for(role):
                pass
            case "2", [str(), *_]:
                # A name or a payload that is not ours is answered with a refusal by the namespace; it is no name of
                # python-socketio's own either.
                if data[0] in ("connect", "disconnect", "connect_error", "*", "message"):
                    self._refuse("reserved_name")
            case _:
                self._refuse("malformed")

    def _refuse(self, reason: str) -> NoReturn:
        refused[reason] += 1
        self.abort()
        raise Refused(reason)

    def _never_joined(self) -> None:
        refused["never_joined"] += 1
        self.abort()

    def abort(self) -> None:
        """End the connection now; what was written before is still sent."""
        if self.transport is not None:
            self.transport.close()
