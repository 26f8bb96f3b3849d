"""Whether everything adds up: sent, acknowledged, received by each client, exported."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson

from loadtests.rehearsal.desk import DEFER_NOTE, Acts, Staff
from loadtests.rehearsal.people import Employee, Ledger


@dataclass(frozen=True, slots=True)
class Line:
    """`key`: of catalogue section `rehearsal`, part `line`. `found` must be `expected`."""

    key: str
    expected: object
    found: object

    @property
    def agrees(self) -> bool:
        """Whether it adds up."""
        return self.expected == self.found


@dataclass(slots=True)
class Played:
    """All that a rehearsal brings to the reckoning. Record: the bytes of the exported files by name."""

    ledger: Ledger
    employees: list[Employee]
    host: Staff
    directors: dict[str, Staff]
    overlay: Staff
    acts: Acts
    record: dict[str, bytes]
    messages: int


def reckon(played: Played) -> list[Line]:
    """Every comparison."""
    return [*_sent(played), *_received(played), *_exported(played)]


def clients_csv(played: Played) -> str:
    """One row for each employee's page: what it received."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["page", "messages", "first", "last", "snapshots", "gaps", "epoch", "seq"])
    for number, employee in enumerate(played.employees, 1):
        sight, ids = employee.sight, list(employee.sight.ids) or [0]
        position = employee.client.position or (0, 0)
        writer.writerow([number, len(sight.ids), ids[0], ids[-1], sight.resets, employee.client.gaps, *position])
    return out.getvalue()


def _sent(played: Played) -> list[Line]:
    ledger = played.ledger
    return [
        Line("sent", played.messages, ledger.sent),
        Line("acknowledged", played.messages, len(ledger.acknowledged)),
        Line("lost", 0, len(ledger.lost)),
        Line("same_seq", 0, ledger.twice),
    ]


def _received(played: Played) -> list[Line]:
    ledger, sights = played.ledger, [employee.sight for employee in played.employees]
    visible = len(ledger.acknowledged) - ledger.held
    host = played.host.sight
    everyone = [*sights, host]
    clients = [employee.client for employee in played.employees]
    # The host sees held messages too: what each employee must have seen is what the host has seen and is not held.
    seen = [id for id in host.ids if played.host.shown[("message", id)]["state"] == "visible"]
    lines = [
        Line("host_received", sorted(ledger.acknowledged), sorted(host.ids)),
        Line("visible", visible, len(seen)),
        Line("each_received", len(sights), sum(sorted(sight.ids) == sorted(seen) for sight in sights)),
        Line("received_sum", len(sights) * visible, sum(len(sight.ids) for sight in sights)),
        Line("same_text", 0, sum(sight.differing for sight in everyone)),
        Line(
            "text_as_sent", 0, sum(played.host.shown[("message", id)]["text"] != ledger.acknowledged.get(id) for id in host.ids)
        ),
        Line("order", 0, sum(sight.disordered for sight in everyone)),
        Line("gaps", 0, sum(client.gaps for client in clients)),
        Line("one_snapshot", len(everyone), sum(sight.resets for sight in everyone)),
        Line("one_position", 1, len({client.position for client in (*clients, played.host.client, played.overlay.client)})),
        Line(
            "cards",
            {id: sorted(ids) for id, ids in sorted(played.acts.cards.items())},
            {id: sorted(played.directors[id].seen_cards) for id in sorted(played.acts.cards)},
        ),
        Line("overlay", played.acts.answered, played.overlay.aired),
    ]
    return [_short(line) for line in lines]


def _exported(played: Played) -> list[Line]:
    acts = played.acts
    records = [orjson.loads(line) for line in played.record["record.jsonl"].splitlines()]
    messages = {record["id"]: record for record in records if record["record"] == "message"}
    questions = {id: record["question"] for id, record in messages.items() if "question" in record}
    sums = next(record for record in records if record["record"] == "sums")
    table = list(csv.reader(io.StringIO(played.record["questions.csv"].decode("utf-8-sig"))))[1:]
    articles = re.findall(r'<article id="q(\d+)">', played.record["report.html"].decode())
    position = played.host.client.position
    expected = {
        **dict.fromkeys(acts.answered, "answered"),
        **dict.fromkeys(acts.deferred, "deferred"),
        **dict.fromkeys(acts.declined, "declined"),
    }
    ledger = played.ledger
    lines = [
        Line("entries", position[1] if position else None, sums["entries"]),
        Line("exported", len(ledger.acknowledged) - ledger.held, len(messages)),
        Line("exported_text", 0, sum(record["text"] != ledger.acknowledged.get(id) for id, record in messages.items())),
        Line("sums_received", len(ledger.acknowledged), sums["received"]),
        Line("sums_states", sums["received"], sums["visible"] + sums["held"] + sum(sums["removed"].values())),
        Line("sums_fates", dict(Counter(question["fate"] for question in questions.values())), _counted(sums["questions"])),
        Line("picked_fates", expected, {id: questions[id]["fate"] for id in expected}),
        Line("picked_directors", acts.director, {id: questions[id]["director"] for id in acts.director}),
        Line("deferred_notes", len(acts.deferred), sum(question["note"] == DEFER_NOTE for question in questions.values())),
        Line("answered_offsets", len(acts.answered), sum(question["offset_s"] is not None for question in questions.values())),
        Line("no_open_end", 0, sum(question["fate"] in ("asked", "queued", "on_air") for question in questions.values())),
        Line("csv", sorted(questions), sorted(int(row[0]) for row in table)),
        Line("html", sorted(questions), sorted(map(int, articles))),
    ]
    return [_short(line) for line in lines]


def _counted(found: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in found.items() if count}


def _short(line: Line) -> Line:
    """Long lists that agree are told by their length."""
    if line.agrees and isinstance(line.expected, list | dict) and len(line.expected) > 1:
        return Line(line.key, _size(line.expected), _size(line.found))
    return line


def _size(value: Any) -> int:
    return sum(len(part) if isinstance(part, list) else 1 for part in (value.values() if isinstance(value, dict) else value))
