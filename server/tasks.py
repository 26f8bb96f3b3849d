"""Ending tasks that go on for ever."""

import asyncio
from collections.abc import Iterable

AGAIN_S = 0.5


async def ended(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel them, and again until they have ended.

    Once is not always enough: `asyncio.wait_for` of Python 3.11, in which redis-py sends a command, swallows a cancellation
    that comes in the moment of success (bpo-37658).
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
