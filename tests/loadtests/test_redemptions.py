"""The measurement of redemptions measures: people come in, and who is refused comes back when told."""

import re

import pytest

from loadtests.redemptions import Outcome, main, told


def test_everybody_has_a_ticket(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--people", "30", "--over", "0.5", "--addresses", "3"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("30 of 30 had a ticket") and "left out: 0" in said
    assert re.search(r"chat \d+ µs", said) and re.search(r"PSS verify \d+ µs", said)


def test_what_was_refused_is_told() -> None:
    outcome = Outcome(waits=[0.5, 2.0], took_s=3.0, cpu_s={"chat": 0.002}, left_out=1)
    outcome.refused["too_many_joins"] += 4
    said = "\n".join(told(outcome, (100.0, 100.0), 3, 1.0))
    assert "2 of 3 had a ticket" in said and "too_many_joins 4" in said and "left out: 1" in said
    assert "10.0 times a bare PSS verify, 5.0 times both" in said
