"""What stands between an office and the server: it can be unplugged, and it can let no WebSocket through."""

import asyncio
import contextlib


class Doorway:
    """A TCP proxy on a free port of the loopback. `unplugged`: resets what is open and takes nothing new.
    `websocket`: whether a request to upgrade is let through; otherwise it is answered as many office proxies do."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._unplugged = False
        self.websocket = True
        self.refused = 0

    async def start(self) -> str:
        """The origin under which the server is found behind it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def unplug(self) -> None:
        """Reset every connection, and take no new one."""
        self._unplugged = True
        for writer in list(self._writers):
            writer.transport.abort()

    def plug(self) -> None:
        """As before."""
        self._unplugged = False

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.unplug()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._pass_on(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()
            self._tasks.discard(task)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._unplugged:
            return
        first = await reader.read(65_536)
        if not self.websocket and b"\r\nupgrade: websocket" in first.lower():
            self.refused += 1
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.add(outer)
        try:
            outer.write(first)
            await asyncio.gather(_pump(reader, outer), _pump(inner, writer))
        finally:
            self._writers.discard(outer)
            outer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
