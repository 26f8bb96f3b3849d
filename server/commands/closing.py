"""Where the issuer is beside the server, the closing of a town hall ends its issuing: a command carries it, as a person would.

No call runs between the two servers. What is missed here (the process ended in between) ends by itself some hours after the
planned end of the town hall.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import structlog

from server.tasks import end

log = structlog.get_logger()

LOOK_S = 2.0
"""How often it is looked for town halls that have closed."""
TRIES = 3
"""For each; then it is left to the issuer's own end."""
ENDS_S = 60.0
"""How long the command may take."""
LEAVES_S = 5.0
"""The same when the server stops meanwhile."""
KEPT = 10_000
"""Codes that are remembered as done."""

Closed = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""(code, address of the issuer) of closed town halls."""


class Closing:
    """`issuer_url()`: of the issuer beside us. `arguments`: that make a command use the settings of this process."""

    def __init__(self, closed: Closed, issuer_url: Callable[[], str], arguments: Sequence[str]) -> None:
        self._closed = closed
        self._issuer_url = issuer_url
        self._arguments = arguments
        self._left: dict[str, int] = {}

    async def look(self) -> None:
        """End issuing for what has closed since. One command at a time; idempotent."""
        for code, url in await self._closed():
            if url != self._issuer_url() or not self._left.setdefault(code, TRIES):
                continue
            self._left[code] = 0 if await self._close(code) else self._left[code] - 1
            while len(self._left) > KEPT:
                del self._left[next(iter(self._left))]

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def _close(self, code: str) -> bool:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "issuance", code, "--close", *self._arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        status: int | None = None
        try:
            async with asyncio.timeout(ENDS_S):
                status = await process.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            # We are stopping: what was begun may end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVES_S):
                    await process.wait()
            raise
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        log.info("issuing_closed", hall=code) if status == 0 else log.error("issuing_not_closed", hall=code, status=status)
        return status == 0


@contextlib.asynccontextmanager
async def closing(closed: Closed, issuer_url: Callable[[], str], arguments: Sequence[str]) -> AsyncIterator[None]:
    """Looks until the context ends."""
    task = asyncio.create_task(Closing(closed, issuer_url, arguments).run(), name="closing")
    try:
        yield
    finally:
        await end([task])
