"""A task that swallows a cancellation, as a library may, ends all the same."""

import asyncio

from server.tasks import ended


async def test_a_swallowed_cancellation_is_given_again() -> None:
    swallowed: list[bool] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append(True)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await ended([task])
    assert task.cancelled() and swallowed


async def test_nothing_to_end_takes_no_time() -> None:
    task = asyncio.create_task(asyncio.sleep(0, None))
    await task
    await ended([task])
    await ended([])
