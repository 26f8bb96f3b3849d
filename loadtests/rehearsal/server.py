"""A server of the rehearsal's own: a child process on a free port of the loopback, with a data folder that is thrown away."""

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator

START_S = 60.0
STOP_S = 30.0


class NoServer(Exception):
    """It did not start; what it said."""


@contextlib.asynccontextmanager
async def own_server() -> AsyncIterator[tuple[str, str]]:
    """(address, organiser key) of `townhall serve`, ended at the end. Raises NoServer."""
    with tempfile.TemporaryDirectory(prefix="townhall-rehearsal-", ignore_cleanup_errors=True) as folder:
        words = (sys.executable, "-m", "server", "serve", "--port", "0", "--data", folder, "--lang", "en")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TOWNHALL_")}
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={**kept, "TOWNHALL_DRAIN_S": "1"}
        )
        assert process.stdout is not None
        said = ""
        try:
            async with asyncio.timeout(START_S):
                while not (told := re.search(r"organiser: (\S+)/organiser#(\S+)", said)) or "listening on" not in said:
                    line = await process.stdout.readline()
                    if not line:
                        raise NoServer(said)
                    said += line.decode()
            reading = asyncio.create_task(process.stdout.read())
            yield told[1], told[2]
            reading.cancel()
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
