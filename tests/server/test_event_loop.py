"""How the process runs: no look of the garbage collector at more than has come since the last ones."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from server import event_loop
from tests.waiting import until


class Circle:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector() -> Iterator[None]:
    """As it was, afterwards."""
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks


@pytest.mark.usefixtures("collector")
def test_a_storm_leaves_the_collector_little_to_look_at() -> None:
    event_loop.settle()
    bound = event_loop.YOUNG * (event_loop.OLDER + 2) + 1_000
    kept: list[list[int]] = []
    while len(kept) < 3 * bound:
        kept.append([1])
        if len(kept) % event_loop.YOUNG == 0:
            assert len(gc.get_objects()) <= bound
    assert gc.get_freeze_count() > bound


@pytest.mark.usefixtures("collector")
def test_what_became_garbage_is_found_once_nobody_is_there() -> None:
    event_loop.settle()
    circle: list[object] = []
    circle.append(circle)
    gc.collect(1)
    count = gc.get_freeze_count()
    del circle
    gc.collect()
    assert gc.get_freeze_count() >= count - 100
    event_loop.look_again()
    assert not any(one is one[0] for one in gc.get_objects() if type(one) is list and len(one) == 1)


@pytest.mark.usefixtures("collector")
async def test_what_a_request_left_in_a_circle_is_found_while_somebody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "TIDY_S", 0.01)
    event_loop.settle()
    circle = Circle()
    gone = weakref.ref(circle)
    gc.collect(0)
    del circle
    tidy = asyncio.create_task(event_loop.keep_tidy(lambda: False))
    await until(lambda: gone() is None)
    tidy.cancel()


@pytest.mark.parametrize("how", ["there was much", "the look before was felt"])
@pytest.mark.usefixtures("collector")
async def test_a_look_that_would_be_felt_waits_until_nobody_is_there(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(event_loop, "TIDY_S", 0.01)
    monkeypatch.setattr(event_loop, "BEARABLE_S", 0.0 if how == "the look before was felt" else 60.0)
    event_loop.settle()
    circle: Circle | None = Circle()
    gone = weakref.ref(circle)
    if how == "there was much":
        gc.collect(1)
        circle = None
    asked: list[bool] = []
    nobody = False

    def idle() -> bool:
        asked.append(nobody)
        return nobody

    tidy = asyncio.create_task(event_loop.keep_tidy(idle))
    await until(lambda: len(asked) > 1)
    circle = None
    await until(lambda: len(asked) > 4)
    assert gone() is not None
    nobody = True
    await until(lambda: gone() is None)
    tidy.cancel()
