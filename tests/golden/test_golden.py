"""Logs of every version give the state they gave; the golden folds are what the rules render today."""

import json
from pathlib import Path

import pytest

from moderation.evolve import evolve
from moderation.hall import Hall
from protocol.bus import unpack
from tests.golden.write import FOLDER, state_digest, views


@pytest.mark.parametrize("path", sorted(FOLDER.glob("log-*.jsonl")), ids=lambda path: path.stem)
def test_a_log_of_an_older_version_still_gives_its_state(path: Path) -> None:
    *lines, last = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    hall = Hall.empty()
    for line in lines:
        evolve(hall, line["seq"], unpack(bytes.fromhex(line["body"]), line["text"]))
    assert len(lines) > 100
    assert state_digest(hall) == last["digest"]


def test_the_histories_for_the_pages_are_up_to_date() -> None:
    assert json.loads((FOLDER / "views.json").read_text("utf-8")) == views(), "run python -m tests.golden.write"
