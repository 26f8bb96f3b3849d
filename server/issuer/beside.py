"""The issuer beside a chat: a process of its own that ends with this one, and is started again when it dies alone."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import structlog

from server.tasks import end

log = structlog.get_logger()

STARTS_S = 20.0
"""How long it may take to listen."""
ENDS_S = 5.0
BACKOFF_S = (0.1, 0.3, 1.0, 3.0, 5.0)
"""Pauses before one that died is started again; the last one repeats."""
LIVED_S = 30.0
"""One that lived this long before it died starts at the shortest pause again."""
DOWN = "the issuer beside this server is down and is being started again: nobody gets an entry meanwhile"


class Beside:
    """`arguments`: that make a command use the settings of this process. `same_port`: its port was drawn, and is kept."""

    def __init__(self, arguments: Sequence[str], *, same_port: bool) -> None:
        self._arguments = arguments
        self._same_port = same_port
        # Its standard input is a pipe into which nothing is ever written, and whose other end closes with us, however we
        # end. Nothing else runs between the two.
        self._theirs, self._ours = os.pipe()
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._listens = False
        self.organiser_url = ""
        self.restarts = 0

    async def start(self) -> None:
        """Until it listens. Raises OSError, TimeoutError."""
        await self._begin()
        self._keeping = asyncio.create_task(self._keep(), name="issuer")

    async def stop(self) -> None:
        """It ends because our end of the pipe does."""
        if self._keeping is not None:
            await end([self._keeping])
        os.close(self._ours)
        os.close(self._theirs)
        if self._process is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_S):
                await self._process.wait()
        await self._kill()

    @property
    def url(self) -> str:
        """Where people reach it."""
        return self.organiser_url.partition("/organiser#")[0]

    def warnings(self) -> list[str]:
        """What whoever runs the server should know; the chat goes on without it."""
        return [] if self._listens else [DOWN]

    async def _keep(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            if self._listens and self._process is not None:
                await self._process.wait()
            self._listens = False
            failures = 0 if time.monotonic() - began > LIVED_S else failures + 1
            self.restarts += 1
            log.error("issuer_died", restarts=self.restarts, status=self._process.returncode if self._process else None)
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1 if failures else 0])
            try:
                await self._begin()
            except (OSError, TimeoutError) as error:
                log.error("issuer_not_started", why=type(error).__name__)
            else:
                log.warning("issuer_started_again", restarts=self.restarts)

    async def _begin(self) -> None:
        environ = dict(os.environ)
        if self._same_port and (port := urlsplit(self.organiser_url).port):
            environ["TOWNHALL_ISSUER_PORT"] = str(port)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "issuer", "--with-parent", *self._arguments),
            stdin=self._theirs,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=environ,
        )
        try:
            self.organiser_url = await self._said(self._process)
        except BaseException:
            await self._kill()
            raise
        self._listens = True

    async def _kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()

    async def _said(self, process: asyncio.subprocess.Process) -> str:
        """The address it prints once it listens. Raises OSError if it ends before."""
        assert process.stdout is not None
        async with asyncio.timeout(STARTS_S):
            while line := (await process.stdout.readline()).decode():
                if line.startswith("issuer: "):
                    return line.removeprefix("issuer: ").strip()
        raise ChildProcessError("the issuer ended before it listened")


@contextlib.asynccontextmanager
async def beside(arguments: Sequence[str], *, same_port: bool) -> AsyncIterator[Beside]:
    """An issuer until the context ends. Raises OSError, TimeoutError."""
    found = Beside(arguments, same_port=same_port)
    try:
        await found.start()
        yield found
    finally:
        await found.stop()
