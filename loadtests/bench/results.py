"""What was measured, kept as JSON lines: a record for each row, contestant and round. Pages are written from what is kept."""

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from loadtests.bench.rows.row import Figures

BUSY = 0.5
"""Others that want to run, on average: above it the figures are only indicative."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`run`: unix seconds at which the run began that it belongs to. `missing`: why there are no figures. `load`: of the machine
    before it was measured: other processes that wanted to run."""

    run: int
    row: str
    contestant: str
    quick: bool
    figures: Figures = {}
    missing: str = ""
    load: float = 0.0


def keep(path: Path, record: Record) -> None:
    """Add it to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(msgspec.json.encode(record) + b"\n")


def load(path: Path) -> list[Record]:
    """All that are kept; none if there is no file."""
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=Record) for line in path.read_bytes().splitlines()]


class Results:
    """Of each row the latest run that measured it whole; a quick run counts only where there is no other."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._rows: dict[str, list[Record]] = {}
        for record in records:
            kept = self._rows.setdefault(record.row, [])
            if kept and (kept[0].quick, -kept[0].run) > (record.quick, -record.run):
                kept.clear()
            if not kept or (kept[0].quick, kept[0].run) == (record.quick, record.run):
                kept.append(record)

    def figures(self, row: str, contestant: str) -> Figures:
        """Medians over the rounds; {} where it was not measured."""
        rounds = [record.figures for record in self._rows.get(row, []) if record.contestant == contestant and record.figures]
        return merged(rounds) if rounds else {}

    def missing(self, row: str, contestant: str) -> str:
        """Why there are no figures; "" where there are."""
        found = [record.missing for record in self._rows.get(row, []) if record.contestant == contestant and record.missing]
        return found[-1] if found and not self.figures(row, contestant) else ""

    def number(self, row: str, contestant: str, figure: str) -> float:
        """One figure; NaN where there is none."""
        value = self.figures(row, contestant).get(figure, math.nan)
        return float(value) if not isinstance(value, str) else math.nan

    def whole(self, row: str, contestant: str) -> bool:
        """Whether all was delivered, once and in order."""
        return bool(self.figures(row, contestant).get("whole", False))

    def quick(self, row: str) -> bool:
        """Whether only a quick run has measured it."""
        return any(record.quick for record in self._rows.get(row, []))

    def load(self, row: str) -> float:
        """The machine's load before this row was measured, at most."""
        return max((record.load for record in self._rows.get(row, [])), default=0.0)

    def dates(self) -> str:
        """The days of the runs."""
        days = sorted({time.strftime("%Y-%m-%d", time.gmtime(one.run)) for records in self._rows.values() for one in records})
        return ", ".join(days)


def merged(rounds: Sequence[Figures]) -> Figures:
    """Medians of numbers, all() of flags, the last of words."""
    found: Figures = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds if name in one]
        if all(isinstance(value, bool) for value in values):
            found[name] = all(values)
        elif any(isinstance(value, str) for value in values):
            found[name] = values[-1]
        else:
            found[name] = round(statistics.median(float(value) for value in values), 3)
    return found
