"""Background tasks end, however often they mistake a cancellation for something else."""

import asyncio

import pytest

from server import tasks
from server.tasks import end


async def test_a_task_that_takes_a_cancellation_for_a_time_limit_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_S", 0.01)
    swallowed = 0

    async def forgetful() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 3:
                    raise

    async def failing() -> None:
        raise ValueError

    started = [asyncio.create_task(forgetful()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end(started)
    assert swallowed == 3
    assert all(task.done() for task in started)
    await end([])
