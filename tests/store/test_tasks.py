"""A task is ended even where a library swallows the first cancellation."""

import asyncio

from server.store.tasks import ended


async def test_a_cancellation_that_was_swallowed_is_repeated() -> None:
    swallowed = 0
    begun = asyncio.Event()

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                begun.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed == 2:
                    raise

    task = asyncio.create_task(stubborn())
    await begun.wait()
    await ended([task])
    assert task.cancelled()
    assert swallowed == 2


async def test_what_is_done_already_is_left_alone() -> None:
    async def fails() -> None:
        raise OSError

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    await ended([task])
    assert isinstance(task.exception(), OSError)
