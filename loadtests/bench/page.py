"""docs/performance.md and its plots, from what is kept."""

import math
from pathlib import Path

from loadtests.bench.machine import machine
from loadtests.bench.peer import KINDS
from loadtests.bench.plots import bars
from loadtests.bench.results import BUSY, Results
from loadtests.bench.rows.every import ROWS
from loadtests.bench.rows.row import Row
from loadtests.bench.targets import TARGETS, short

TITLES = {**{name: kind.title for name, kind in KINDS.items()}, "product": "**townhall**"}
COLUMNS: dict[str, str] = {
    "us": "µs CPU a delivery",
    "user_us": "of it in user space",
    "core_us": "µs of the core",
    "per_frame": "messages a frame",
    "frame_us": "µs CPU a frame",
    "rate": "messages/s",
    "deliveries_s": "deliveries/s",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "p99_without": "p99 ms without them",
    "busy": "share of the core",
    "audience_busy": "audience's core",
    "stolen": "stolen",
    "wire": "bytes a delivery",
    "wire_plain": "plain",
    "bytes_ratio": "bytes ×",
    "us_plain": "µs plain",
    "cpu_ratio": "CPU ×",
    "kb": "kB a connection",
    "join_us": "µs CPU a join",
    "ping_us": "µs CPU a heartbeat",
    "pings": "heartbeats",
    "pause_ms": "longest wait ms",
    "gc_ms": "longest collection ≤ ms",
    "joined": "joined",
    "joined_s": "all in after s",
    "join_p99": "join p99 ms",
    "seen_p99": "seen p99 ms",
    "ratio": "×",
    "us_one": "µs, one worker",
    "us_two": "µs, busiest of two",
    "whole": "everything, once, in order",
    "note": "note",
}
METHOD = """\
## How it is measured

`make bench` measures all of it, `make bench ARGS="--quick"` in about three minutes with fewer viewers, `make bench
ARGS="--only cpu-5000"` one row. The server under test is pinned to core 0 with all that it starts (the product's Valkey too,
writing through to the disk at every batch); audience, posters and this program to core 1. Everything is on the loopback.
Rounds go through the contestants in turn, figures are medians over windows and rounds, and what matters are ratios within one
run: the same machine on another day is up to a third faster or slower.

- **CPU** is time on a processor of every thread of the server's process tree (`/proc/PID/task/TID/schedstat`). The kernel
  does the receiver's half of a loopback `send()` in the sender's time; that is in the floor too. "µs of the core" is all that
  core 0 did meanwhile, as a check that nothing hides in kernel threads.
- **The product** is `townhall serve` as it is installed, with log, rules, filters and views. Posters are participants with
  tickets who write through the socket. Peers make their messages themselves and do nothing else.
- **One message a frame** is what the rate of the cost rows forces; "messages a frame" says how many it were.
- **Latency** is counted from when a message was *due*, so a server that is late shows as latency (no coordinated omission).
- **The first windows are dropped**: for some tens of segments a new connection costs its sender 20 to 40 % more.
- **Correctness**: every viewer of the product checks `after` and `seq` of each frame and the order of messages in it, and in
  the end what it saw is compared with what was acknowledged. Peers' deliveries are counted for each connection.
- **A core's most** is found by raising the rate until p99 passes 250 ms or something is lost. It is wall-clock: the
  audience's core may be the limit, which its column shows.

## The limit

Nearly all of the floor is the kernel's `send()`: one for each viewer and frame, whatever is in it. Nobody who writes to each
connection gets under it, in any language. The way past it is fewer frames: another message in a frame costs about a hundredth
of a send, so a busy town hall gathers what came in while the last flush was on its way.
"""


def write(results: Results, folder: Path) -> list[Path]:
    """`performance.md` and `performance/*.svg` in `folder`; what was written."""
    plots = folder / "performance"
    plots.mkdir(parents=True, exist_ok=True)
    written = [folder / "performance.md"]
    parts = [_head(results), _targets(results), "## Row by row\n"]
    for row in ROWS:
        parts.append(_table(results, row))
        if (plot := _plot(results, row)) is not None:
            path = plots / f"{row.name}.svg"
            path.write_text(plot, "utf-8")
            written.append(path)
            parts.append(f"![{row.title}](performance/{path.name})\n")
    parts += [METHOD, _machine()]
    written[0].write_text("\n".join(parts), "utf-8")
    return written


def _head(results: Results) -> str:
    return (
        f"# Performance\n\nWritten by `make bench` from its kept results; last measured: {results.dates() or 'not yet'}. What a\n"
        "user runs before a broadcast is [the load test](howto/loadtest.md).\n"
    )


def _targets(results: Results) -> str:
    lines = ["## What must hold\n", "| what | must be | measured | |", "| --- | --- | --- | --- |"]
    for target in TARGETS:
        found = target.found(results)
        mark = "" if found.met is None else "met" if found.met else "**not met**"
        lines.append(f"| {found.what} | {found.must} | {found.measured} | {mark} |")
    return "\n".join(lines) + "\n"


def _table(results: Results, row: Row) -> str:
    lines = [f"### {row.title}\n"]
    rows = [(name, results.figures(row.name, name)) for name in row.contestants]
    columns = [name for name in COLUMNS if any(name in figures for _, figures in rows)]
    if columns:
        lines.append("| | " + " | ".join(COLUMNS[name] for name in columns) + " |")
        lines.append("| --- |" + " --- |" * len(columns))
        for name, figures in rows:
            if figures:
                lines.append(f"| {TITLES[name]} | " + " | ".join(_cell(figures.get(column)) for column in columns) + " |")
    if results.quick(row.name):
        lines.append("\nFrom a quick run: fewer viewers, shorter windows.")
    if (load := results.load(row.name)) > BUSY:
        lines.append(
            f"\nThe machine was busy with other things (up to {load:.1f} other processes wanted to run): indicative only."
        )
    for name, _ in rows:
        if why := results.missing(row.name, name):
            lines.append(f"\nWithout {TITLES[name]}: {why}.")
    if not columns:
        lines.append("Not measured yet.")
    return "\n".join(lines) + "\n"


def _cell(value: float | bool | str | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "**no**"
        case str():
            return value
    return "never" if math.isinf(value) else short(value)


_PLOTTED = {
    "cpu-2000": ("us", "µs CPU a delivery", "µs"),
    "cpu-5000": ("us", "µs CPU a delivery", "µs"),
    "most": ("deliveries_s", "Deliveries a second", ""),
    "kept": ("kb", "Memory of an idle connection", "kB"),
    "instant": ("joined_s", "All in after", "s"),
}


def _plot(results: Results, row: Row) -> str | None:
    if row.name not in _PLOTTED:
        return None
    figure, title, unit = _PLOTTED[row.name]
    found = [(name, results.number(row.name, name, figure)) for name in row.contestants]
    values = [(TITLES[name].strip("*"), value, name == "product") for name, value in found if math.isfinite(value)]
    return bars(f"{title}: {row.title}", unit, values) if len(values) > 1 else None


def _machine() -> str:
    return "## The machine\n\n" + "\n".join(f"- {what}: {which}" for what, which in machine()) + "\n"
