"""The clock of those who join."""

import pytest

from server.sockets.patience import SLOWER, STORM, Patience


@pytest.mark.parametrize(
    ("passed", "joined", "busy", "slower"),
    [
        (0.5, 0, False, 1),
        (0.5, STORM // 2 - 1, False, 1),
        (0.5, STORM, False, SLOWER),
        (0.5, 0, True, SLOWER),
        (2.0, 0, False, SLOWER),
    ],
    ids=["quiet", "a few join", "a storm", "some wait for us", "we are late"],
)
def test_time_to_join_runs_slower_while_a_busy_machine_may_be_the_reason(
    passed: float, joined: int, busy: bool, slower: int
) -> None:
    patience = Patience(100.0)
    patience.joined = joined
    patience.look(100.0 + passed, busy=busy)
    assert patience.seconds == pytest.approx(passed / slower)


def test_it_never_stands_still_and_a_storm_is_over_when_nobody_joins() -> None:
    patience = Patience(0.0)
    for turn in range(1, 41):
        patience.joined = 1_000
        patience.look(turn / 2, busy=True)
    assert patience.seconds == pytest.approx(5.0)
    patience.look(20.5, busy=False)
    assert patience.seconds == pytest.approx(5.5)
