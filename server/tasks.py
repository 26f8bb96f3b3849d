"""Ending background tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 0.5


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until they are over, and forget what they raised.

    Once is not enough: a cancellation that meets a library's own time limit, or its cleaning up, can be taken for that.
    """
    all_of_them = list(tasks)
    while pending := [task for task in all_of_them if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_S)
    await asyncio.gather(*all_of_them, return_exceptions=True)
