"""A Unix-socket proxy between a node and its store that can swallow, refuse or cut: netem is not to be had everywhere."""

import asyncio
import contextlib
from pathlib import Path
from typing import Literal

Mode = Literal["pass", "swallow", "refuse"]


class FaultProxy:
    """`pass` forwards; `swallow` drops bytes without a word; `refuse` closes at once. `cut()` resets what is open."""

    def __init__(self, target: Path, listen: Path) -> None:
        self._target = target
        self.listen = listen
        self.mode: Mode = "pass"
        self._server: asyncio.AbstractServer | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.listen)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Close every connection now."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "refuse":
            writer.transport.abort()
            return
        try:
            other_reader, other_writer = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, other_writer}
        try:
            await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        finally:
            for one in (writer, other_writer):
                self._writers.discard(one)
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if self.mode != "swallow":
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
