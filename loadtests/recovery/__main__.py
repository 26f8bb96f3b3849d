"""`make recovery`, or `python -m loadtests.recovery [--rounds N] [--only NAME …]`: how soon all is well after something broke.

Real nodes, a real Valkey, real sockets on the loopback. Prints a table in Markdown; about three minutes for one round.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from loadtests.recovery import flood, link, nodes, store
from loadtests.recovery.figures import Figure, table

MOST_S = 600.0
"""Longest that one of them may take."""
Scenario = Callable[[Path, int], Awaitable[list[Figure]]]
SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "node-killed": (nodes.killed, 5),
    "store-killed": (lambda folder, rounds: store.killed(folder, rounds, "always"), 5),
    "store-killed-everysec": (lambda folder, rounds: store.killed(folder, rounds, "everysec"), 5),
    "store-killed-in-a-flood": (lambda folder, rounds: flood.killed(folder, rounds, "always"), 3),
    "store-killed-in-a-flood-everysec": (lambda folder, rounds: flood.killed(folder, rounds, "everysec"), 3),
    "stopped": (store.stopped, 2),
    "link": (link.broken, 3),
    "disk-full": (lambda folder, rounds: store.disk_full(folder, rounds, "always"), 2),
    "disk-full-everysec": (lambda folder, rounds: store.disk_full(folder, rounds, "everysec"), 2),
    "node-told-to-stop": (nodes.told_to_stop, 1),
}
"""Each, and how often it is repeated."""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 every figure is met, 1 not."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.recovery", description=__doc__)
    parser.add_argument("--rounds", type=int, choices=range(1, 51), metavar="N", help="of each, instead of its own number")
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), metavar="NAME", help=", ".join(SCENARIOS))
    given = parser.parse_args(argv)
    figures: list[Figure] = []
    for name in given.only or SCENARIOS:
        scenario, rounds = SCENARIOS[name]
        if name.startswith("disk-full") and not _may_mount():
            print(f"{name}: left out, since nothing may be mounted here (it needs root)", file=sys.stderr)
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="townhall-") as folder:
            figures += asyncio.run(_bounded(scenario, Path(folder), given.rounds or rounds))
    lost = Figure("R-01", "acknowledged messages that are not in the record, over all of it", 0, "")
    lost.add(*(value for figure in figures if figure.id == lost.id for value in figure.values))
    figures = [*(figure for figure in figures if figure.id != lost.id), *([lost] if lost.values else [])]
    print(table(figures))
    return 0 if all(figure.met for figure in figures) else 1


async def _bounded(scenario: Scenario, folder: Path, rounds: int) -> list[Figure]:
    async with asyncio.timeout(MOST_S):
        return await scenario(folder, rounds)


def _may_mount() -> bool:
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
