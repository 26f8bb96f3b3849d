"""Who waits for a round on one node: how many, for how long, and how many of them will come in with few."""

import pytest

from protocol.limits import LIMITS, Limit
from server.halls.awaiting import STALE_S, Awaiting
from server.store.tokens import Tally


class Hand:
    """A clock that is set."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_round_for_few_leaves_the_others_their_wait() -> None:
    clock = Hand()
    awaiting = Awaiting(clock)
    assert awaiting.tallies() == (Tally(0, 0.0), Tally(0, 0.0))
    assert awaiting.add(b"one") == awaiting.add(b"two") == 0
    clock.now += 30
    assert awaiting.add(b"one") == 30 and awaiting.add(b"two", few=True) == 30
    clock.now += 10
    assert awaiting.tallies() == (Tally(2, 40.0), Tally(1, 40.0))
    awaiting.clear(few=True)
    assert awaiting.tallies() == (Tally(1, 40.0), Tally(0, 0.0))
    assert awaiting.add(b"two", few=True) == 0, "whoever did not come in waits anew"
    awaiting.clear(few=False)
    assert awaiting.tallies() == (Tally(0, 0.0), Tally(0, 0.0))


def test_the_last_word_counts_and_whoever_is_silent_has_gone() -> None:
    clock = Hand()
    awaiting = Awaiting(clock)
    awaiting.add(b"one", few=True)
    awaiting.add(b"one")
    assert awaiting.tallies()[1].count == 0
    clock.now += STALE_S + 1
    assert awaiting.tallies()[0].count == 0


def test_so_many_are_counted_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "awaiting", Limit(2, "browsers", "-", "-"))
    awaiting = Awaiting(Hand())
    for key in (b"one", b"two", b"three", b"one"):
        assert awaiting.add(key) == 0
    assert awaiting.tallies()[0].count == 2
