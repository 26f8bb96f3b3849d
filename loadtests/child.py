"""The audience as a child process: the lines it says, the words it is told. Python's or C's, it makes no difference."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from loadtests.audience.lines import Line, decode
from loadtests.audience.words import Words

LINE_BYTES = 1 << 24
"""A report has a row for each viewer."""
ENDS_S = 10.0
Kind = TypeVar("Kind", bound=Line)


class AudienceFailed(Exception):
    """It ended, or said nothing for too long."""


class Child:
    """`native`: the compiled C audience, None for Python's. `before`: words before the command, such as `taskset -c 1`."""

    def __init__(self, words: Words, native: Path | None = None, before: Sequence[str] = ()) -> None:
        self._command = [*before, *([str(native)] if native else [sys.executable, "-m", "loadtests.audience"]), *words.line()]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Child":
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(ENDS_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def tell(self, line: str) -> None:
        """`window`, `count N S`, `cut S` or `report`."""
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()

    async def line(self, wait_s: float = 60.0) -> Line:
        """The next line. Raises AudienceFailed."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(wait_s):
                raw = await self._process.stdout.readline()
        except TimeoutError:
            raise AudienceFailed(f"nothing for {wait_s:.0f} s") from None
        if not raw:
            raise AudienceFailed(f"the audience's process ended ({await self._process.wait()})")
        found: Line = decode(raw)
        return found

    async def until(self, kind: type[Kind], wait_s: float = 120.0) -> Kind:
        """The next line of `kind`; those between are dropped. Raises AudienceFailed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while True:
                    found = await self.line()
                    if isinstance(found, kind):
                        return found
        raise AudienceFailed(f"no {kind.__name__} within {wait_s:.0f} s")
