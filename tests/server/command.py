"""The command line as a child process, ended by its own pid."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINE_S = 60.0


def environment(**more: str) -> dict[str, str]:
    """Ours without settings, in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TOWNHALL_", "LC_", "LANG"))}
    return {**kept, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}


@dataclass(slots=True)
class Running:
    """A command that runs."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def says(self, begin: str) -> str:
        """Wait for the line that begins so; the rest of it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LINE_S):
            while True:
                raw = await self.process.stdout.readline()
                assert raw, f"it ended without saying {begin!r}: {self.said}"
                self.said.append(raw.decode().rstrip("\n"))
                if self.said[-1].startswith(begin):
                    return self.said[-1].removeprefix(begin)

    async def ends(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(kind)
        async with asyncio.timeout(LINE_S):
            assert self.process.stdout is not None
            self.said += (await self.process.stdout.read()).decode().splitlines()
            return await self.process.wait()


@contextlib.asynccontextmanager
async def started(*arguments: str, folder: Path, stderr: Path | None = None, **environ: str) -> AsyncIterator[Running]:
    """`townhall ARGUMENTS` in `folder`; ended at the end if it still runs, and with it the store that it started."""
    with contextlib.ExitStack() as stack:
        errors = stack.enter_context((stderr or folder / "stderr").open("ab"))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server",
            *arguments,
            cwd=folder,
            env=environment(**environ),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield Running(process)
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    async with asyncio.timeout(LINE_S):
                        await process.communicate()
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def ran(*arguments: str, folder: Path, **environ: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of a command that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        *arguments,
        cwd=folder,
        env=environment(**environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LINE_S):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()
