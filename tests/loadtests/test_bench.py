"""The bench: results, targets and the page are pure; one small row runs for real; every peer obeys."""

import math
import os
import re
import subprocess
from pathlib import Path

import pytest

from loadtests.bench import install, peer
from loadtests.bench.__main__ import main
from loadtests.bench.install import Missing
from loadtests.bench.page import COLUMNS, write
from loadtests.bench.plots import bars
from loadtests.bench.product import gc_pauses, longest_ms, product
from loadtests.bench.results import Record, Results, keep, load
from loadtests.bench.rows import cost, nodes
from loadtests.bench.rows.every import NAMES, ROWS
from loadtests.bench.rows.row import Figures, Options, opened, watched
from loadtests.bench.targets import TARGETS
from loadtests.bench.usage import busiest_s, tree, usage
from loadtests.bench.window import window
from loadtests.native import build


def small() -> Options:
    return Options(native=build.audience(), quick=True, scale=0.01)


def record(row: str, contestant: str, run: int = 1, quick: bool = False, missing: str = "", **figures: float | bool) -> Record:
    return Record(run=run, row=row, contestant=contestant, quick=quick, figures=dict(figures), missing=missing)


def test_rounds_become_medians_and_one_that_lost_something_spoils_the_row() -> None:
    results = Results(record("cpu-5000", "product", us=us, whole=us < 9) for us in (8.0, 7.0, 9.0))
    assert results.number("cpu-5000", "product", "us") == 8
    assert not results.whole("cpu-5000", "product")
    assert math.isnan(results.number("cpu-5000", "uws", "us"))


def test_the_latest_run_counts_and_a_quick_one_only_where_there_is_no_other() -> None:
    older, newer = record("kept", "product", 1, kb=1.0), record("kept", "product", 2, kb=2.0)
    quick = record("kept", "product", 3, quick=True, kb=3.0)
    for order in ([older, newer, quick], [quick, newer, older], [newer, quick, older]):
        assert Results(order).number("kept", "product", "kb") == 2
    assert Results([quick]).quick("kept")
    assert Results([quick]).number("kept", "product", "kb") == 3


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    records = [record("kept", "product", kb=1.5, whole=True), record("kept", "nchan", missing="apt-get install …")]
    for one in records:
        keep(path, one)
    assert load(path) == records
    assert load(tmp_path / "none") == []


def found(what: str, *records: Record) -> bool | None:
    one = next(target for target in TARGETS if what in target.what)
    return one.found(Results(records)).met


def test_a_ratio_is_met_or_not_and_nothing_is_met_without_a_measurement() -> None:
    floor = record("cpu-5000", "floor", us=8.0, whole=True)
    what = "5,000 viewers: CPU per delivery against the floor"
    assert found(what, floor) is None
    assert found(what, floor, record("cpu-5000", "product", us=9.6, per_frame=1.0, whole=True)) is True
    assert found(what, floor, record("cpu-5000", "product", us=9.7, per_frame=1.0, whole=True)) is False
    assert found(what, floor, record("cpu-5000", "product", us=1.0, per_frame=1.0, whole=False)) is False, "it lost messages"
    assert found(what, floor, record("cpu-5000", "product", us=1.0, per_frame=4.0, whole=True)) is None, "they were gathered"
    assert found("100 messages/s", record("sustained-100", "product", p99=20.0, whole=False)) is False
    assert found("deliveries/s with p99", record("most", "product", deliveries_s=100_000, whole=True)) is True


def test_every_target_reads_a_row_and_a_figure_that_exist() -> None:
    figures: Figures = {name: 1.0 for name in COLUMNS}
    figures["whole"] = True
    contestants = {name for row in ROWS for name in row.contestants}
    every = [Record(run=1, row=row.name, contestant=name, quick=False, figures=figures) for row in ROWS for name in contestants]
    assert all(one.found(Results(every)).met is not None for one in TARGETS)
    assert contestants == {*peer.KINDS, "product"}
    assert all(set(row.quick) <= set(row.contestants) for row in ROWS)


def test_the_page_says_what_was_measured_what_was_not_and_why(tmp_path: Path) -> None:
    results = Results(
        [
            record("cpu-5000", "floor", us=8.0, whole=True, p99=50.0),
            record("cpu-5000", "product", us=8.8, whole=True, per_frame=1.0, p99=60.0),
            record("cpu-5000", "nchan", missing="apt-get install nchan"),
            record("storm", "product", join_p99=1234.0, whole=False),
        ]
    )
    written = write(results, tmp_path)
    text = written[0].read_text("utf-8")
    assert "| **townhall** | 8.8 |" in text
    assert "1.1 × | met |" in text
    assert "Without Nchan (nginx): apt-get install nchan." in text
    assert "**not met**" in text
    assert "Not measured yet." in text
    for link in re.findall(r"\]\((performance/[^)]+)\)", text):
        assert (tmp_path / link).read_text("utf-8").startswith("<svg")
    assert all(path.stat().st_size < 200_000 for path in written)
    assert not re.search(r"/(tmp|work|home|root)\b", text)


def test_bars_far_beyond_the_others_are_cut_and_say_so() -> None:
    svg = bars("<t>", "µs", [("a", 1.0, True), ("b", 500.0, False)])
    assert "<t>" not in svg
    assert "500 … µs" in svg
    assert max(map(float, re.findall(r'width="([\d.]+)"', svg))) <= 720


def test_usage_grows_with_work_and_counts_children() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert child.pid in tree(os.getpid())
            before = usage(os.getpid())
            sum(range(2_000_000))
            used = usage(os.getpid()).since(before)
            assert used.cpu_s > 0
            assert child.pid in busiest_s(os.getpid())
        finally:
            child.kill()


def test_a_peer_that_cannot_be_had_is_left_out_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "NCHAN", tmp_path / "not-there.so")
    with pytest.raises(Missing, match="libnginx-mod-nchan"):
        install.nchan()
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.count("\n") == len(ROWS) == len(NAMES)


async def test_the_floor_obeys_and_is_counted_whole() -> None:
    async with opened("floor", 30) as contestant, watched(contestant, 30, build.audience()) as (audience, _):
        found = await window(contestant, audience, 50, 0.4)
        batch = await window(contestant, audience, 50, 0.4, 10)
    assert found.whole
    assert batch.whole
    assert (found.per_frame, batch.per_frame) == (1, 10)
    assert found.us > 0


async def test_a_row_measures_the_product_message_by_message() -> None:
    figures = await cost.batch("product", small())
    assert figures["whole"] is True
    assert float(figures["us"]) > 0


async def test_the_longest_collection_is_read_from_the_metrics() -> None:
    async with product(posters=0) as running:
        pauses = await gc_pauses(running)
    assert 0 < longest_ms({}, pauses) < 10_000
    assert longest_ms(pauses, pauses) == 0


def test_only_the_collections_between_two_readings_count() -> None:
    before = {0.01: 1.0, 0.1: 1.0, 0.5: 2.0, math.inf: 2.0}
    after = {0.01: 4.0, 0.1: 5.0, 0.5: 6.0, math.inf: 6.0}
    assert longest_ms(before, after) == 100
    assert longest_ms({}, after) == 500


async def test_two_nodes_on_one_store_are_measured() -> None:
    figures = await nodes.two_nodes("product", small())
    assert figures["whole"] is True
