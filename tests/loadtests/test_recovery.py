"""How soon all is well again is measured on the real thing, and what misses is told."""

from pathlib import Path

import pytest

from loadtests.recovery import flood, nodes, store
from loadtests.recovery.figures import Figure, table


def test_a_figure_is_met_or_not_by_the_share_that_was_asked() -> None:
    all_of_them, most_of_them = Figure("R-03", "all", 3.0), Figure("R-02", "most", 3.0, share=0.99)
    for figure in (all_of_them, most_of_them):
        figure.add(*[0.5] * 199, 7.0)
    assert not all_of_them.met
    assert most_of_them.met
    assert (most_of_them.at(0.5), most_of_them.at(1.0)) == (0.5, 7.0)
    most_of_them.add(7.0, 7.0)
    assert not most_of_them.met
    assert "| R-02 | most | ≤ 3 s (p99) | 0.50 | 7.00 | 7.00 | 202 | **not met** |" in table([all_of_them, most_of_them])


def test_what_was_never_measured_is_not_met() -> None:
    assert not Figure("R-03", "nothing", 3.0).met


async def test_a_killed_node_and_a_killed_store_are_measured(tmp_path: Path) -> None:
    found = [*await nodes.killed(tmp_path / "node", 1), *await store.killed(tmp_path / "store", 1, "always")]
    assert {figure.id for figure in found} == {"R-01", "R-02", "R-03"}
    for figure in found:
        # All came back; how soon is for whoever has the machine to himself.
        assert figure.values
        assert max(figure.values) < float("inf")
        assert figure.id != "R-01" or figure.values == [0]


async def test_a_store_killed_in_a_flood_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "PEOPLE", 200)
    monkeypatch.setattr(flood, "LINES", 8)
    rate, works, missing = await flood.killed(tmp_path, 1, "everysec")
    assert len(rate.values) == 1
    assert max(works.values) < float("inf")
    assert missing.values == [0]


def test_an_acknowledgement_that_the_record_does_not_bear_out_is_counted() -> None:
    record = [(1, "하나"), (2, "둘"), (4, "셋"), (5, "둘")]
    assert flood.false({1: "하나", 2: "둘", 4: "셋"}, record[:3]) == 0
    assert flood.false({1: "하나", 3: "넷", 4: "둘"}, record[:3]) == 2
    assert flood.false({2: "둘"}, record) == 1
