"""Scenarios, and what a run says before it begins."""

from pathlib import Path

import pytest

from loadtests.__main__ import Wrong, parser, plan_of
from loadtests.audience.words import Words, parse
from loadtests.posters import fits, taken
from loadtests.scenario import BadScenario, Phase, load, names


def test_every_scenario_that_comes_along_parses_and_fits_its_posters() -> None:
    assert names() == ["publish-storm", "ramp", "rejoin-storm", "slow-reader", "soak", "storm"]
    for name in names():
        scenario = load(name)
        assert scenario.excess or all(fits(scenario.posters, one.rate, one.seconds) == 0 for one in scenario.phases), name
        assert scenario.excess or taken(scenario.messages, scenario.seconds), name


def test_the_rows_of_the_benchmark_meet_no_bound_of_a_town_hall() -> None:
    # `sustained`: 300 a second for a minute, after half of that for four seconds (loadtests/bench/rows/load.py).
    assert taken(300 * 60 + 150 * 4, 64) and fits(610, 300, 60) == 0
    assert taken(300 * 170, 170) and not taken(300 * 175, 175)
    assert taken(100 * 550, 550) and not taken(100 * 560, 560)


def test_a_file_with_an_unknown_key_or_out_of_bounds_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for wrong in ("viewer = 3", "viewers = 0", "viewers = 3\nposters = 1\nphases = []", "viewers = "):
        file.write_text(wrong)
        with pytest.raises(BadScenario, match="mine"):
            load(str(file))
    with pytest.raises(BadScenario, match="nothing-here"):
        load("nothing-here")


def plan(*words: str) -> Phase:
    made = plan_of(parser("en").parse_args([*words, "http://127.0.0.1:1", "demo24"]), "en")
    assert made.code == "DEMO24"
    return made.scenario.phases[0]


def test_options_change_the_scenario() -> None:
    assert plan("--scenario", "ramp", "--posters", "300", "--rate", "40", "--seconds", "9") == Phase(rate=40, seconds=9)
    assert plan("--scenario", "soak", "--for", "15m") == Phase(rate=5, seconds=900)
    assert plan("--scenario", "ramp") == load("ramp").phases[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate", "100", "--posters", "150"), "at least 200 posters"),
        (("--rate", "5", "--posters", "50", "--for", "1h"), "at least 60 posters"),
        (("--rate", "100", "--posters", "400", "--for", "15m"), "50000 messages at any pace"),
        (("--viewers", "0"), "viewers"),
        (("--audience", "native", "--viewers", "10", "--posters", "50"), "C audience"),
        (("--viewers", "50000"), "files"),
    ],
)
def test_what_cannot_be_done_is_said_before_anybody_comes(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("loadtests.native.build.FOLDER", tmp_path)
    monkeypatch.setattr("resource.getrlimit", lambda kind: (1024, 20_000))
    with pytest.raises(Wrong, match=said):
        plan(*words)


def test_a_hundred_messages_a_second_need_two_hundred_posters() -> None:
    assert fits(199, 100, 60) == 200
    assert fits(200, 100, 60) == 0
    assert fits(50, 5, 3_600) == 60, "nobody writes more than 300 in one town hall"
    assert fits(10, 100, 0.5) == 0, "a short burst fits into what everybody may write at once"


def test_the_words_of_an_audience_come_back_as_they_were() -> None:
    words = Words(host="127.0.0.1", port=80, viewers=5, rate=2.5, code="DEMO24", run="abcd", tickets="/x", stall=2)
    assert parse(words.line()) == words
    with pytest.raises(ValueError, match="unknown: colour"):
        parse([*words.line(), "colour=red"])
    with pytest.raises(ValueError, match="host"):
        parse([])
