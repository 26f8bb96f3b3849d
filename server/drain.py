"""The order of stopping: no newcomers, goodbye to everybody, what was taken is answered, then the store."""

import asyncio
import contextlib
import time

from server.gateway.gateway import Gateway


async def drain(gateway: Gateway, most_s: float) -> None:
    """Say Bye 3001 with times to return that are spread, and wait until they have left, at most `most_s`."""
    gateway.draining = True
    for runtime in gateway.directory.loaded():
        runtime.bye(3001)
    ends = time.monotonic() + most_s
    with contextlib.suppress(TimeoutError):
        while any(runtime.occupied() for runtime in gateway.directory.loaded()) and time.monotonic() < ends:
            await asyncio.sleep(0.02)
