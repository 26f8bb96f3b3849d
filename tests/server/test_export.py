"""The record as files: nothing that may not be published, everything that may, and the sums agree."""

import csv
import io
import json
from collections import Counter
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from moderation.hall import Hall
from protocol import commands as c
from server.http.export import COLUMNS, FORMATS
from tests.server.serving import Server
from tests.town import D1, HOST, ORGANISER, Town, employee

SEOUL = ZoneInfo("Asia/Seoul")
HOSTILE = ["=1+1", "+82", "-1", "@SUM(A1)", "＝1", '=HYPERLINK("http://a.example")', "'quoted'", 'a "b", c']
SCRIPTS = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</article></body>", "&amp; &lt;"]


def written(hall: Hall, name: str, lang: Any = "ko") -> str:
    return b"".join(FORMATS[name][1](hall, SEOUL, lang)).decode()


def rows(hall: Hall, lang: Any = "ko") -> list[list[str]]:
    text = written(hall, "questions.csv", lang)
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


@pytest.fixture
def town() -> Town:
    """One question of each fate, a held, a removed and an erased message."""
    town = Town()
    town.post("그냥 하는 말")
    first, second, third, fourth, fifth, sixth = (town.question(f"질문 {n}", by=n) for n in range(1, 7))
    town.must(HOST, c.RouteQuestion, message=first, director="d1")
    town.must(HOST, c.AirQuestion, message=first)
    town.now += 90
    town.must(HOST, c.FinishQuestion, message=first)
    town.must(HOST, c.MergeQuestion, message=second, into=first)
    town.must(HOST, c.DeclineQuestion, message=third, reason="not_our_remit", note="소관이 아닙니다")
    town.must(HOST, c.RouteQuestion, message=fourth, director="d1")
    town.must(HOST, c.DeferQuestion, message=fourth, due="2026-12-01")
    town.must(D1, c.AnswerInWriting, message=fourth, text="서면 답변입니다.\n둘째 줄")
    town.must(HOST, c.PickMessage, message=fifth)
    town.must(HOST, c.HoldMessage, message=town.post("보류된비밀", by=7))
    removed = town.post("삭제된비밀", by=8)
    town.must(HOST, c.RemoveMessage, message=removed, reason="abuse")
    erased = town.post("파기된비밀", by=9)
    town.must(HOST, c.RemoveMessage, message=erased, reason="personal_data")
    town.must(HOST, c.EraseMessage, message=erased)
    assert sixth
    return town


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("closed", [False, True])
def test_nothing_that_is_held_removed_or_about_its_author_is_in_a_file(town: Town, name: str, closed: bool) -> None:
    if closed:
        town.must(ORGANISER, c.CloseHall)
    text = written(town.hall, name)
    assert "비밀" not in text
    assert not [author for number in range(1, 10) if (author := employee(number).author) and author in text]


def test_the_three_files_and_the_state_agree(town: Town) -> None:
    town.must(ORGANISER, c.CloseHall)
    lines = [json.loads(line) for line in written(town.hall, "record.jsonl").splitlines()]
    head, *messages, sums = lines
    assert (head["record"], sums["record"], head["interim"]) == ("town_hall", "sums", False)
    assert sums["entries"] == town.hall.seq
    assert sums["received"] == sums["visible"] + sums["held"] + sum(sums["removed"].values())
    assert len(messages) == sums["visible"]
    questions = [message for message in messages if "question" in message]
    fates = Counter(message["question"]["fate"] for message in questions)
    assert fates == sums["questions"] and set(fates) <= {"answered", "merged", "deferred", "declined"}
    header, *table = rows(town.hall)
    assert [int(row[0]) for row in table] == [message["id"] for message in questions]
    assert len(header) == len(COLUMNS) and {len(row) for row in table} == {len(COLUMNS)}
    report = written(town.hall, "report.html")
    assert report.count("<article") == len(questions)
    assert [message["id"] for message in messages] == sorted(message["id"] for message in messages)


def test_a_record_before_closing_says_so(town: Town) -> None:
    assert json.loads(written(town.hall, "record.jsonl").splitlines()[0])["interim"] is True
    assert 'class="interim"' in written(town.hall, "report.html")
    town.must(ORGANISER, c.CloseHall)
    assert 'class="interim"' not in written(town.hall, "report.html")


def test_a_row_tells_what_became_of_a_question_in_words(town: Town) -> None:
    header, answered, merged, declined, deferred, *_ = rows(town.hall)

    def cell(row: list[str], name: str) -> str:
        return row[COLUMNS.index(name)]

    assert header[:5] == ["번호", "내용", "작성 시각", "별칭", "처리"]
    assert [cell(answered, name) for name in ("fate", "director", "answered_how")] == [
        "답변 완료",
        "한도윤",
        "방송 중 답변",
    ]
    assert (cell(merged, "fate"), cell(merged, "into")) == ("병합", cell(answered, "id"))
    assert (cell(declined, "reason"), cell(declined, "note")) == ("소관 밖의 사안", "소관이 아닙니다")
    assert cell(deferred, "answer") == "서면 답변입니다.\n둘째 줄"
    assert rows(town.hall, "en")[0][:3] != header[:3]


def test_times_are_told_to_the_minute(town: Town) -> None:
    for line in written(town.hall, "record.jsonl").splitlines():
        record = json.loads(line)
        times = [
            record.get("at"),
            record.get("opened_at"),
            *(v for k, v in record.get("question", {}).items() if k.endswith("_at")),
        ]
        assert all(at % 60 == 0 for at in times if at is not None)


def with_poll(*choices: str, tally: tuple[int, ...] | None = None, question: str = "언제 할까요?") -> Town:
    """One poll; closed where there is a tally."""
    town = Town()
    id = town.must(HOST, c.OpenPoll, question=question, choices=choices)
    if tally is not None:
        assert isinstance(town.do(HOST, c.ClosePoll, poll=id, tally=tally), int)
    return town


def poll_rows(hall: Hall, lang: Any = "ko") -> list[list[str]]:
    return list(csv.reader(io.StringIO(written(hall, "polls.csv", lang).removeprefix("\ufeff"), newline=""), strict=True))


def test_a_poll_is_in_every_file_with_what_came_of_it() -> None:
    hall = with_poll("아침", "저녁", tally=(3, 4)).hall
    header, *table = poll_rows(hall)
    assert header == ["번호", "물음", "시작 시각", "마감 시각", "참여자", "선택지", "득표"]
    assert [(row[0], row[1], *row[4:]) for row in table] == [
        ("3", "언제 할까요?", "7", "아침", "3"),
        ("3", "언제 할까요?", "7", "저녁", "4"),
    ]
    assert [json.loads(line)["record"] for line in written(hall, "record.jsonl").splitlines()] == ["town_hall", "poll", "sums"]
    assert "3 (42.9 %)" in written(hall, "report.html") and "7명 참여" in written(hall, "report.html")
    assert written(Town().hall, "polls.csv", "en").count("\r\n") == 1
    assert "투표" not in written(Town().hall, "report.html")


@pytest.mark.parametrize("tally", [None, (3, 1)])
def test_of_an_open_poll_and_of_fewer_than_five_voters_no_file_has_figures(tally: tuple[int, ...] | None) -> None:
    hall = with_poll("아침", "저녁", tally=tally).hall
    assert [row[4:] for row in poll_rows(hall)[1:]] == [["", "아침", ""], ["", "저녁", ""]]
    poll = json.loads(written(hall, "record.jsonl").splitlines()[1])
    assert (poll["voters"], poll["counts"]) == (None, None)
    assert "%" not in written(hall, "report.html").split("</h1>")[1].replace("100%", "")
    told = "진행 중인 투표입니다." if tally is None else "참여자가 다섯 명 미만이어서"
    assert told in written(hall, "report.html")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_of_a_poll_that_would_be_a_formula_is_not_one(text: str) -> None:
    for row in poll_rows(with_poll(text, "b", question=text).hall)[1:2]:
        for found in (row[1], row[5]):
            assert found.lstrip("'") == text.lstrip("'")
            assert not found.startswith(("=", "+", "-", "@", "＝", "\t", "\r"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_that_would_be_a_formula_is_not_one(text: str) -> None:
    town = Town()
    town.question(text)
    (_, row) = rows(town.hall)
    assert row[1].lstrip("'") == text.lstrip("'")
    assert not row[1].startswith(("=", "+", "-", "@", "＝", "\t", "\r"))


class Seen(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", SCRIPTS)
def test_markup_in_a_question_is_text_in_the_report(text: str) -> None:
    plain, hostile = Town(), Town()
    plain.question("x")
    hostile.question(text)
    plain.must(HOST, c.OpenPoll, question="x", choices=("a", "b"))
    hostile.must(HOST, c.OpenPoll, question=text, choices=(text, "b"))
    seen = Seen(written(hostile.hall, "report.html"))
    assert seen.tags == Seen(written(plain.hall, "report.html")).tags
    assert text in seen.text
    assert not {name for name in seen.attributes if name.startswith("on") or name in ("src", "href")}


def test_a_report_asks_nobody_for_anything(town: Town) -> None:
    report = written(town.hall, "report.html")
    assert "http" not in report.replace("http-equiv", "") and "url(" not in report and "@import" not in report
    assert "<script" not in report and "default-src 'none'" in report


# --- over HTTP ---
async def test_a_record_is_downloaded_as_it_stands_in_the_log(server: Server) -> None:
    await server.hall()
    ticket = await server.ticket()
    for number in range(3):
        await server.must("TESTED", "audience", ticket, "message:post", text=f"질문 {number}", asked=True)
    headers = {"Authorization": f"Bearer {server.key}"}
    url = f"{server.node.url}/api/v1/halls/TESTED/export"
    async with server.session.get(f"{url}/record.jsonl", headers=headers) as response:
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
        assert response.headers["Content-Disposition"] == 'attachment; filename="TESTED-interim-record.jsonl"'
        assert [line["record"] for line in lines] == ["town_hall", "message", "message", "message", "sums"]
    await server.must("TESTED", "organiser", server.key, "hall:close")
    async with server.session.get(f"{url}/questions.csv?lang=en", headers=headers) as response:
        raw = await response.read()
        assert response.headers["Content-Disposition"] == 'attachment; filename="TESTED-questions.csv"'
        assert raw.startswith(b"\xef\xbb\xbf") and len(raw.decode("utf-8-sig").splitlines()) == 4
    async with server.session.get(f"{url}/report.html", headers=headers) as response:
        assert "질문 2" in await response.text()
