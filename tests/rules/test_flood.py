"""What one participant and one second can fill, what is free again, and who goes on while newcomers wait."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.participation_rules import barred
from moderation.poll import Poll
from moderation.poll_rules import may_vote
from moderation.sentences import told
from moderation.views import audience, host
from protocol import commands as c
from protocol.limits import LIMITS, Limit, limit
from protocol.refusals import REFUSALS, Refusal
from protocol.views import AudienceHall, HostHall
from tests.rules.test_participation import let_in
from tests.rules.test_participation import town as with_issuer
from tests.town import HOST, HOST_2, Town, employee

KINDS: list[type[c.Command]] = [
    c.HoldMessage,
    c.PublishMessage,
    c.RemoveMessage,
    c.RestoreMessage,
    c.EraseMessage,
    c.UndoAct,
]


def bound(monkeypatch: pytest.MonkeyPatch, **values: int) -> None:
    for name, value in values.items():
        monkeypatch.setitem(LIMITS, name, Limit(value, "-", "-", "-"))


def recount(hall: Hall) -> int:
    return sum(message.state != "removed" for message in hall.messages.values())


# --- a town hall that is full ---
def test_removing_makes_room_and_coming_back_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bound(monkeypatch, messages_per_hall=3)
    town = Town()
    ids = [town.post(by=number) for number in (1, 2, 3)]
    assert town.refused(employee(4), c.PostMessage, text="하나 더").code == "hall_full"
    assert REFUSALS["hall_full"].temporary
    town.must(HOST, c.HoldMessage, message=ids[0])
    assert town.refused(employee(4), c.PostMessage, text="하나 더").code == "hall_full", "a held one may come back"
    town.must(HOST, c.RemoveMessage, message=ids[0], reason="spam")
    ids.append(town.post(by=4))
    assert town.refused(employee(5), c.PostMessage, text="하나 더").code == "hall_full"
    town.must(HOST, c.RemoveMessage, message=ids[1], reason="spam")
    town.must(HOST, c.EraseMessage, message=ids[1])
    town.must(employee(3), c.WithdrawMessage, message=ids[2])
    assert town.hall.kept == 1
    town.must(HOST, c.RemoveMessage, message=ids[3], reason="spam")
    town.must(HOST, c.UndoAct)
    assert town.hall.kept == recount(town.hall) == 1
    town.must(HOST, c.RestoreMessage, message=ids[0])
    assert town.hall.kept == recount(town.hall) == 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_count_is_that_of_a_recount_whatever_hosts_do(seed: int) -> None:
    town, chance = Town(), random.Random(seed)
    for _ in range(120):
        town.now += chance.choice([0, 0, 1, 12])
        if len(town.hall.messages) < 3 or chance.random() < 0.2:
            town.post(by=chance.randrange(1, 5), asked=chance.random() < 0.5)
            continue
        id, who = chance.choice(list(town.hall.messages)), chance.choice([HOST, HOST_2])
        kind = chance.choice(KINDS)
        fields: dict[str, Any] = {} if kind is c.UndoAct else {"message": id}
        if kind is c.RemoveMessage:
            fields["reason"] = "spam"
        town.do(who, kind, **fields)
        assert town.hall.kept == recount(town.hall)
    again = Hall.empty()
    for seq, entry in enumerate(town.log, 1):
        evolve(again, seq, entry)
    assert (again.kept, again.poured, again.poured_at) == (town.hall.kept, town.hall.poured, town.hall.poured_at)


# --- one participant ---
def test_one_participant_gets_no_room_back_by_being_removed() -> None:
    town = Town()
    ids = [town.post(by=1) for _ in range(limit("messages_per_participant"))]
    town.must(employee(1), c.WithdrawMessage, message=ids[0])
    town.must(HOST, c.RemoveMessage, message=ids[1], reason="spam")
    town.must(HOST, c.EraseMessage, message=ids[1])
    refusal = town.refused(employee(1), c.PostMessage, text="하나 더")
    assert (refusal.code, refusal.params) == ("too_many_messages", {"max": 300})
    town.post(by=2)


# --- one town hall's pace ---
def test_filling_an_empty_town_hall_takes_more_than_four_hours_whoever_writes() -> None:
    left = limit("messages_per_hall") - limit("messages_burst_per_hall")
    assert left / limit("messages_refill_per_hall_s") > 4 * 3_600


def test_what_is_taken_is_the_burst_and_then_the_pace_however_many_write(monkeypatch: pytest.MonkeyPatch) -> None:
    bound(monkeypatch, messages_burst_per_hall=50, messages_refill_per_hall_s=2)
    town, began, writer = Town(), 0, 0
    began = town.now
    for _ in range(60):
        while True:
            writer += 1
            done = town.do(employee(writer), c.PostMessage, text="도배")
            if isinstance(done, Refusal):
                assert done.code == "chat_flooded"
                break
        assert len(town.hall.messages) == 50 + 2 * (town.now - began)
        town.now += 1
    town.now += 10
    ids = [town.post(by=writer + number) for number in range(20)]
    town.must(HOST, c.RemoveMessage, message=ids[0], reason="spam")
    town.now -= 5
    assert town.hall.level(town.now) == town.hall.poured, "a clock that is set back takes nothing away twice"


# --- newcomers ---
def test_those_who_came_with_the_flood_wait_too_where_the_host_says_how_long_ago_it_began() -> None:
    town = Town()
    town.post(by=1)
    town.now += 1_200
    for number in range(10, 20):
        town.post("도배", by=number)
    town.now += 120
    town.must(HOST, c.SetNewcomers, on=True)
    town.post("도배", by=10)
    assert town.refused(HOST, c.SetNewcomers, on=True).code == "already_done"
    town.must(HOST, c.SetNewcomers, on=True, minutes=15)
    assert {town.refused(employee(number), c.PostMessage, text="도배").code for number in range(10, 20)} == {"newcomers_wait"}
    town.post(by=1)
    town.must(HOST, c.SetNewcomers, on=False)
    town.post(by=10)

    made = with_issuer(minimum_participants=1)
    let_in(made, 1, 2, 3, 4, 5)
    made.now += 1_200
    let_in(made, *range(10, 20))
    made.now += 60
    made.must(HOST, c.SetNewcomers, on=True, minutes=15)
    made.post(by=5)
    assert made.refused(employee(10), c.PostMessage, text="도배").code == "newcomers_wait"


def test_those_who_wrote_before_go_on_and_newcomers_wait_until_it_is_off() -> None:
    town = Town()
    question = town.question(by=1)
    poll = town.must(HOST, c.OpenPoll, question="언제?", choices=("아침", "저녁"))
    town.must(HOST, c.SetNewcomers, on=True)
    assert town.refused(HOST_2, c.SetNewcomers, on=True).params == {"by": "도지사"}
    town.post(by=1)
    assert isinstance(may_vote(town.hall, employee(1), poll, 0), Poll)
    assert barred(town.hall, employee(1)) is None
    for kind, fields in ((c.PostMessage, {"text": "글"}), (c.ChoosePseudonym, {"pseudonym": (1, 2, 3)})):
        assert town.refused(employee(2), kind, **fields).code == "newcomers_wait"
    # The same door is asked before a support is taken (server/halls/execute.py) and before a vote.
    refused = barred(town.hall, employee(2))
    assert refused is not None and refused.code == "newcomers_wait"
    vote = may_vote(town.hall, employee(2), poll, 0)
    assert isinstance(vote, Refusal) and vote.code == "newcomers_wait"
    assert town.fate(question) == "asked"
    town.must(HOST_2, c.SetNewcomers, on=False)
    town.post(by=2)
    town.must(HOST, c.SetNewcomers, on=True)
    town.post(by=2)


def test_with_an_issuer_whoever_was_let_in_before_goes_on_though_they_never_wrote() -> None:
    made = with_issuer(minimum_participants=1)
    let_in(made, 1, 2, 3, 4, 5)
    made.must(HOST, c.SetNewcomers, on=True)
    made.post(by=5)
    assert made.refused(employee(6), c.PostMessage, text="글").code == "waiting_for_others"
    let_in(made, 6, 7, 8, 9, 10)
    assert made.refused(employee(6), c.PostMessage, text="글").code == "newcomers_wait"
    made.must(HOST, c.SetNewcomers, on=False)
    made.post(by=6)


def test_every_page_can_see_that_newcomers_wait_and_the_log_says_so() -> None:
    town = Town()
    for on in (True, False):
        seq = town.must(HOST, c.SetNewcomers, on=on)
        for view in (audience.render(town.hall, seq, town.log[-1]), host.render(town.hall, seq, town.log[-1])):
            (shown,) = [one for one in view if isinstance(one, AudienceHall | HostHall)]
            assert shown.newcomers_wait is on
    assert told(town.hall, 3, town.log[2], "ko") == "도지사 님이 새 참여자의 글쓰기를 제한하였습니다."
    assert told(town.hall, 4, town.log[3], "en") == "도지사 let newcomers write again."
    town.must(HOST, c.SetNewcomers, on=True)
    town.must(HOST, c.CloseHall)
    assert town.hall.settled is None
