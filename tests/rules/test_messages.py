"""A message's life, by example."""

import pytest

from moderation.evolve import UNDOABLE
from protocol import commands as c
from protocol.limits import limit
from protocol.setup import Setup
from tests.town import HOST, HOST_2, SETUP, Town, employee


def test_an_open_town_hall_shows_a_message_at_once() -> None:
    town = Town()
    assert town.hall.messages[town.post()].state == "visible"


def test_a_reviewed_town_hall_holds_it_until_a_moderator_publishes() -> None:
    town = Town()
    town.must(HOST, c.SetMode, mode="reviewed")
    id = town.post()
    assert (town.hall.messages[id].state, town.hall.messages[id].held) == ("held", "review")
    town.must(HOST, c.PublishMessage, message=id)
    assert town.hall.messages[id].state == "visible"
    assert town.refused(HOST_2, c.PublishMessage, message=id).params == {"by": "도지사"}


@pytest.mark.parametrize(
    "text", ["제 번호는 010-1234-5678 입니다", "900101-1234567", "메일 a@b.go.kr 로 주세요", "4111 1111 1111 1111"]
)
def test_personal_data_is_held_even_in_an_open_town_hall(text: str) -> None:
    town = Town()
    message = town.hall.messages[town.post(text)]
    assert (message.state, message.held) == ("held", "filter")
    assert message.findings


@pytest.mark.parametrize("text", ["2026-11-24 회의", "예산 123456억", "990231-1234567", "전화 112", "1234-5678-9012-3456"])
def test_what_only_looks_like_personal_data_is_not_held(text: str) -> None:
    town = Town()
    assert town.hall.messages[town.post(text)].state == "visible"


@pytest.mark.parametrize("text", ["", "   ", "\n\t\n", "\u200b\u200d\u2060", "\u202e\u202c", "\u3164\u3164"])
def test_only_whitespace_is_nothing(text: str) -> None:
    assert Town().refused(employee(1), c.PostMessage, text=text).code == "text_empty"


def test_length_is_counted_in_graphemes_not_in_bytes_or_code_points() -> None:
    town = Town()
    most = limit("text_graphemes")
    town.post("👩‍👩‍👧‍👦" * 100)
    town.post("가" * most)
    refusal = town.refused(employee(1), c.PostMessage, text="가" * (most + 1))
    assert (refusal.code, refusal.params) == ("text_too_long", {"max": most})


def test_bytes_are_bounded_too() -> None:
    family = "👩‍👩‍👧‍👦"
    assert Town().refused(employee(1), c.PostMessage, text=family * 299).code == "text_too_long"


def test_hold_remove_restore_erase() -> None:
    town = Town()
    id = town.post("지울 글")
    town.must(HOST, c.HoldMessage, message=id)
    assert town.refused(HOST_2, c.HoldMessage, message=id).code == "already_done"
    town.must(HOST, c.RemoveMessage, message=id, reason="abuse")
    assert town.refused(HOST_2, c.RemoveMessage, message=id, reason="spam").code == "already_done"
    assert town.refused(HOST, c.HoldMessage, message=id).code == "wrong_state"
    assert town.refused(HOST, c.PublishMessage, message=id).code == "wrong_state"
    town.must(HOST, c.RestoreMessage, message=id)
    assert town.refused(HOST, c.EraseMessage, message=id).code == "wrong_state"
    town.must(HOST, c.RemoveMessage, message=id, reason="abuse")
    town.must(HOST, c.EraseMessage, message=id)
    assert town.hall.messages[id].text is None
    assert town.refused(HOST_2, c.EraseMessage, message=id).params == {"by": "도지사"}
    assert town.refused(HOST, c.RestoreMessage, message=id).code == "wrong_state"
    assert town.hall.counts().removed == {"abuse": 1}


def test_a_visible_message_cannot_be_restored_nor_published() -> None:
    town = Town()
    id = town.post()
    assert town.refused(HOST, c.RestoreMessage, message=id).code == "wrong_state"
    assert town.refused(HOST, c.PublishMessage, message=id).code == "wrong_state"


def test_a_held_message_that_nobody_touched_is_not_said_to_be_done_by_somebody() -> None:
    town = Town()
    town.must(HOST, c.SetMode, mode="reviewed")
    id = town.post()
    assert town.refused(HOST, c.HoldMessage, message=id).code == "wrong_state"


def test_withdrawing_is_for_the_author_and_only_before_it_is_picked() -> None:
    town = Town()
    id = town.question(by=1)
    assert town.refused(employee(2), c.WithdrawMessage, message=id).code == "not_yours"
    town.must(HOST, c.PickMessage, message=id)
    assert town.refused(employee(1), c.WithdrawMessage, message=id).code == "wrong_fate"
    town.must(HOST, c.UnpickQuestion, message=id)
    town.must(employee(1), c.WithdrawMessage, message=id)
    assert town.hall.counts().removed == {"withdrawn": 1}
    assert town.refused(employee(1), c.WithdrawMessage, message=id).code == "wrong_state"
    assert town.refused(HOST, c.RemoveMessage, message=id, reason="spam").code == "wrong_state"


def test_withdrawn_is_no_reason_of_a_moderator() -> None:
    town = Town()
    assert town.refused(HOST, c.RemoveMessage, message=town.post(), reason="withdrawn").field == "$.reason"


@pytest.mark.parametrize(
    "kind",
    [
        c.PublishMessage,
        c.HoldMessage,
        c.RestoreMessage,
        c.EraseMessage,
        c.PickMessage,
        c.UnpickQuestion,
        c.SplitQuestion,
        c.ReturnToQueue,
        c.FinishQuestion,
        c.AirQuestion,
    ],
)
def test_a_message_that_is_not_there(kind: type[c.Command]) -> None:
    assert Town().refused(HOST, kind, message=99).code == "no_such_message"


def test_a_message_that_is_not_there_with_more_fields() -> None:
    town = Town()
    assert town.refused(HOST, c.RemoveMessage, message=99, reason="spam").code == "no_such_message"
    assert town.refused(HOST, c.MuteAuthor, message=99, reason="spam").code == "no_such_message"
    assert town.refused(HOST, c.MoveQuestion, message=99, position=0).code == "no_such_message"
    assert town.refused(HOST, c.PreviewQuestion, message=99).code == "no_such_message"
    assert town.refused(employee(1), c.WithdrawMessage, message=99).code == "not_yours"


def test_one_author_keeps_one_pseudonym_and_two_never_share_one() -> None:
    town = Town()
    ids = [town.post(by=number) for number in (1, 2, 1)]
    names = [town.hall.messages[id].pseudonym for id in ids]
    assert names[0] == names[2] != names[1]


def test_every_undoable_entry_is_about_a_message() -> None:
    assert all("message" in kind.__struct_fields__ for kind in UNDOABLE)


def test_a_host_may_review_from_the_first_message_on() -> None:
    town = Town(Setup(title="t", departments=SETUP.departments, directors=SETUP.directors))
    assert town.hall.mode == "reviewed"
