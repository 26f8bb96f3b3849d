"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 1.0


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel `tasks` and wait until they are done; what they raised is dropped.

    One cancellation may get lost in a library that ends a wait of its own in the same moment, so it is repeated.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
