"""W-06: whoever alters, drops or reorders one of a thousand entries is found out, and at which."""

import copy
import json
from typing import Any

import pytest

from moderation.audit import advance, first_bad, line
from moderation.evolve import evolve
from moderation.hall import Hall
from protocol import commands as c
from protocol.bus import pack
from tests.histories import play
from tests.town import ORGANISER, Town


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """A thousand entries and more, of which many are acts of staff; as a file gives them back."""
    town = Town()
    steps = 0
    while len(town.log) < 1_000:
        play(town, 200, steps)
        steps += 1
    town.must(ORGANISER, c.CloseHall)
    hall = Hall.empty()
    found = []
    for seq, entry in enumerate(town.log, 1):
        body, text = pack(entry)
        evolve(hall, seq, entry)
        advance(hall, seq, body)
        written = json.dumps(line(hall, seq, body, entry), ensure_ascii=False)
        assert text is None or text not in written
        found.append(json.loads(written))
    assert found[-1]["hash"] == hall.chain
    return found


def head(lines: list[dict[str, Any]]) -> str:
    return str(lines[-1]["hash"])


def test_an_audit_that_nobody_touched_holds(lines: list[dict[str, Any]]) -> None:
    assert first_bad(lines, head(lines)) is None
    assert sum("body" in one for one in lines) > 100
    assert not any("author" in json.dumps(one) for one in lines if "body" not in one)


@pytest.mark.parametrize("place", [0, 1, 499, 998])
def test_a_dropped_entry_is_named(lines: list[dict[str, Any]], place: int) -> None:
    assert first_bad(lines[:place] + lines[place + 1 :], head(lines)) == place + 1


@pytest.mark.parametrize("place", [0, 500, 990])
def test_two_that_changed_places_are_named(lines: list[dict[str, Any]], place: int) -> None:
    changed = [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]
    assert first_bad(changed, head(lines)) == place + 1


@pytest.mark.parametrize("field", ["digest", "hash", "body", "kind", "seq"])
@pytest.mark.parametrize("number", [0, 40])
def test_an_altered_entry_is_named(lines: list[dict[str, Any]], field: str, number: int) -> None:
    place = [p for p, one in enumerate(lines) if "body" in one][number]
    changed = copy.deepcopy(lines)
    value = changed[place][field]
    changed[place][field] = value + 1 if isinstance(value, int) else ("0" if value[:1] != "0" else "1") + value[1:]
    assert first_bad(changed, head(lines)) == place + 1


def test_a_cut_off_end_is_noticed_by_the_head(lines: list[dict[str, Any]]) -> None:
    assert first_bad(lines[:-1]) is None  # by itself nothing is missing
    assert first_bad(lines[:-1], head(lines)) == len(lines)


def test_a_chain_that_was_made_anew_is_noticed_by_the_head(lines: list[dict[str, Any]]) -> None:
    town = Town()
    hall, forged = Hall.empty(), []
    for seq, entry in enumerate(town.log, 1):
        body, _ = pack(entry)
        evolve(hall, seq, entry)
        advance(hall, seq, body)
        forged.append(line(hall, seq, body, entry))
    assert first_bad(forged) is None and first_bad(forged, head(lines)) == len(forged) + 1


@pytest.mark.parametrize(
    "bad", [None, 7, [], {}, {"seq": 1}, {"seq": 1, "digest": "zz", "hash": "zz"}, {"seq": 1, "digest": 1, "hash": 2}]
)
def test_what_is_no_audit_is_bad_from_its_first_line(bad: object) -> None:
    assert first_bad([bad]) == 1
