"""Many small calls made as few large ones: each gets its own answer, whatever becomes of the others."""

import asyncio
from collections.abc import Sequence

import pytest

from server.store.appender import Busy
from server.store.batches import Batches
from tests.waiting import until


class Calls:
    """Answers each number with ten times itself, but 7 with an error of its own; 13 breaks the whole call."""

    def __init__(self) -> None:
        self.made: list[tuple[str, list[int]]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, place: str, asked: list[int]) -> Sequence[int | Exception]:
        self.made.append((place, asked))
        await self.go.wait()
        if 13 in asked:
            raise OSError("broken")
        return [ValueError("seven") if number == 7 else 10 * number for number in asked]


async def test_what_gathers_is_one_call_and_each_gets_its_own_answer() -> None:
    calls = Calls()
    batches: Batches[str, int, int] = Batches(calls, most=4, waiting_max=100)
    calls.go.clear()
    first = asyncio.create_task(batches.ask("a", 1))
    await until(lambda: len(calls.made) == 1)
    others = [asyncio.create_task(batches.ask("a", number)) for number in range(2, 9)]
    elsewhere = asyncio.create_task(batches.ask("b", 5))
    await until(lambda: len(calls.made) == 2)
    calls.go.set()
    assert await first == 10
    assert await elsewhere == 50
    got = await asyncio.gather(*others, return_exceptions=True)
    assert [answer for answer in got if not isinstance(answer, Exception)] == [20, 30, 40, 50, 60, 80]
    assert isinstance(got[5], ValueError)
    assert sorted(calls.made) == [("a", [1]), ("a", [2, 3, 4, 5]), ("a", [6, 7, 8]), ("b", [5])]
    await until(lambda: batches.idle)


async def test_a_call_that_breaks_is_told_to_those_in_it_and_nobody_else() -> None:
    calls = Calls()
    batches: Batches[str, int, int] = Batches(calls, most=2, waiting_max=100)
    got = await asyncio.gather(*(batches.ask("a", number) for number in (12, 13, 14, 15)), return_exceptions=True)
    assert [type(answer) for answer in got] == [OSError, OSError, int, int]
    await until(lambda: batches.idle)


async def test_whoever_is_one_too_many_is_told_at_once_and_whoever_goes_costs_the_others_nothing() -> None:
    calls = Calls()
    batches: Batches[str, int, int] = Batches(calls, most=2, waiting_max=3)
    calls.go.clear()
    first = asyncio.create_task(batches.ask("a", 1))
    await until(lambda: len(calls.made) == 1)
    waiting = [asyncio.create_task(batches.ask("a", number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await batches.ask("a", 5)
    waiting[0].cancel()
    calls.go.set()
    assert await asyncio.gather(first, *waiting[1:]) == [10, 30, 40]
    await until(lambda: batches.idle)


async def test_with_a_time_to_gather_whoever_comes_alone_does_not_wait_and_those_who_follow_go_together() -> None:
    calls = Calls()
    batches: Batches[str, int, int] = Batches(calls, most=50, waiting_max=100, gather_s=0.5)
    assert await batches.ask("a", 1) == 10
    following = []
    for number in range(2, 6):
        following.append(asyncio.create_task(batches.ask("a", number)))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*following) == [20, 30, 40, 50]
    assert [asked for _, asked in calls.made] == [[1], [2, 3, 4, 5]]
