"""A question's life until its fate, by example."""

import pytest

from protocol import commands as c
from tests.town import D1, D2, HOST, HOST_2, Town, employee


def test_post_pick_route_return_route_accept_air_answer() -> None:
    town = Town()
    id = town.question()
    assert town.fate(id) == "asked"
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    assert town.fate(id) == "queued"
    town.must(D1, c.ReturnQuestion, message=id, reason="건설교통국 소관입니다")
    assert town.hall.messages[id].director is None
    assert town.hall.messages[id].returned[0].reason == "건설교통국 소관입니다"
    town.must(HOST, c.RouteQuestion, message=id, director="d2")
    town.must(D2, c.AcceptQuestion, message=id)
    assert town.refused(D2, c.AcceptQuestion, message=id).code == "already_done"
    town.must(HOST, c.AirQuestion, message=id, support={id: 412})
    assert (town.fate(id), town.hall.on_air, town.hall.messages[id].support) == ("on_air", id, 412)
    town.must(D2, c.StartAnswer, message=id)
    assert town.refused(D2, c.StartAnswer, message=id).code == "already_done"
    town.must(D2, c.FinishQuestion, message=id)
    assert (town.fate(id), town.hall.on_air) == ("answered", None)


def test_the_second_host_is_told_who_picked_first() -> None:
    town = Town()
    id = town.post()
    town.must(HOST, c.PickMessage, message=id)
    refusal = town.refused(HOST_2, c.PickMessage, message=id)
    assert (refusal.code, refusal.params) == ("already_picked", {"by": "도지사"})


def test_picking_a_held_message_publishes_it_too() -> None:
    town = Town()
    town.must(HOST, c.SetMode, mode="reviewed")
    id = town.post()
    town.must(HOST, c.PickMessage, message=id)
    assert (town.hall.messages[id].state, town.fate(id)) == ("visible", "queued")


def test_unpicking_gives_back_what_it_was() -> None:
    town = Town()
    plain, asked = town.post(), town.question()
    for id in (plain, asked):
        town.must(HOST, c.PickMessage, message=id)
        town.must(HOST, c.UnpickQuestion, message=id)
    assert (town.fate(plain), town.fate(asked)) == (None, "asked")


def test_one_place_on_air() -> None:
    town = Town()
    first = town.on_air()
    second = town.question()
    assert town.refused(HOST, c.AirQuestion, message=second).code == "already_on_air"
    assert town.refused(HOST_2, c.AirQuestion, message=first).code == "already_done"
    town.must(HOST, c.ReturnToQueue, message=first)
    assert town.hall.queue[0] == first
    assert town.refused(HOST, c.AirQuestion, message=second).code == "wrong_fate"
    town.must(HOST, c.HoldMessage, message=second)
    assert town.refused(HOST, c.AirQuestion, message=second).code == "wrong_state"


def test_the_order_of_the_queue() -> None:
    town = Town()
    ids = [town.question() for _ in range(3)]
    for id in ids:
        town.must(HOST, c.PickMessage, message=id)
    town.must(HOST, c.MoveQuestion, message=ids[2], position=0)
    assert town.hall.queue == [ids[2], ids[0], ids[1]]
    town.must(HOST, c.MoveQuestion, message=ids[2], position=99)
    assert town.hall.queue == ids
    assert town.refused(HOST, c.MoveQuestion, message=ids[2], position=2).code == "already_done"
    plain = town.post()
    assert town.refused(HOST, c.MoveQuestion, message=plain, position=0).code == "wrong_fate"


def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town()
    first = town.on_air()
    monkeypatch.setattr("moderation.question_rules.limit", lambda _: 1)
    town.must(HOST, c.PickMessage, message=town.question())
    other = town.question()
    assert town.refused(HOST, c.PickMessage, message=other).code == "queue_full"
    assert town.refused(HOST, c.RouteQuestion, message=other, director="d1").code == "queue_full"
    assert town.refused(HOST, c.ReturnToQueue, message=first).code == "queue_full"


def test_merging_keeps_every_voice_and_splitting_gives_a_fate_back() -> None:
    town = Town()
    a, b, third = town.question(by=1), town.question(by=2), town.post(by=3)
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    town.must(HOST, c.MergeQuestion, message=third, into=a)
    assert town.hall.messages[a].merged == (b, third)
    assert town.refused(HOST, c.MergeQuestion, message=b, into=a).code == "wrong_fate"
    assert town.refused(HOST, c.MergeQuestion, message=a, into=b).code == "wrong_fate"
    town.must(HOST, c.SplitQuestion, message=b)
    assert (town.fate(b), town.hall.messages[a].merged) == ("asked", (third,))
    assert town.refused(HOST, c.SplitQuestion, message=b).code == "wrong_fate"


def test_merged_ones_follow_to_where_their_question_is_merged() -> None:
    town = Town()
    a, b, d = town.question(), town.question(), town.question()
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    town.must(HOST, c.MergeQuestion, message=a, into=d)
    assert town.hall.messages[d].merged == (a, b)
    assert town.hall.messages[b].into == d
    assert town.hall.messages[a].merged == ()


def test_what_cannot_be_merged() -> None:
    town = Town()
    a, b = town.question(), town.post()
    assert town.refused(HOST, c.MergeQuestion, message=a, into=a).code == "merge_into_itself"
    assert town.refused(HOST, c.MergeQuestion, message=a, into=b).code == "wrong_fate"
    assert town.refused(HOST, c.MergeQuestion, message=a, into=77).field == "$.into"
    assert town.refused(HOST, c.MergeQuestion, message=77, into=a).code == "no_such_message"
    town.must(HOST, c.HoldMessage, message=b)
    assert town.refused(HOST, c.MergeQuestion, message=a, into=b).code == "wrong_state"


def test_hiding_a_question_frees_those_merged_into_it() -> None:
    town = Town()
    a, b = town.question(), town.question()
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    town.must(HOST, c.RemoveMessage, message=a, reason="off_topic")
    assert (town.fate(b), town.hall.messages[b].into) == ("asked", None)
    town.must(HOST, c.UndoAct)
    assert town.hall.messages[a].merged == (b,)
    assert town.fate(b) == "merged"


def test_a_merged_question_that_is_hidden_leaves_its_place() -> None:
    town = Town()
    a, b = town.question(), town.question()
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    town.must(HOST, c.HoldMessage, message=b)
    assert town.hall.messages[a].merged == ()
    town.must(HOST, c.UndoAct)
    assert town.hall.messages[a].merged == (b,)


def test_unpicking_a_question_with_other_voices_keeps_it_a_question() -> None:
    town = Town()
    a, b = town.post(), town.question()
    town.must(HOST, c.PickMessage, message=a)
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    town.must(HOST, c.UnpickQuestion, message=a)
    assert town.fate(a) == "asked"


def test_removing_what_is_on_air_takes_it_off_at_once() -> None:
    town = Town()
    id = town.on_air()
    town.must(HOST, c.RemoveMessage, message=id, reason="named_person")
    assert town.hall.on_air is None


def test_deferring_needs_a_day_that_is_not_past() -> None:
    town = Town()
    id = town.question()
    assert town.refused(HOST, c.DeferQuestion, message=id, due="2026-11-23").code == "due_in_the_past"
    assert town.refused(HOST, c.DeferQuestion, message=id, due="2026-02-30").field == "$.due"
    assert town.refused(HOST, c.DeferQuestion, message=id, due="2026-12-01", note="가" * 201).code == "text_too_long"
    town.must(HOST, c.DeferQuestion, message=id, due="2026-11-24")
    town.must(HOST, c.DeferQuestion, message=id, due="2026-12-01", note="자료를 모으고 있습니다")
    assert town.hall.messages[id].due == "2026-12-01"
    assert town.refused(HOST, c.DeferQuestion, message=town.post(), due="2026-12-01").code == "wrong_fate"


def test_a_director_acts_only_on_what_is_routed_to_them() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    for kind, more in (
        (c.AcceptQuestion, {}),
        (c.ReturnQuestion, {"reason": "x"}),
        (c.StartAnswer, {}),
        (c.FinishQuestion, {}),
        (c.DeferQuestion, {"due": "2026-12-01"}),
        (c.AnswerInWriting, {"text": "x"}),
    ):
        assert town.refused(D2, kind, message=id, **more).code == "not_yours"
    assert town.refused(D2, c.AcceptQuestion, message=77).code == "not_yours"
    assert town.refused(D1, c.ReturnQuestion, message=id, reason=" ").code == "text_empty"
    assert town.refused(D1, c.StartAnswer, message=id).code == "wrong_fate"
    assert town.refused(D1, c.FinishQuestion, message=id).code == "not_on_air"


def test_declining_has_a_public_reason_and_can_be_taken_up_again() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.DeclineQuestion, message=id, reason="not_our_remit", note="중앙부처 소관입니다")
    assert town.hall.messages[id].declined == "not_our_remit"
    town.must(HOST, c.ReturnToQueue, message=id)
    assert (town.fate(id), town.hall.messages[id].declined) == ("queued", None)
    assert town.refused(HOST, c.DeclineQuestion, message=id, reason="other", note="가" * 201).code == "text_too_long"
    assert town.refused(HOST, c.DeclineQuestion, message=town.post(), reason="other").code == "wrong_fate"


def test_a_written_answer_is_given_and_mended() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    town.must(D1, c.DeferQuestion, message=id, due="2026-12-08")
    assert town.refused(D1, c.AnswerInWriting, message=id, text="").code == "text_empty"
    town.must(D1, c.AnswerInWriting, message=id, text="내년 1월입니다.")
    town.must(D1, c.AnswerInWriting, message=id, text="내년 2월입니다.")
    assert (town.fate(id), town.hall.messages[id].written) == ("answered", "내년 2월입니다.")
    assert town.refused(HOST, c.FinishQuestion, message=id).code == "already_done"


def test_routing() -> None:
    town = Town()
    id = town.question()
    assert town.refused(HOST, c.RouteQuestion, message=id, director="nobody").code == "no_such_director"
    assert town.refused(HOST, c.RouteQuestion, message=id, director=None).code == "not_routed"
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    assert town.refused(HOST_2, c.RouteQuestion, message=id, director="d1").params == {"by": "도지사"}
    town.must(HOST, c.RouteQuestion, message=id, director=None)
    assert town.hall.messages[id].director is None
    town.must(HOST, c.HoldMessage, message=id)
    assert town.refused(HOST, c.RouteQuestion, message=id, director="d1").code == "wrong_state"


def test_a_question_on_air_stays_there_when_it_is_returned() -> None:
    town = Town()
    id = town.on_air("d1")
    town.must(D1, c.ReturnQuestion, message=id, reason="소관이 아닙니다")
    assert (town.hall.on_air, town.hall.messages[id].director) == (id, None)


def test_removed_messages_cannot_be_picked_nor_answered_ones() -> None:
    town = Town()
    id = town.post()
    town.must(HOST, c.RemoveMessage, message=id, reason="spam")
    assert town.refused(HOST, c.PickMessage, message=id).code == "wrong_state"
    other = town.on_air()
    town.must(HOST, c.FinishQuestion, message=other)
    assert town.refused(HOST, c.PickMessage, message=other).code == "wrong_fate"


def test_a_closed_town_hall_still_routes_what_was_deferred_but_picks_nothing() -> None:
    town = Town()
    plain, asked = town.post(), town.question()
    town.must(HOST, c.CloseHall)
    town.must(HOST, c.RouteQuestion, message=asked, director="d2")
    assert town.refused(HOST, c.RouteQuestion, message=plain, director="d2").code == "wrong_fate"
    assert town.refused(employee(1), c.PostMessage, text="늦은 글").code == "hall_closed"
