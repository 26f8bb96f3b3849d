"""The test that carries this house: a snapshot folded with the frames after it is the snapshot of later. For every role."""

import random
from collections.abc import Callable, Sequence

import pytest

from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.views import audience, director, host, overlay
from moderation.views.fold import View, fold
from protocol import commands as c
from protocol import limits, wire
from protocol.entries import Entry, MessagePosted
from protocol.views import Fragment
from tests.histories import play
from tests.town import HOST, Town

Snapshot = Callable[[Hall], Sequence[Fragment]]
Render = Callable[[Hall, int, Entry], Sequence[Fragment]]
ROLES: dict[str, tuple[Snapshot, Render]] = {
    "audience": (audience.snapshot, audience.render),
    "host": (host.snapshot, host.render),
    "overlay": (overlay.snapshot, overlay.render),
    "director d1": (lambda hall: director.snapshot(hall, "d1"), lambda hall, seq, e: director.render(hall, seq, e, "d1")),
    "director d2": (lambda hall: director.snapshot(hall, "d2"), lambda hall, seq, e: director.render(hall, seq, e, "d2")),
}


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that messages leave the views within a short history."""
    for name, value in (("audience_window", 12), ("overlay_window", 5), ("host_window", 20)):
        monkeypatch.setitem(limits.LIMITS, name, limits.Limit(value, "messages", "-", "-"))


def as_bytes(view: View) -> dict[str, bytes]:
    return {name: wire.fragment(fragment) for name, fragment in view.items()}


@pytest.mark.parametrize("seed", range(24))
def test_a_snapshot_folded_with_what_follows_is_the_later_snapshot(seed: int) -> None:
    town = Town()
    play(town, 260, seed)
    if seed % 3 == 0:
        town.do(HOST, c.CloseHall)
    chance = random.Random(seed)
    starts = sorted(chance.sample(range(1, len(town.log)), k=min(8, len(town.log) - 1)))
    hall = Hall.empty()
    views: dict[str, list[View]] = {role: [] for role in ROLES}
    hidden: set[bytes] = set()
    for seq, entry in enumerate(town.log, 1):
        evolve(hall, seq, entry)
        for role, (snapshot, render) in ROLES.items():
            news = render(hall, seq, entry)
            assert len({type(f).__name__ + str(getattr(f, "id", "")) for f in news}) == len(news), "a name twice in one frame"
            for view in views[role]:
                fold(view, news)
            now = as_bytes(fold({}, snapshot(hall)))
            for view in views[role]:
                assert as_bytes(view) == now, (role, seq, entry)
            if role in ("audience", "overlay"):
                _keeps_its_secrets(hall, hidden, role, [*now.values(), *(wire.fragment(f) for f in news)])
            if seq in starts:
                views[role].append(fold({}, snapshot(hall)))
    assert any(isinstance(entry, MessagePosted) for entry in town.log)


def _keeps_its_secrets(hall: Hall, hidden: set[bytes], role: str, sent: list[bytes]) -> None:
    """No byte of held or removed text, no author tag, nothing of who acted."""
    joined = b"\n".join(sent)
    for author in hall.authors:
        assert author.encode() not in joined
    assert b"host-1" not in joined
    assert b"host-2" not in joined
    for message in hall.messages.values():
        if message.state != "visible" and message.text:
            assert message.text.encode() not in joined, (role, message.id)


def test_a_newcomer_gets_nothing_of_what_is_held() -> None:
    town = Town()
    town.must(HOST, c.SetMode, mode="reviewed")
    id = town.post("아직 아무도 보면 안 되는 글")
    for snapshot in (audience.snapshot, overlay.snapshot):
        assert "보면 안 되는".encode() not in b"".join(wire.fragment(f) for f in snapshot(town.hall))
    town.must(HOST, c.PublishMessage, message=id)
    assert "보면 안 되는".encode() in b"".join(wire.fragment(f) for f in audience.snapshot(town.hall))


def test_a_message_that_is_published_late_is_new_in_the_chat() -> None:
    town = Town()
    town.must(HOST, c.SetMode, mode="reviewed")
    old = town.post("먼저 쓴 글")
    town.must(HOST, c.SetMode, mode="open")
    for number in range(60):
        town.post(f"글 {number}", by=number % 5 + 1)
    town.must(HOST, c.PublishMessage, message=old)
    shown = [f for f in audience.snapshot(town.hall) if getattr(f, "id", None) == old]
    assert [f.shown for f in shown] == [town.hall.seq]  # type: ignore[attr-defined]
