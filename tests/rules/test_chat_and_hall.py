"""Who may post what; and a town hall's own life."""

import msgspec
import pytest

from moderation.decide import Decision, decide
from moderation.hall_rules import checked, create
from moderation.record import differences
from protocol import commands as c
from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.setup import Department, Director, Host, Setup, Video
from tests.town import D1, HOST, HOST_2, ORGANISER, SETUP, Town, employee


def test_a_paused_chat_takes_nothing() -> None:
    town = Town()
    assert town.refused(HOST, c.ResumeChat).code == "already_done"
    town.must(HOST, c.PauseChat)
    assert town.refused(employee(1), c.PostMessage, text="글").code == "chat_paused"
    assert town.refused(HOST_2, c.PauseChat).params == {"by": "도지사"}
    town.must(HOST, c.ResumeChat)
    town.post()


def test_slow_mode_says_how_long_to_wait() -> None:
    town = Town()
    town.must(HOST, c.SlowChat, seconds=30)
    assert town.refused(HOST, c.SlowChat, seconds=30).code == "already_done"
    town.post(by=1)
    town.post(by=2)
    town.now += 10
    refusal = town.refused(employee(1), c.PostMessage, text="또")
    assert (refusal.code, refusal.params, refusal.retry_after_ms) == ("slow_mode", {"seconds": 20}, 20_000)
    town.now += 20
    town.post(by=1)


def test_a_muted_author_is_told_why_and_others_are_not_touched() -> None:
    town = Town()
    id = town.post(by=1)
    town.must(HOST, c.MuteAuthor, message=id, reason="abuse", seconds=60)
    refusal = town.refused(employee(1), c.PostMessage, text="또")
    assert (refusal.code, refusal.params, refusal.retry_after_ms) == ("muted", {"reason": "abuse"}, 60_000)
    town.post(by=2)
    town.now += 60
    town.post(by=1)


def test_a_mute_without_end_lasts_until_it_is_lifted() -> None:
    town = Town()
    id = town.post(by=1)
    town.must(HOST, c.MuteAuthor, message=id, reason="spam")
    town.now += 10**6
    assert town.refused(employee(1), c.PostMessage, text="또").retry_after_ms is None
    town.must(HOST, c.UnmuteAuthor, author=town.hall.messages[id].author)
    town.post(by=1)
    assert town.refused(HOST, c.UnmuteAuthor, author="0" * 16).code == "no_such_participant"


def test_setting_the_mode_twice_says_who_did_it() -> None:
    town = Town()
    town.must(HOST, c.SetMode, mode="reviewed")
    assert town.refused(ORGANISER, c.SetMode, mode="reviewed").params == {"by": "도지사"}


def test_opening_needs_a_director_and_is_done_once() -> None:
    town = Town(Setup(title="t"), opened=False)
    assert town.refused(ORGANISER, c.OpenHall).code == "no_director"
    town.must(ORGANISER, c.ConfigureHall, setup=SETUP)
    town.must(HOST, c.OpenHall)
    assert town.refused(HOST, c.OpenHall).code == "wrong_phase"
    assert town.refused(ORGANISER, c.ConfigureHall, setup=Setup(title="t")).code == "no_director"


def test_closing_gives_every_question_an_end() -> None:
    town = Town()
    asked, queued = town.question(), town.question()
    town.must(HOST, c.PickMessage, message=queued)
    on_air = town.on_air()
    merged = town.question()
    town.must(HOST, c.MergeQuestion, message=merged, into=asked)
    answered = town.question()
    town.must(HOST, c.AnswerInWriting, message=answered, text="네")
    town.must(ORGANISER, c.CloseHall)
    assert [town.fate(id) for id in (asked, queued, on_air, merged, answered)] == [
        "deferred",
        "deferred",
        "deferred",
        "merged",
        "answered",
    ]
    assert town.hall.messages[asked].due == "2026-12-08"
    assert (town.hall.queue, town.hall.on_air, town.hall.preview) == ([], None, None)
    assert differences(town.hall) == []
    town.must(HOST, c.AnswerInWriting, message=asked, text="서면으로 답합니다")
    assert town.refused(HOST, c.PickMessage, message=asked).code == "wrong_phase"
    assert town.refused(D1, c.StartAnswer, message=asked).code == "wrong_phase"


def test_a_question_that_slips_in_before_the_closing_has_an_end_too() -> None:
    town = Town()
    early = town.question()
    closing = decide(town.hall, ORGANISER, c.CloseHall(client_id="closing-the-hall"), town.context())
    assert isinstance(closing, Decision)
    late = town.question(by=2)
    town.apply(closing)
    assert [town.fate(id) for id in (early, late)] == ["deferred", "deferred"]
    assert town.hall.messages[late].due == town.hall.messages[early].due
    assert differences(town.hall) == []


def test_a_draft_takes_no_message() -> None:
    town = Town(opened=False)
    assert town.refused(employee(1), c.PostMessage, text="일찍").code == "hall_draft"


def test_a_director_with_open_questions_cannot_be_dropped() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    without = msgspec.structs.replace(SETUP, directors=SETUP.directors[1:])
    assert town.refused(ORGANISER, c.ConfigureHall, setup=without).code == "no_such_director"
    town.must(HOST, c.AnswerInWriting, message=id, text="네")
    town.must(ORGANISER, c.ConfigureHall, setup=without)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": "  "}, "text_empty"),
        ({"title": "가" * 81}, "text_too_long"),
        ({"hosts": (Host(id="a", name="x"), Host(id="a", name="y"))}, "duplicate_id"),
        ({"hosts": tuple(Host(id=f"h{n}", name="x") for n in range(limit("hosts") + 1))}, "list_too_long"),
        ({"hosts": (Host(id="a", name="가" * 81),)}, "text_too_long"),
        ({"directors": (Director(id="x", department="nowhere", name="x"),)}, "no_such_department"),
        ({"video": Video(kind="hls", url="http://elsewhere/x.m3u8")}, "bad_video"),
        ({"video": Video(kind="iframe", url="javascript:alert(1)")}, "bad_video"),
        ({"video": Video(kind="hls", url="http://localhost.elsewhere/x.m3u8")}, "bad_video"),
        ({"video": Video(kind="hls", url="http://127.0.0.1.elsewhere/x.m3u8")}, "bad_video"),
        ({"video": Video(kind="iframe", url="https:///embed/1")}, "bad_video"),
        ({"video": Video(kind="iframe", url="https://me:secret@video.example/embed/1")}, "bad_video"),
        ({"video": Video(kind="iframe", url="data:text/html,x")}, "bad_video"),
    ],
)
def test_a_setup_that_makes_no_sense(changes: dict[str, object], code: str) -> None:
    refusal = checked(msgspec.structs.replace(SETUP, **changes))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert isinstance(create("CODE", ORGANISER, msgspec.structs.replace(SETUP, **changes), Town().context()), Refusal)
    assert Town().refused(ORGANISER, c.ConfigureHall, setup=msgspec.structs.replace(SETUP, **changes)).code == code


def test_names_are_cleaned() -> None:
    found = checked(
        msgspec.structs.replace(
            SETUP,
            title=" \u202e한빛도  ",
            departments=(Department(id="p", name_ko="기획\u200b실"),),
            directors=(),
            video=Video(kind="hls", url="https://video.example/x.m3u8"),
        )
    )
    assert isinstance(found, Setup)
    assert (found.title, found.departments[0].name_ko) == ("한빛도", "기획실")


def test_a_created_town_hall_begins_as_a_draft() -> None:
    made = create("CODE", ORGANISER, SETUP, Town().context())
    assert isinstance(made, Decision)
    assert Town(opened=False).hall.phase == "draft"
