"""Polls: one at a time, what may be asked, who may vote, and what is told of the votes."""

import pytest

from moderation.context import Actor
from moderation.evolve import Corrupt, evolve
from moderation.poll_rules import may_vote
from moderation.record import differences, records
from moderation.sentences import told
from moderation.views import audience, host, overlay
from moderation.views.fold import fold
from protocol import commands as c
from protocol import entries as e
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.views import OverlayState, PollCard
from tests.town import HOST, HOST_2, ORGANISER, Town, employee

ASKED = {"question": "다음 모임은 언제가 좋을까요?", "choices": ("아침", "점심", "저녁")}


def opened(town: Town) -> int:
    return town.must(HOST, c.OpenPoll, **ASKED)


def closed_with(town: Town, *tally: int) -> int:
    """A poll that was closed when so many had voted for each choice."""
    id = opened(town)
    assert isinstance(town.do(HOST, c.ClosePoll, poll=id, tally=tally), int)
    return id


def test_one_poll_is_open_at_a_time_and_is_named_by_its_entry() -> None:
    town = Town()
    id = opened(town)
    assert town.hall.open_poll == id == town.hall.seq
    assert town.refused(HOST_2, c.OpenPoll, **ASKED).code == "poll_open"
    town.must(HOST_2, c.ClosePoll, poll=id)
    assert town.hall.open_poll is None
    assert town.refused(HOST, c.ClosePoll, poll=id).code == "poll_closed"
    assert town.refused(HOST, c.ClosePoll, poll=id + 99).code == "no_such_poll"
    assert opened(town) > id


def test_there_is_a_bound_to_how_many() -> None:
    town = Town()
    for _ in range(limit("polls")):
        town.must(HOST, c.ClosePoll, poll=opened(town))
    refused = town.refused(HOST, c.OpenPoll, **ASKED)
    assert (refused.code, refused.params) == ("too_many_polls", {"max": 50})


@pytest.mark.parametrize(
    ("question", "choices", "code", "field"),
    [
        ("가" * 301, ("a", "b"), "text_too_long", "$.question"),
        (" \u200b\n", ("a", "b"), "text_empty", "$.question"),
        ("?", ("a", "나" * 81), "text_too_long", "$.choices[1]"),
        ("?", ("a", " \t"), "text_empty", "$.choices[1]"),
        ("?", ("a", "b", "  a "), "same_choice", "$.choices[2]"),
        ("?", ("가\u200b", "가"), "same_choice", "$.choices[1]"),
    ],
)
def test_what_cannot_be_asked(question: str, choices: tuple[str, ...], code: str, field: str) -> None:
    refused = Town().refused(HOST, c.OpenPoll, question=question, choices=choices)
    assert (refused.code, refused.field) == (code, field)


def test_what_can_is_cleaned_and_on_one_line() -> None:
    town = Town()
    id = town.must(HOST, c.OpenPoll, question=" 언제\n할까요? " + "가" * 280, choices=["나" * 80, "\u202e아니오  요", "3"])
    poll = town.hall.polls[id]
    assert poll.question.startswith("언제 할까요? 가")
    assert poll.choices == ("나" * 80, "아니오 요", "3")


# --- figures ---
@pytest.mark.parametrize("tally", [(0, 0, 0), (4, 0, 0), (1, 2, 1)])
def test_of_fewer_than_five_nothing_is_told_anywhere(tally: tuple[int, ...]) -> None:
    town = Town()
    id = closed_with(town, *tally)
    entry = town.log[-1]
    assert isinstance(entry, e.PollClosed)
    assert (entry.voters, entry.counts) == (None, None)
    card = fold({}, audience.snapshot(town.hall))[f"poll:{id}"]
    assert isinstance(card, PollCard)
    assert (card.voters, card.counts) == (None, None)
    assert [(r["voters"], r["counts"]) for r in records(town.hall) if r["record"] == "poll"] == [(None, None)]
    languages: tuple[Language, ...] = ("ko", "en")
    for lang in languages:
        assert not any(str(figure) in told(town.hall, town.hall.seq, entry, lang).replace(str(id), "") for figure in range(10))


def test_from_five_on_all_is_told_and_adds_up() -> None:
    town = Town()
    id = closed_with(town, 2, 0, 3)
    poll = town.hall.polls[id]
    assert (poll.voters, poll.counts) == (5, (2, 0, 3))
    assert differences(town.hall) == []
    assert "아침 2 · 점심 0 · 저녁 3" in told(town.hall, town.hall.seq, town.log[-1], "ko")
    poll.voters = 6
    assert differences(town.hall) == [f"voters of poll {id}: 6 told, 5 found"]


def test_an_open_poll_tells_no_figures_in_the_record() -> None:
    town = Town()
    opened(town)
    assert [(r["closed_at"], r["voters"], r["counts"]) for r in records(town.hall) if r["record"] == "poll"] == [(None,) * 3]


# --- closing the town hall ---
def test_closing_the_town_hall_closes_the_poll_first_in_one_step() -> None:
    town = Town()
    id = opened(town)
    assert isinstance(town.do(ORGANISER, c.CloseHall, tally=(5, 1, 0)), int)
    assert [type(entry) for entry in town.log[-2:]] == [e.PollClosed, e.HallClosed]
    assert town.hall.polls[id].counts == (5, 1, 0)
    assert differences(town.hall) == []


def test_a_log_that_forgot_to_close_a_poll_still_ends_it() -> None:
    town = Town()
    id = opened(town)
    evolve(town.hall, town.hall.seq + 1, e.HallClosed(at=town.now, due="2026-12-01"))
    assert (town.hall.open_poll, town.hall.polls[id].open, town.hall.polls[id].counts) == (None, False, None)


def test_closing_what_never_was_is_corruption() -> None:
    town = Town()
    with pytest.raises(Corrupt, match="no poll 99"):
        evolve(town.hall, town.hall.seq + 1, e.PollClosed(at=1, poll=99))


# --- voting ---
def code(found: object) -> str:
    return found.code if isinstance(found, Refusal) else ""


def test_who_may_vote() -> None:
    town = Town()
    id = opened(town)
    for choice in range(3):
        assert code(may_vote(town.hall, employee(1), id, choice)) == ""
    assert code(may_vote(town.hall, employee(1), id, 3)) == "no_such_choice"
    assert code(may_vote(town.hall, employee(1), id, -1)) == "no_such_choice"
    assert code(may_vote(town.hall, employee(1), id + 1, 0)) == "no_such_poll"
    assert code(may_vote(town.hall, Actor("audience"), id, 0)) == "watching_only"
    town.must(HOST, c.ClosePoll, poll=id)
    assert code(may_vote(town.hall, employee(1), id, 0)) == "poll_closed"


def test_neither_a_mute_nor_a_pause_keeps_anybody_from_voting() -> None:
    town = Town()
    message = town.post(by=1)
    town.must(HOST, c.MuteAuthor, message=message, reason="abuse")
    town.must(HOST, c.PauseChat)
    assert code(may_vote(town.hall, employee(1), opened(town), 0)) == ""


# --- the overlay ---
def on_overlay(town: Town) -> list[int]:
    return [fragment.id for fragment in overlay.snapshot(town.hall) if isinstance(fragment, PollCard)]


def test_the_overlay_shows_the_newest_poll_while_the_host_wants_it() -> None:
    town = Town()
    assert town.refused(HOST, c.SetPoll, on=True).code == "no_such_poll"
    first = opened(town)
    assert on_overlay(town) == []
    town.must(HOST, c.SetPoll, on=True)
    assert on_overlay(town) == [first]
    state = fold({}, host.snapshot(town.hall))["overlay"]
    assert isinstance(state, OverlayState)
    assert state.poll
    town.must(HOST, c.ClosePoll, poll=first)
    second = opened(town)
    assert on_overlay(town) == [second]
    town.must(HOST, c.SetPoll, on=False)
    assert on_overlay(town) == []


def test_clearing_the_overlay_takes_the_poll_off_too() -> None:
    town = Town()
    opened(town)
    town.must(HOST, c.SetPoll, on=True)
    town.must(HOST, c.ClearOverlay)
    assert on_overlay(town) == []
    town.must(HOST, c.ShowOverlay)
    assert on_overlay(town) == []
