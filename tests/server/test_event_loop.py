"""How the process runs: no look of the garbage collector at more than has come since the last ones."""

import gc
from collections.abc import Iterator

import pytest

from server import event_loop


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
    gc.collect()
    count = gc.get_freeze_count()
    del circle
    gc.collect()
    assert gc.get_freeze_count() >= count - 100
    event_loop.look_again()
    assert not any(one is one[0] for one in gc.get_objects() if type(one) is list and len(one) == 1)
