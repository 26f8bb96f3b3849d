"""A server under test: a process of its own, on the server's core, ended by its own id."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from loadtests.bench.usage import SERVER_CORE, Usage, usage

ENDS_S = 15.0


class ServerFailed(Exception):
    """It ended, or did not say what it should."""


class Pinned:
    """`command` on core `core`; what it writes on its error output goes to `errors`."""

    def __init__(
        self,
        command: Sequence[str],
        errors: Path,
        environ: Mapping[str, str] | None = None,
        core: int | str = SERVER_CORE,
    ) -> None:
        self._command = ["taskset", "-c", str(core), *command]
        self._errors = errors
        self._environ = {**os.environ, **(environ or {})}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Pinned":
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=self._environ,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self.process
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(ENDS_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The running process."""
        assert self._process is not None
        return self._process

    def usage(self) -> Usage:
        """Of it and all that it started."""
        return usage(self.process.pid)

    def say(self, line: str) -> None:
        """To its input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    async def hear(self, begin: str, wait_s: float = 60.0) -> str:
        """The rest of the next line that begins so. Raises ServerFailed."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(wait_s):
                while raw := await self.process.stdout.readline():
                    if (line := raw.decode().rstrip("\n")).startswith(begin):
                        return line.removeprefix(begin).strip()
        except TimeoutError:
            raise ServerFailed(f"no {begin!r} within {wait_s:.0f} s") from None
        raise ServerFailed(f"it ended without saying {begin!r}: {self._errors.read_text('utf-8')[-400:]}")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


async def listening(port: int, wait_s: float = 15.0) -> None:
    """Wait until somebody listens. Raises ServerFailed."""
    ends = time.monotonic() + wait_s
    while time.monotonic() < ends:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise ServerFailed("the port did not open")
