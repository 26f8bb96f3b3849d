"""What a process and all that it started have used: processor time and memory, from /proc."""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE = 0
AUDIENCE_CORE = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """`cpu_s`: on a processor, all threads. `user`, `system`: the same in the kernel's coarse ticks, for their ratio.
    `rss_kb`: resident memory. `core_s`: all that was done on the server's core, `stolen_s`: what the host took from it."""

    cpu_s: float
    user: int
    system: int
    rss_kb: int
    core_s: float
    stolen_s: float

    def since(self, before: "Usage") -> "Usage":
        """The difference."""
        return Usage(
            self.cpu_s - before.cpu_s,
            self.user - before.user,
            self.system - before.system,
            self.rss_kb - before.rss_kb,
            self.core_s - before.core_s,
            self.stolen_s - before.stolen_s,
        )


def usage(pid: int) -> Usage:
    """Of `pid` and its descendants."""
    parts = [used for one in tree(pid) if (used := _one(one)) is not None]
    core_s, stolen_s = _core()
    return Usage(
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
        sum(part[2] for part in parts),
        sum(part[3] for part in parts),
        core_s,
        stolen_s,
    )


def tree(pid: int) -> list[int]:
    """`pid` and its descendants."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
    return found


def busiest_s(pid: int) -> dict[int, float]:
    """Processor time of each process of the tree."""
    return {one: used[0] for one in tree(pid) if (used := _one(one)) is not None}


def _one(pid: int) -> tuple[float, int, int, int] | None:
    """None if it has ended meanwhile."""
    try:
        folder = Path(f"/proc/{pid}")
        nanoseconds = sum(int((task / "schedstat").read_text().split()[0]) for task in (folder / "task").iterdir())
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        resident = re.search(r"VmRSS:\s+(\d+)", (folder / "status").read_text())
    except OSError:
        return None
    return nanoseconds / 1e9, int(fields[11]), int(fields[12]), int(resident[1]) if resident else 0


def _core() -> tuple[float, float]:
    line = Path("/proc/stat").read_text().splitlines()[1 + SERVER_CORE].split()
    user, nice, system, idle, waiting, hard, soft, stolen = map(int, line[1:9])
    del idle, waiting
    return (user + nice + system + hard + soft) / TICKS, stolen / TICKS
