"""Work that comes thick is done in goes, in order, and nobody is left waiting."""

import asyncio

import pytest

from server import turns
from server.turns import GATHER_S, SLICE_S, Turns


async def served(done: list[int], count: int) -> None:
    for _ in range(500):
        if len(done) >= count:
            return
        await asyncio.sleep(0.01)


async def test_the_first_one_does_not_wait_and_is_not_served_before_put_returns() -> None:
    done: list[int] = []
    work = Turns(done.append)
    work.put(1)
    assert done == [] and len(work) == 1
    await asyncio.sleep(0)
    assert done == [1] and len(work) == 0


async def test_those_who_come_soon_after_wait_for_each_other() -> None:
    now, done = [100.0], list[int]()
    work = Turns(done.append, lambda: now[0])
    work.put(0)
    await asyncio.sleep(0)
    for number in range(1, 20):
        work.put(number)
        await asyncio.sleep(0)
    assert done == [0], "a go has just begun"
    await served(done, 20)
    assert done == list(range(20))
    now[0] += GATHER_S
    work.put(20)
    await asyncio.sleep(0)
    assert done[-1] == 20, "after a pause of as long it does not wait"


async def test_a_long_row_lets_others_have_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "GATHER_S", 0.0)
    now, done = [100.0], list[int]()

    def serve(number: int) -> None:
        now[0] += SLICE_S * 0.6
        done.append(number)

    work = Turns(serve, lambda: now[0])
    for number in range(6):
        work.put(number)
    for goes in range(1, 4):
        await asyncio.sleep(0)
        assert len(done) == 2 * goes


async def test_one_that_fails_does_not_leave_the_others_waiting() -> None:
    done: list[int] = []
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))

    def serve(number: int) -> None:
        if number == 1:
            raise RuntimeError("bad luck")
        done.append(number)

    work = Turns(serve)
    for number in range(4):
        work.put(number)
    await served(done, 3)
    assert done == [0, 2, 3] and len(failures) == 1
