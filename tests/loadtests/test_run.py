"""A real run against a real server; and what it says of it."""

import re
from dataclasses import replace as replaced
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from loadtests.__main__ import main
from loadtests.audience.lines import Joined, Report
from loadtests.audience.words import Words
from loadtests.child import AudienceFailed, Child
from loadtests.client import NotAdmitted
from loadtests.histogram import Histogram, bucket, upper_ms
from loadtests.native import build
from loadtests.outcome import Outcome
from loadtests.report.page import page
from loadtests.report.plot import lines
from loadtests.report.rows import rows
from loadtests.report.terminal import table
from loadtests.run import Plan, Run
from loadtests.scenario import Phase, Scenario
from loadtests.tickets import tickets
from protocol.limits import LIMITS
from protocol.sentences import section
from tests.server.serving import serving
from tests.town import SETUP

FIFTY = Scenario(
    viewers=50, posters=10, join_over_s=0.5, phases=(Phase(rate=10, seconds=1.5), Phase(rate=20, seconds=1, burst=5))
)
AUDIENCES = pytest.mark.parametrize("audience", ["python", "native"])


def native(audience: str) -> Path | None:
    return build.audience() if audience == "native" else None


@AUDIENCES
async def test_fifty_viewers_see_everything_once_and_in_order(tmp_path: Path, audience: str) -> None:
    async with serving(tmp_path) as server:
        code = await server.hall()
        plan = Plan(url=server.node.url, code=code, scenario=FIFTY, native=native(audience), processes=2)
        outcome = await Run(plan).run()
    assert outcome.whole, table(outcome, "en")
    assert outcome.posted.due == len(outcome.posted.acknowledged) == 35
    assert outcome.deliveries == 35 * 50
    assert outcome.verdict.whole == outcome.joins.total == 50


@AUDIENCES
async def test_those_who_stop_reading_are_not_asked_what_they_saw(tmp_path: Path, audience: str) -> None:
    async with serving(tmp_path) as server:
        code = await server.hall()
        scenario = replace(FIFTY, stall=10, while_joining=True)
        outcome = await Run(Plan(url=server.node.url, code=code, scenario=scenario, native=native(audience))).run()
    assert outcome.whole, table(outcome, "en")
    assert outcome.verdict.whole == 40


@AUDIENCES
async def test_everybody_whose_connection_was_cut_comes_back_and_has_missed_nothing(tmp_path: Path, audience: str) -> None:
    async with serving(tmp_path) as server:
        code = await server.hall()
        scenario = replace(FIFTY, cut_after_s=0.5, phases=(Phase(rate=12, seconds=3),))
        outcome = await Run(Plan(url=server.node.url, code=code, scenario=scenario, native=native(audience), processes=2)).run()
    assert outcome.whole, table(outcome, "en")
    assert (outcome.joins.total, outcome.rejoins.total) == (50, 50)


async def test_what_is_refused_because_too_much_is_written_is_no_fault_where_it_was_wanted(tmp_path: Path) -> None:
    scenario = replace(FIFTY, posters=20, excess=True, phases=(Phase(rate=40, seconds=2, burst=10),))
    async with serving(tmp_path, posts_per_s=6) as server:
        code = await server.hall()
        outcome = await Run(Plan(url=server.node.url, code=code, scenario=scenario)).run()
    assert outcome.whole, table(outcome, "en")
    assert outcome.excess == outcome.posted.refused["chat_flooded"] == 80 - len(outcome.posted.acknowledged) > 0
    assert not replaced_scenario(outcome).whole


def replaced_scenario(outcome: Outcome) -> Outcome:
    """The same, had it not been wanted."""
    return replaced(outcome, scenario=replace(outcome.scenario, excess=False))


async def test_the_server_is_asked_how_it_is_doing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.run.EVERY_S", 0.2)
    async with serving(tmp_path / "data") as server:
        code = await server.hall()
        token = (tmp_path / "data/metrics-token").read_text("ascii").strip()
        outcome = await Run(Plan(url=server.node.url, code=code, scenario=FIFTY, metrics=token)).run()
        told = outcome.server
        assert told is not None
        assert max(one.sockets for one in told.during) == 60
        assert told.left() == (0, 0)
        assert told.most_rss() > 10e6 and told.growth() is not None and told.lag_p99_s() > 0
        figures = dict(rows(outcome))
        assert (figures["sockets_left"], figures["tasks_left"]) == ("0", "0")
        assert page(outcome, "en").count("<svg") == 5
        with pytest.raises(PermissionError, match="token"):
            await Run(Plan(url=server.node.url, code=code, scenario=FIFTY, metrics="wrong")).run()


async def test_a_town_hall_that_reviews_is_said_to_be_no_use(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        code = await server.hall(setup=replace(SETUP, mode="reviewed"))
        outcome = await Run(Plan(url=server.node.url, code=code, scenario=FIFTY)).run()
    assert outcome.held
    assert not outcome.whole


@AUDIENCES
async def test_an_audience_that_is_not_admitted_says_why(tmp_path: Path, audience: str) -> None:
    (tmp_path / "tickets").write_text("not-a-ticket\n")
    async with serving(tmp_path / "data") as server:
        words = Words(
            host="127.0.0.1",
            port=server.node.port,
            viewers=3,
            rate=100,
            code=await server.hall(),
            run="abcd",
            tickets=str(tmp_path / "tickets"),
        )
        async with Child(words, native(audience)) as child:
            joined = await child.until(Joined)
            await child.tell("report")
            report = await child.until(Report)
    assert (joined.live, joined.dead) == (0, 3)
    assert report.closings == {"not_admitted": 3}


async def test_an_audience_that_cannot_begin_is_an_error(tmp_path: Path) -> None:
    words = Words(host="127.0.0.1", port=1, viewers=1, rate=1, code="X", run="abcd", tickets=str(tmp_path / "none"))
    async with Child(words) as child:
        with pytest.raises(AudienceFailed, match="ended"):
            await child.line()


def test_a_server_that_is_not_there_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "ko", "--viewers", "1", "http://127.0.0.1:1", "DEMO24"]) == 2
    assert "연결할 수 없습니다" in capsys.readouterr().err


def test_percentiles_are_within_two_percent() -> None:
    histogram = Histogram()
    for ms in range(1, 1001):
        histogram.add(ms)
    for share in (0.5, 0.9, 0.99):
        assert share * 1000 <= histogram.percentile(share) <= share * 1000 * 1.03
    assert histogram.longest() >= 1000
    assert Histogram().percentile(0.5) == 0
    assert all(upper_ms(bucket(ms)) >= ms for ms in (0.0, 0.1, 0.2, 5.0, 60_000.0))


class _Tags(HTMLParser):
    """Counts what stands in a page, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_report_renders_with_and_without_samples(lang: str) -> None:
    outcome = Outcome(FIFTY, "Python")
    for text in (page(outcome, lang), page(outcome, lang)):  # type: ignore[arg-type]  # of the parameters
        tags = _Tags()
        tags.feed(text)
        assert tags.seen["svg"] == 4
        assert tags.loads == []
    names = section(lang, "loadtest")["row"]
    assert {key for key, _ in rows(outcome)} == set(names)
    assert names["deliveries"] in table(outcome, lang)  # type: ignore[arg-type]


def test_a_plot_keeps_within_its_frame_and_escapes_names() -> None:
    svg = lines("<b>", "s", [("a", [(0, 0), (10, 7)]), ("b", [(0, 3)])])
    assert "<b>" not in svg
    points = [tuple(map(float, pair.split(","))) for found in re.findall(r'points="([^"]+)"', svg) for pair in found.split()]
    assert len(points) == 3
    assert all(0 <= x <= 720 and 0 <= y <= 240 for x, y in points)


async def test_tickets_that_one_address_does_not_get_another_of_the_loopback_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "joins_per_address_per_min", replaced(LIMITS["joins_per_address_per_min"], value=20))
    monkeypatch.setattr("loadtests.tickets.MARGIN", 0)
    monkeypatch.setattr("loadtests.tickets.LOCAL", 3)
    async with serving(tmp_path) as server:
        code = await server.hall()
        got = await tickets(server.node.url, code, 50, least=1, lang="en")
        assert len(set(got)) == 50
        again = await tickets(server.node.url, code, 50, least=1, lang="en")
        assert len(again) == 10, "what is left is shared"
        with pytest.raises(NotAdmitted, match="too_many_joins"):
            await tickets(server.node.url, code, 50, least=1, lang="en")
