"""What the server says of itself, read and reckoned."""

import pytest

from loadtests.__main__ import duration
from loadtests.server_figures import Reading, ServerFigures, reading

TEXT = """# HELP townhall_tasks x
townhall_tasks 12.0
townhall_connections{role="audience"} 5.0
townhall_connections{role="none"} 2.0
process_resident_memory_bytes{worker="0"} 1e+07
process_resident_memory_bytes{worker="1"} 3e+07
townhall_event_loop_lag_seconds_bucket{le="0.001"} 90.0
townhall_event_loop_lag_seconds_bucket{le="0.01"} 99.0
townhall_event_loop_lag_seconds_bucket{le="+Inf"} 100.0
"""


def at(second: float, rss: float, sockets: int = 0, tasks: int = 0, lag: dict[float, float] | None = None) -> Reading:
    return Reading(second, rss, sockets, tasks, lag or {})


def test_a_reading_adds_up_processes_and_roles() -> None:
    found = reading(TEXT, 3.0)
    assert (found.second, found.rss, found.sockets, found.tasks) == (3.0, 4e7, 7, 12)
    assert found.lag == {0.001: 90.0, 0.01: 99.0, float("inf"): 100.0}


def test_how_late_the_loop_was_is_of_the_run_alone() -> None:
    told = ServerFigures(at(0, 1, lag={0.01: 50, 0.1: 50, 1.0: 60}), after=at(9, 1, lag={0.01: 100, 0.1: 150, 1.0: 160}))
    assert told.lag_p99_s() == 0.1
    assert ServerFigures(at(0, 1)).lag_p99_s() == 0


def test_growth_is_per_ten_minutes_and_only_of_what_comes_after_settling() -> None:
    settles = [at(second, 1e8 + second * 1e6) for second in range(0, 600, 10)]
    steady = [at(second, 7e8) for second in range(600, 3_600, 10)]
    assert ServerFigures(at(0, 1), [*settles, *steady]).growth() == pytest.approx(0, abs=1e-9)
    leaking = [at(second, 7e8 + (second - 600) * 1e4) for second in range(600, 3_600, 10)]
    assert ServerFigures(at(0, 1), [*settles, *leaking]).growth() == pytest.approx(600 * 1e4 / 7.15e8, rel=0.01)
    assert ServerFigures(at(0, 1), [*settles, *leaking]).growth_each(5) == pytest.approx(1e4 / 5)
    assert ServerFigures(at(0, 1), [*settles, *leaking]).growth_each(0) is ServerFigures(at(0, 1)).growth_each(5) is None
    short = [at(second, 1e8 if second < 300 else 2e8) for second in range(0, 900, 10)]
    assert ServerFigures(at(0, 1), short).growth() == pytest.approx(0, abs=1e-9)
    assert ServerFigures(at(0, 1), short[:2]).growth() is None
    assert ServerFigures(at(0, 1)).growth() is None


def test_what_is_left_behind_is_counted_once_everybody_has_gone() -> None:
    told = ServerFigures(at(0, 1, sockets=3, tasks=20))
    assert told.left() is None and not told.gone()
    told.after = at(9, 1, sockets=4, tasks=20)
    assert told.left() == (1, 0) and not told.gone()
    told.after = at(9, 1, sockets=3, tasks=19)
    assert told.gone()


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3_600), ("0.5h", 1_800)])
def test_durations_have_units(text: str, seconds: float) -> None:
    assert duration(text) == seconds
