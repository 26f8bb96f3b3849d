"""The official clients behind one face: JavaScript's socket.io-client in a Node of its own, and python-socketio's AsyncClient."""

import asyncio
import contextlib
import itertools
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import orjson
import socketio

ANSWER_S = 15.0
Auth = dict[str, Any]


class Official:
    """One connection of an official client. `news`: all it was sent, in order; `refused`: what a CONNECT_ERROR said."""

    def __init__(self) -> None:
        self.news: list[tuple[str, Any]] = []
        self.refused: list[Any] = []
        self.connects = 0
        self.disconnects = 0
        self._numbers = itertools.count()
        self._acks: dict[int, asyncio.Future[Any]] = {}

    async def send(self, name: str, payload: Any) -> "asyncio.Future[Any]":
        """Send a command; the acknowledgement comes later."""
        number = next(self._numbers)
        future = self._acks[number] = asyncio.get_running_loop().create_future()
        await self._emit(number, name, payload)
        return future

    async def command(self, name: str, **payload: Any) -> Any:
        """The acknowledgement of a command with a fresh client id."""
        async with asyncio.timeout(ANSWER_S):
            return await (await self.send(name, {"client_id": uuid4().hex, **payload}))

    async def ask(self, name: str, **payload: Any) -> Any:
        """The acknowledgement of a query."""
        async with asyncio.timeout(ANSWER_S):
            return await (await self.send(name, payload))

    def bodies(self, name: str) -> list[Any]:
        """What came under a name; without frames that cover nothing, which come with any heartbeat."""
        return [body for told, body in self.news if told == name and (name != "view:changed" or body["entries"])]

    def fragments(self) -> list[Any]:
        """Of all snapshots and frames, in order."""
        return [f for name, body in self.news if name in ("view:reset", "view:changed") for f in body["entries"]]

    async def _emit(self, number: int, name: str, payload: Any) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def _answered(self, number: int, ack: Any) -> None:
        future = self._acks.pop(number)
        if not future.done():
            future.set_result(ack)


class Language(Protocol):
    """A client library."""

    async def open(self, url: str, role: str, auth: Auth) -> Official: ...
    async def end(self) -> None: ...


class JavaScript:
    """socket.io-client, in one Node process for all its connections."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count()
        self._opened: dict[int, _JavaScriptClient] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls) -> "JavaScript":
        """A Node that runs official.mjs."""
        script = Path(__file__).with_name("official.mjs")
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec("node", str(script), stdin=pipe, stdout=pipe, limit=2**20))

    async def open(self, url: str, role: str, auth: Auth) -> Official:
        id = next(self._ids)
        client = self._opened[id] = _JavaScriptClient(self, id)
        await self.tell({"do": "open", "id": id, "url": url, "role": role, "auth": auth})
        return client

    async def tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(what) + b"\n")
        await self._process.stdin.drain()

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = orjson.loads(line)
            self._opened[told["id"]].take(told)


class _JavaScriptClient(Official):
    def __init__(self, node: JavaScript, id: int) -> None:
        super().__init__()
        self._node = node
        self._id = id

    def take(self, told: Any) -> None:
        match told["what"]:
            case "connected":
                self.connects += 1
            case "disconnected":
                self.disconnects += 1
            case "refused":
                # After a CONNECT_ERROR the client rests; it is active only where the connection itself failed.
                if not told["active"]:
                    self.refused.append(told["data"])
            case "news":
                self.news.append((told["name"], told["body"]))
            case "ack":
                self._answered(told["number"], told["ack"])

    async def _emit(self, number: int, name: str, payload: Any) -> None:
        await self._node.tell({"do": "send", "id": self._id, "number": number, "name": name, "payload": payload})

    async def close(self) -> None:
        await self._node.tell({"do": "close", "id": self._id})


class Python:
    """python-socketio's AsyncClient; it needs aiohttp and nothing else."""

    def __init__(self) -> None:
        self._opened: list[_PythonClient] = []

    async def open(self, url: str, role: str, auth: Auth) -> Official:
        client = _PythonClient(url, f"/{role}", auth)
        self._opened.append(client)
        await client.begin()
        return client

    async def end(self) -> None:
        for client in self._opened:
            await client.close()


class _PythonClient(Official):
    def __init__(self, url: str, namespace: str, auth: Auth) -> None:
        super().__init__()
        self._url = url
        self._namespace = namespace
        self._auth = auth
        self._since: Any = auth.get("since")
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("*", self._news, namespace=namespace)
        self._client.on("connect_error", self._refused, namespace=namespace)
        self._client.on("disconnect", self._disconnected, namespace=namespace)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        with contextlib.suppress(socketio.exceptions.ConnectionError):
            await self._client.connect(
                self._url,
                auth={**self._auth, "since": self._since},
                namespaces=[self._namespace],
                transports=["websocket"],
                wait_timeout=ANSWER_S,
            )
            self.connects += 1

    async def _news(self, name: str, body: Any) -> None:
        if name == "view:reset":
            self._since = {"epoch": body["epoch"], "seq": body["seq"]}
        elif name == "view:changed":
            self._since = {"epoch": self._since["epoch"], "seq": body["seq"]}
        self.news.append((name, body))
        if name == "bye":
            task = asyncio.create_task(self._obey(body["come_back_after_ms"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _obey(self, come_back_after_ms: int | None) -> None:
        await self._client.disconnect()
        if come_back_after_ms is not None:
            await asyncio.sleep(come_back_after_ms / 1000)
            await self.begin()

    async def _refused(self, data: Any) -> None:
        self.refused.append(data.get("data") if isinstance(data, dict) else None)

    async def _disconnected(self, *_: Any) -> None:
        self.disconnects += 1

    async def _emit(self, number: int, name: str, payload: Any) -> None:
        await self._client.emit(name, payload, namespace=self._namespace, callback=lambda ack=None: self._answered(number, ack))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self._client.disconnect()
