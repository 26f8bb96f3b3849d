"""Half of the time at most is spent on writing, whatever the number of rooms; and nobody waits longer than is stated."""

import hypothesis.strategies as st
from hypothesis import given, settings

from server.fanout.pace import Pace


def test_idle_is_at_once() -> None:
    assert Pace(0.25).ready_at <= 0


def test_a_rest_is_as_long_as_the_writing_before_it() -> None:
    pace = Pace(0.25)
    pace.spent(10.0, 10.04)
    assert round(pace.ready_at, 6) == 10.08


def test_the_rest_is_bounded() -> None:
    pace = Pace(0.25)
    pace.spent(10.0, 12.0)
    assert pace.ready_at == 12.25


@settings(max_examples=200)
@given(st.lists(st.floats(0.0001, 0.1), min_size=20, max_size=60), st.floats(0, 0.05))
def test_writing_takes_half_of_the_time_whatever_is_written(writes: list[float], other: float) -> None:
    """Slices of flushes of any rooms, with `other` work between two slices."""
    pace, now, spent = Pace(0.25), 0.0, 0.0
    for write in writes:
        now = max(now + other, pace.ready_at)
        pace.spent(now, now + write)
        now += write
        spent += write
    now = max(now, pace.ready_at)
    assert spent <= now * 0.5 + 1e-9
