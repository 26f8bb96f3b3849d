"""The ring: whoever stands in it gets all that is newer, and whoever does not gets nothing."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from protocol.limits import limit
from server.fanout import ring as ring_module
from server.fanout.ring import Ring

HISTORY = st.lists(st.lists(st.integers(0, 6), max_size=3, unique=True), max_size=60)
"""For each entry, the names that it changes."""


def bounds(monkeypatch: pytest.MonkeyPatch, **smaller: int) -> None:
    monkeypatch.setattr(ring_module, "limit", lambda name: smaller.get(name, limit(name)))


def fill(ring: Ring, history: list[list[int]], every_s: float = 0.0) -> dict[int, dict[str, bytes]]:
    """{seq: newest values of all names then}."""
    views: dict[int, dict[str, bytes]] = {ring.seq: {}}
    now: dict[str, bytes] = {}
    for seq, names in enumerate(history, ring.seq + 1):
        fragments = [(f"n{name}", b"n%d@%d" % (name, seq)) for name in names]
        ring.append(seq, fragments, seq * every_s)
        now = {**now, **dict(fragments)}
        views[seq] = now
    return views


def folded(view: dict[str, bytes], newer: list[bytes]) -> dict[str, bytes]:
    return {**view, **{body.split(b"@")[0].decode(): body for body in newer}}


@pytest.mark.parametrize("entries", [3, 10, 2_000])
def test_never_a_part_of_what_was_missed(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """R-14."""
    bounds(monkeypatch, ring_entries=entries)

    @given(HISTORY)
    def holds(history: list[list[int]]) -> None:
        ring = Ring()
        views = fill(ring, history)
        for seq, view in views.items():
            newer = ring.since(seq)
            if newer is not None:
                assert folded(view, newer) == views[ring.seq]
        assert ring.since(ring.seq) == []
        assert ring.since(ring.seq + 1) is None
        assert ring.since(ring.floor - 1) is None
        assert len(ring._kept) <= entries
        assert ring._bytes == sum(len(body) for _, _, body in ring._kept.values())

    holds()


def test_it_is_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, ring_bytes=100)
    ring = Ring()
    for seq in range(1, 50):
        ring.append(seq, [(f"n{seq}", b"x" * 30)], 0.0)
        assert ring._bytes <= 100
    assert ring.since(46) is not None
    assert ring.since(45) is None


def test_it_is_bounded_by_age(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, ring_s=10)
    ring = Ring()
    views = fill(ring, [[n] for n in range(40)], every_s=1.0)
    assert ring.since(28) is None
    newer = ring.since(32)
    assert newer is not None
    assert folded(views[32], newer) == views[40]


def test_one_fragment_larger_than_the_ring_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch, ring_bytes=10)
    ring = Ring()
    ring.append(1, [("a", b"x" * 11)], 0.0)
    assert ring.since(0) is None
    assert ring.since(1) == []


def test_what_is_scrubbed_is_kept_nowhere() -> None:
    ring = Ring()
    ring.append(1, [("message:1", b"secret")], 0.0)
    ring.scrub("message:1")
    ring.append(2, [("message:1", b"gone")], 0.0)
    assert ring.since(0) == [b"gone"]
    assert ring._bytes == 4
    ring.scrub("message:9")


def test_after_a_reset_nothing_older_can_be_resumed() -> None:
    ring = Ring()
    fill(ring, [[1], [2]])
    ring.reset(7)
    assert [ring.since(seq) for seq in (0, 2, 6, 7)] == [None, None, None, []]
