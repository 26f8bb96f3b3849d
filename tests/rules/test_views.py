"""What each role is shown, by example."""

from moderation.views import audience, director, host, overlay
from moderation.views.fold import View, fold
from protocol import commands as c
from protocol.views import AudienceMessage, HostMessage, LowerThird, QuestionCard
from tests.town import D1, HOST, Town


def third(town: Town) -> LowerThird:
    found = fold({}, overlay.snapshot(town.hall))["lower_third"]
    assert isinstance(found, LowerThird)
    return found


def test_the_lower_third_is_whole_and_goes_when_it_is_cleared() -> None:
    town = Town()
    id = town.question("버스 막차를 늦춰 주세요")
    other = town.question("저도요")
    town.must(HOST, c.MergeQuestion, message=other, into=id)
    town.must(HOST, c.RouteQuestion, message=id, director="d2")
    assert third(town).id is None
    town.must(HOST, c.AirQuestion, message=id, support={id: 5})
    shown = third(town)
    assert (shown.text, shown.support, shown.voices) == ("버스 막차를 늦춰 주세요", 5, 2)
    assert shown.director is not None
    assert shown.department is not None
    assert (shown.director.name, shown.department.ko) == ("편수호", "건설교통국")
    town.must(HOST, c.ClearOverlay)
    assert third(town).id is None
    town.must(HOST, c.ShowOverlay)
    assert third(town).id == id


def test_a_question_tells_everybody_its_fate() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    town.now += 65
    town.must(HOST, c.AirQuestion, message=id)
    town.now += 30
    town.must(D1, c.FinishQuestion, message=id)
    shown = fold({}, audience.snapshot(town.hall))[f"message:{id}"]
    assert isinstance(shown, AudienceMessage)
    assert shown.fate is not None
    assert shown.fate.answer is not None
    answer = shown.fate.answer
    assert (shown.fate.state, answer.how, answer.offset_s, answer.took_s) == ("answered", "live", 65, 30)
    town.must(D1, c.AnswerInWriting, message=id, text="덧붙입니다")
    again = fold({}, audience.snapshot(town.hall))[f"message:{id}"]
    assert isinstance(again, AudienceMessage)
    assert again.fate is not None
    assert again.fate.answer is not None
    assert (again.fate.answer.how, again.fate.answer.text, again.fate.answer.offset_s) == ("written", "덧붙입니다", 65)


def test_a_director_sees_only_what_is_theirs() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.RouteQuestion, message=id, director="d1")
    mine: View = fold({}, director.snapshot(town.hall, "d1"))
    card = mine[f"question:{id}"]
    assert isinstance(card, QuestionCard)
    assert card.position == 0
    assert f"question:{id}" not in fold({}, director.snapshot(town.hall, "d2"))


def test_the_host_is_suggested_who_is_responsible() -> None:
    town = Town()
    id = town.post("버스 노선이 궁금합니다")
    shown = fold({}, host.snapshot(town.hall))[f"message:{id}"]
    assert isinstance(shown, HostMessage)
    assert shown.suggested == ("d2",)


def test_nobody_is_suggested_rather_than_guessed() -> None:
    town = Town()
    id = town.post("점심 뭐 드셨나요")
    shown = fold({}, host.snapshot(town.hall))[f"message:{id}"]
    assert isinstance(shown, HostMessage)
    assert shown.suggested == ()
