"""A short rehearsal against a real server; and that the reckoning finds what does not add up."""

import asyncio
import copy
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from loadtests.rehearsal.__main__ import main
from loadtests.rehearsal.organiser import Organiser
from loadtests.rehearsal.play import Plan, play
from loadtests.rehearsal.reckoning import Played, clients_csv, reckon
from protocol.sentences import section
from server.app import Node


def plan(out: Path) -> Plan:
    return Plan(people=25, messages=100, seconds=4.0, seed=7, out=out, url="", key="", lang="en")


async def played(node: Node, out: Path) -> Played:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        organiser = Organiser(session, node.url, node.links.organiser_key)
        found, _ = await play(plan(out), organiser, session, node.url, await organiser.create())
        return found


Break = Callable[[Played], object]
BREAKS: dict[str, tuple[Break, set[str]]] = {
    "an employee misses a message": (
        lambda found: found.employees[3].sight.ids.popitem(),
        {"each_received", "received_sum"},
    ),
    "a text was changed on the way": (
        lambda found: found.ledger.acknowledged.update({next(iter(found.ledger.acknowledged)): "다른 글"}),
        {"text_as_sent", "exported_text"},
    ),
    "an acknowledged message is nowhere": (
        lambda found: found.ledger.acknowledged.update({999_999: "사라진 글"}),
        {"acknowledged", "host_received", "visible", "received_sum", "exported", "sums_received"},
    ),
    "a frame left a gap": (lambda found: setattr(found.employees[0].client, "gaps", 1), {"gaps"}),
    "a page was sent the whole view again": (lambda found: setattr(found.host.sight, "resets", 2), {"one_snapshot"}),
    "a line of the record is missing": (
        lambda found: found.record.update({"questions.csv": b"\r\n".join(found.record["questions.csv"].split(b"\r\n")[:-2])}),
        {"csv"},
    ),
    "a question was put on the overlay twice": (lambda found: found.overlay.aired.append(1), {"overlay"}),
}


async def test_a_rehearsal_adds_up_and_whatever_does_not_is_found(node: Node, tmp_path: Path) -> None:
    found = await played(node, tmp_path)
    assert [line for line in reckon(found) if not line.agrees] == []
    assert {line.key for line in reckon(found)} == set(section("en", "rehearsal")["line"])
    assert len(clients_csv(found).splitlines()) == 26
    acts = found.acts
    assert (len(acts.picked), len(acts.returned), len(acts.deferred), len(acts.declined)) == (20, 2, 3, 1)
    assert len(acts.cards) == 6
    for name, (spoil, keys) in BREAKS.items():
        spoiled = Played(
            copy.deepcopy(found.ledger),
            copy.copy(found.employees),
            copy.copy(found.host),
            found.directors,
            copy.copy(found.overlay),
            acts,
            dict(found.record),
            found.messages,
        )
        for place, employee in enumerate(spoiled.employees):
            twin = spoiled.employees[place] = copy.copy(employee)
            twin.sight, twin.client = copy.copy(employee.sight), copy.copy(employee.client)
            twin.sight.ids = dict(employee.sight.ids)
        spoiled.host.sight = copy.copy(found.host.sight)
        spoiled.overlay.aired = list(found.overlay.aired)
        spoil(spoiled)
        assert {line.key for line in reckon(spoiled) if not line.agrees} == keys, name


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_the_command_starts_its_own_server_and_leaves_the_record(lang: str, tmp_path: Path) -> None:
    words = ("--people", "20", "--messages", "80", "--seconds", "3", "--lang", lang, "--out", str(tmp_path / "report"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.rehearsal", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    assert section(lang, "rehearsal")["line"]["each_received"] in said
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"record.jsonl", "questions.csv", "report.html", "clients.csv", "reconciliation.txt"}


@pytest.mark.parametrize(
    "words",
    [
        ["--people", "1"],
        ["--messages", "10"],
        ["--people", "2", "--messages", "3000"],
        ["--url", "http://127.0.0.1:1"],
        ["--people", "x"],
    ],
)
def test_what_cannot_be_rehearsed_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*words, "--lang", "en"])
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_server_that_is_not_there_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "http://127.0.0.1:1", "--key", "x", "--lang", "en"]) == 1
    assert "could not be finished" in capsys.readouterr().err
