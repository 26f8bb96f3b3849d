"""A town hall that nobody closes."""

import msgspec
import pytest

from moderation.context import Context
from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.hall_rules import close_itself
from moderation.sentences import told
from protocol import commands as c
from protocol import wire
from protocol.bus import pack
from protocol.entries import HallClosed, HallCreated, PollClosed
from protocol.refusals import Refusal
from protocol.setup import Setup
from tests.town import HOST, ORGANISER, SETUP, START, Town

HOUR = 3_600


def due(town: Town, after_s: int, tally: tuple[int, ...] | None = None) -> Context:
    return Context(now=START + after_s, today="2026-11-25", tally=tally)


def test_it_closes_twelve_hours_after_opening_unless_the_setup_says_otherwise() -> None:
    town = Town()
    assert close_itself(town.hall, due(town, 12 * HOUR - 1)) is None
    assert close_itself(town.hall, due(town, 12 * HOUR)) is not None
    town.must(ORGANISER, c.ConfigureHall, setup=msgspec.structs.replace(SETUP, closes_after_h=48))
    assert close_itself(town.hall, due(town, 48 * HOUR - 1)) is None
    assert close_itself(town.hall, due(town, 48 * HOUR)) is not None


def test_a_draft_and_a_closed_one_have_no_end_before_them() -> None:
    town = Town(opened=False)
    assert town.hall.ends_at is None and close_itself(town.hall, due(town, 10**7)) is None
    town.must(ORGANISER, c.OpenHall)
    assert town.hall.ends_at == START + 12 * HOUR
    town.must(HOST, c.CloseHall)
    assert (town.hall.ends_at, town.hall.ended_itself) == (None, False)


def test_it_does_all_that_a_host_would_do_and_says_that_nobody_did() -> None:
    town = Town()
    question = town.question()
    poll = town.must(HOST, c.OpenPoll, question="언제?", choices=("아침", "저녁"))
    decision = close_itself(town.hall, due(town, 13 * HOUR, (4, 3)))
    assert decision is not None
    first, last = decision.entries
    assert first == PollClosed(at=START + 13 * HOUR, poll=poll, voters=7, counts=(4, 3))
    assert last == HallClosed(at=START + 13 * HOUR, due="2026-12-09", deferred=(question,))
    town.apply(decision)
    assert (town.hall.phase, town.hall.ended_itself, town.fate(question)) == ("closed", True, "deferred")
    assert "자동으로 종료" in told(town.hall, town.hall.seq, last, "ko")
    assert "closed by itself" in told(town.hall, town.hall.seq, last, "en")


@pytest.mark.parametrize("hours", [0, 169, -1, 1.5, "12"])
def test_hours_out_of_bounds_are_refused(hours: object) -> None:
    payload = {"client_id": "client-01", "setup": {"title": "t", "closes_after_h": hours}}
    refusal = wire.command("hall:configure", payload)
    assert isinstance(refusal, Refusal) and refusal.code == "bad_request"
    assert (refusal.field or "").endswith("closes_after_h")


def test_a_setup_of_before_is_written_as_before() -> None:
    body, _ = pack(HallCreated(at=1, code="TESTED", setup=Setup(title="t")))
    assert b"closes_after_h" not in body
    assert Setup(title="t").lasts_s == 12 * HOUR
    assert Setup(title="t", closes_after_h=1).lasts_s == HOUR
    hall = Hall.empty()
    evolve(hall, 1, HallCreated(at=1, code="TESTED", setup=Setup(title="t")))
    assert hall.ends_at is None
