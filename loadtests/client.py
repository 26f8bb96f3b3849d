"""A small Socket.IO client over a raw WebSocket: Engine.IO v4, Socket.IO v5. Folds nothing: checks intervals and keeps news."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from protocol.frames import BYE, CHANGED, JOINED, RESET

ACK_S = 10.0
"""Longest wait for an acknowledgement."""


class NotAdmitted(Exception):
    """The server refused the connection; `data` is what it said."""

    def __init__(self, data: Any) -> None:
        super().__init__(str(data))
        self.data = data


class Client:
    """One connection. `on_news(name, body)` is called for everything the server sends.

    `position`: (epoch, seq) of the last frame that followed the one before. `gaps`: frames that did not; what was missed is
    asked for.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        code: str,
        role: str,
        token: str,
        on_news: Callable[[str, Any], None] = lambda name, body: None,
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._code = code
        self._namespace = f"/{role}"
        self._token = token
        self._on_news = on_news
        self._numbers = itertools.count()
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._joined: asyncio.Future[None] | None = None
        self._resuming: set[asyncio.Task[None]] = set()
        self.position: tuple[int, int] | None = None
        self.gaps = 0
        self.bye: Any = None

    async def connect(self) -> None:
        """Join the view; resumes from `position` if there is one. Raises NotAdmitted, aiohttp's errors, TimeoutError."""
        self._joined = asyncio.get_running_loop().create_future()
        address = self._url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._socket = await self._session.ws_connect(address, max_msg_size=0, compress=0)
        auth: dict[str, Any] = {"code": self._code, "token": self._token}
        if self.position is not None:
            auth["since"] = {"epoch": self.position[0], "seq": self.position[1]}
        self._reader = asyncio.create_task(self._read(self._socket), name="client")
        await self._socket.send_str(f"40{self._namespace}," + orjson.dumps(auth).decode())
        async with asyncio.timeout(ACK_S):
            await self._joined

    async def call(self, name: str, payload: dict[str, Any]) -> Any:
        """Send a command; its acknowledgement. Raises TimeoutError, ConnectionError."""
        if self._socket is None or self._socket.closed:
            raise ConnectionError("not connected")
        number = next(self._numbers)
        future = self._acks[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_str(f"42{self._namespace},{number}" + orjson.dumps([name, payload]).decode())
            async with asyncio.timeout(ACK_S):
                return await future
        finally:
            self._acks.pop(number, None)

    def _resume(self, since: dict[str, int]) -> None:
        task = asyncio.create_task(self._send("", "view:resume", {"since": since}), name="resume")
        self._resuming.add(task)
        task.add_done_callback(self._resuming.discard)

    async def _send(self, number: object, name: str, payload: Any) -> None:
        if self.connected and self._socket is not None:
            with contextlib.suppress(ConnectionError):
                await self._socket.send_str(f"42{self._namespace},{number}" + orjson.dumps([name, payload]).decode())

    async def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader

    async def ended(self) -> None:
        """Wait until the connection has ended, whoever ended it."""
        if self._reader is not None:
            await asyncio.wait([self._reader])

    @property
    def connected(self) -> bool:
        """Whether the connection is open."""
        return self._socket is not None and not self._socket.closed

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take(socket, message.data)
        finally:
            lost = ConnectionError("the connection was lost")
            for future in (*self._acks.values(), self._joined):
                if future is not None and not future.done():
                    future.set_exception(lost)
                    future.exception()

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
        if text == "2":
            await socket.send_str("3")
            return
        kind, rest = text[:2], text[2:]
        if kind not in ("40", "42", "43", "44"):
            return
        _, _, rest = rest.partition(",")
        if kind == "44":
            if self._joined is not None and not self._joined.done():
                self._joined.set_exception(NotAdmitted(orjson.loads(rest)))
        elif kind == "43":
            number, _, data = rest.partition("[")
            future = self._acks.get(int(number))
            if future is not None and not future.done():
                future.set_result(orjson.loads("[" + data)[0])
        elif kind == "42":
            self._news(*orjson.loads(rest))

    def _news(self, name: str, body: Any) -> None:
        if name == JOINED:
            if self._joined is not None and not self._joined.done():
                self._joined.set_result(None)
        elif name == RESET:
            self.position = (body["epoch"], body["seq"])
        elif name == CHANGED and self.position is not None:
            epoch, seq = self.position
            if (body.get("epoch", epoch), body["after"]) == self.position:
                self.position = (epoch, body["seq"])
            elif body["seq"] > seq or "epoch" in body:
                self.gaps += 1
                self._resume({"epoch": epoch, "seq": seq})
        elif name == BYE:
            self.bye = body
        self._on_news(name, body)


async def ticket(session: aiohttp.ClientSession, url: str, code: str) -> str:
    """A participant's ticket. Raises NotAdmitted."""
    async with session.post(f"{url.rstrip('/')}/api/v1/halls/{code}/join") as response:
        body = await response.json()
    if not body["ok"]:
        raise NotAdmitted(body["error"])
    return str(body["data"]["ticket"])


async def staff_ticket(session: aiohttp.ClientSession, link: str) -> str:
    """A ticket for the address of a staff link, `https://town.example.org/host/CODE#SECRET`. Raises NotAdmitted."""
    address, _, secret = link.partition("#")
    url, role, code = address.rsplit("/", 2)
    headers = {"Authorization": f"Bearer {secret}"}
    async with session.post(f"{url}/api/v1/halls/{code}/{role}/ticket", headers=headers) as response:
        body = await response.json()
    if not body["ok"]:
        raise NotAdmitted(body["error"])
    return str(body["data"]["ticket"])
