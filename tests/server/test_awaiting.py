"""Who waits for a round on one node: which tokens, for how long, and which of them will come in with few."""

import pytest

from protocol.limits import LIMITS, Limit
from server.halls.awaiting import STALE_S, Awaiting
from server.store.waiting import NOBODY, TOLD_MAX, Waiting

ONE, TWO, THREE = (name.ljust(32).encode() for name in ("one", "two", "three"))


class Hand:
    """A clock that is set."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def told(longest_s: float, *ids: bytes) -> Waiting:
    return Waiting(frozenset(id[:8] for id in ids), longest_s)


def test_a_round_for_few_leaves_the_others_their_wait() -> None:
    clock = Hand()
    awaiting = Awaiting(clock)
    assert awaiting.waiting() == (NOBODY, NOBODY)
    assert awaiting.again(ONE) is None and awaiting.add(ONE) and awaiting.add(TWO)
    clock.now += 30
    assert awaiting.again(ONE) == 30 and awaiting.again(TWO, few=True) == 30
    clock.now += 10
    assert awaiting.waiting() == (told(40, ONE, TWO), told(40, TWO))
    awaiting.clear(few=True)
    assert awaiting.waiting() == (told(40, ONE), NOBODY)
    assert awaiting.again(TWO, few=True) == 0, "whoever did not come in waits anew"
    awaiting.clear(few=False)
    assert awaiting.waiting() == (NOBODY, NOBODY)


def test_whom_a_round_has_taken_counts_no_more() -> None:
    awaiting = Awaiting(Hand())
    awaiting.add(ONE)
    awaiting.add(TWO)
    awaiting.take([ONE[:8], THREE[:8]])
    assert awaiting.is_taken(ONE) and awaiting.is_taken(THREE) and not awaiting.is_taken(TWO)
    assert awaiting.again(ONE) is None and awaiting.waiting()[0] == told(0, TWO)


def test_the_last_word_counts_and_whoever_is_silent_has_gone() -> None:
    clock = Hand()
    awaiting = Awaiting(clock)
    awaiting.add(ONE)
    awaiting.again(ONE, few=True)
    awaiting.again(ONE)
    assert awaiting.waiting()[1] == NOBODY
    clock.now += 60
    assert awaiting.waiting()[0].count == 1, "a tab in the background speaks once a minute"
    clock.now += STALE_S - 60 + 1
    assert awaiting.waiting()[0] == NOBODY and awaiting.again(ONE) is None


def test_so_many_are_counted_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "awaiting", Limit(2, "browsers", "-", "-"))
    awaiting = Awaiting(Hand())
    assert [awaiting.add(id) for id in (ONE, TWO, THREE, ONE)] == [True, True, False, True]
    assert awaiting.waiting()[0].count == 2
    awaiting.take([id[:8] for id in (ONE, TWO, THREE)])
    assert [awaiting.is_taken(id) for id in (ONE, TWO, THREE)] == [False, True, True]


def test_those_who_have_waited_longest_are_told() -> None:
    clock = Hand()
    awaiting = Awaiting(clock)
    for number in range(TOLD_MAX + 10):
        awaiting.add(number.to_bytes(32, "little"))
        clock.now += 0.01
    found = awaiting.waiting()[0]
    assert found.ids == {number.to_bytes(8, "little") for number in range(TOLD_MAX)}
