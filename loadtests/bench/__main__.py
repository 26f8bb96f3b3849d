"""`make bench`, or `python -m loadtests.bench [--quick] [--only ROW …] [--of CONTESTANT …] [--rounds N]`."""

import argparse
import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec

from loadtests.bench.install import Missing
from loadtests.bench.page import write
from loadtests.bench.pinned import ServerFailed
from loadtests.bench.results import BUSY, Record, Results, keep, load
from loadtests.bench.rows.every import NAMES, ROWS
from loadtests.bench.rows.row import NobodyThere, Options, Row
from loadtests.bench.targets import TARGETS
from loadtests.bench.usage import AUDIENCE_CORE
from loadtests.child import AudienceFailed
from loadtests.client import NotAdmitted
from loadtests.native import build

DOCS = Path("docs")
MOST_S = 900.0
"""Longest that one contestant may take in one row."""
FILES = 12_000
"""Open files of a process that the largest rows need."""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 measured, 1 something could not be measured, 2 asked wrongly or the machine will not do."""
    given = _parser().parse_args(argv)
    if given.list:
        print(*(f"{row.name:15} {row.title} ({', '.join(row.contestants)})" for row in ROWS), sep="\n")
        return 0
    failed = 0
    if not given.doc:
        if problem := _problem():
            print(problem, file=sys.stderr)
            return 2
        rows = [NAMES[name] for name in given.only] if given.only else [row for row in ROWS if row.quick or not given.quick]
        failed = asyncio.run(_measure(rows, given))
    if given.scale != 1:
        return 1 if failed else 0
    results = Results(load(given.results))
    for target in TARGETS:
        found = target.found(results)
        mark = "" if found.met is None else "met" if found.met else "NOT MET"
        print(f"{found.what:72} {found.must:20} {found.measured:>14} {mark}")
    if given.write or given.doc:
        print(*write(results, DOCS), sep="\n")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about three minutes: fewer viewers, one round")
    parser.add_argument("--only", nargs="+", choices=list(NAMES), metavar="ROW", help="these rows")
    parser.add_argument("--of", nargs="+", metavar="CONTESTANT", help="only these contestants")
    parser.add_argument("--rounds", type=int, choices=range(1, 20), metavar="N", help="instead of the rows' own")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of viewers, for a trial; nothing is written")
    parser.add_argument("--results", type=Path, default=build.FOLDER / "results.jsonl", help="where results are kept")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/performance.md as it is")
    parser.add_argument("--doc", action="store_true", help="measure nothing: write docs/performance.md from what is kept")
    parser.add_argument("--list", action="store_true", help="the rows")
    return parser


def _problem() -> str:
    """What keeps this machine from it, in a sentence."""
    if (os.cpu_count() or 1) < 2:
        return "Two cores are needed: one for the server, one for the audience."
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < FILES:
        return f"A process may open {hard} files here, {FILES} are needed: raise the limit (ulimit -n)."
    with contextlib.suppress(build.NoCompiler, subprocess.CalledProcessError):
        build.audience()
        return ""
    return "gcc is needed: the audience of the bench is in C."


async def _measure(rows: Sequence[Row], given: argparse.Namespace) -> int:
    """How many could not be measured. Rounds go through the contestants in turn."""
    os.sched_setaffinity(0, {AUDIENCE_CORE})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options, run, failed = Options(given.quick, build.audience(), given.scale), int(time.time()), 0
    for row in rows:
        chosen = row.quick if given.quick and row.quick else row.contestants
        contestants = [name for name in chosen if not given.of or name in given.of]
        left = set(contestants)
        for number in range(given.rounds or (1 if given.quick else row.rounds)):
            for name in contestants:
                if name not in left:
                    continue
                record = await _one(row, name, options, run)
                if given.scale == 1:
                    keep(given.results, record)
                print(f"{row.name:15} {name:8} {number + 1}: {_words(record)}", flush=True)
                if record.missing:
                    left.discard(name)
                    failed += name == "product"
    return failed


async def _one(row: Row, name: str, options: Options, run: int) -> Record:
    load = await quiet()

    def record(**more: object) -> Record:
        made = {"run": run, "row": row.name, "contestant": name, "quick": options.quick, "load": round(load, 2), **more}
        return msgspec.convert(made, Record)

    try:
        async with asyncio.timeout(MOST_S):
            return record(figures=await row.measure(name, options))
    except Missing as missing:
        return record(missing=str(missing))
    except (ServerFailed, AudienceFailed, NobodyThere, NotAdmitted, aiohttp.ClientError, OSError, TimeoutError) as error:
        return record(missing=f"it failed: {str(error) or type(error).__name__}")


async def quiet() -> float:
    """How many processes other than this one want to run, over a second: what they take is not the contestants' to use."""
    found = []
    for _ in range(10):
        await asyncio.sleep(0.1)
        found.append(int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0]) - 1)
    return sum(found) / len(found)


def _words(record: Record) -> str:
    busy = f" (the machine is busy: {record.load:.1f} others want to run)" if record.load > BUSY else ""
    figures = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in record.figures.items()
    )
    return (record.missing or figures) + busy


if __name__ == "__main__":
    sys.exit(main())
