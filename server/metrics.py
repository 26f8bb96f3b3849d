"""The figures of this process, and their sums over several. Names follow Prometheus' conventions (units, `_total`).

No label ever holds anything of a person or of a town hall: roles, reasons and codes of ours only, all of them few.
Parts of the server count where things happen; what is a state rather than an event is set when it is asked for.
"""

import gc
import time
from collections.abc import Iterable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

Families = list[list[Any]]
"""[name, type, what it is, [[sample, labels, value], …]] for each: as it travels between processes."""

REGISTRY = CollectorRegistry()
FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""

CONNECTIONS = Gauge("townhall_connections", "Open connections, by what they look at.", ["role"], registry=REGISTRY)
JOINS = Counter("townhall_joins", "Connections that were let into a view.", registry=REGISTRY)
CLOSES = Counter("townhall_closes", "Connections that the server closed, by code.", ["code"], registry=REGISTRY)
REJECTED = Counter("townhall_rejected", "Those of them that the guard closed, by reason.", ["reason"], registry=REGISTRY)
COMMANDS = Counter("townhall_commands", "Commands and queries that were taken, by name.", ["command"], registry=REGISTRY)
REFUSALS = Counter("townhall_refusals", "Whatever was refused with a code and a sentence, by code.", ["code"], registry=REGISTRY)
HALLS = Gauge("townhall_halls", "Town halls that are loaded, by phase.", ["phase"], registry=REGISTRY)
HALLS_STOPPED = Gauge("townhall_halls_stopped", "Town halls whose log could not be applied.", registry=REGISTRY)
PRESENT = Gauge("townhall_presence", "Audience connections on all nodes, over the town halls loaded here.", registry=REGISTRY)

FRAMES = Counter("townhall_frames", "Frames of news that were written to connections.", registry=REGISTRY)
DELIVERIES = Counter(
    "townhall_deliveries",
    "Entries that reached a viewer; divided by frames, the coalescing factor.",
    registry=REGISTRY,
)
CATCH_UPS = Counter("townhall_catch_ups", "Viewers brought to the present by a frame of their own.", registry=REGISTRY)
SNAPSHOTS = Counter("townhall_snapshots", "Snapshots that were made; all who join meanwhile share one.", registry=REGISTRY)
SLOW = Gauge("townhall_slow_viewers", "Viewers that have not taken what they were sent, and are skipped.", registry=REGISTRY)
FLUSH_SECONDS = Histogram("townhall_flush_seconds", "Time that one flush of a view wrote for.", buckets=FAST, registry=REGISTRY)
FLUSH_BYTES = Histogram(
    "townhall_flush_bytes",
    "Bytes that one flush wrote, over all its viewers.",
    buckets=[4**n for n in range(5, 15)],
    registry=REGISTRY,
)
FLUSH_ENTRIES = Histogram(
    "townhall_flush_entries", "Entries that one flush carried.", buckets=[1, 2, 4, 8, 16, 32, 64, 128, 256], registry=REGISTRY
)

LAG = Gauge("townhall_log_lag_entries", "Entries that the most backward town hall is behind its log.", registry=REGISTRY)
FOLLOWED = Gauge("townhall_log_followed", "Whether the store is followed: 1, or 0 while it is silent.", registry=REGISTRY)
RECONNECTS = Counter(
    "townhall_store_reconnects", "How often the connection that follows the store had to be made anew.", registry=REGISTRY
)
APPENDS = Counter("townhall_appends", "Appends to logs, by outcome.", ["outcome"], registry=REGISTRY)
APPENDED_ENTRIES = Counter("townhall_appended_entries", "Entries that were appended to logs.", registry=REGISTRY)
APPEND_SECONDS = Histogram("townhall_append_seconds", "Time of one atomic step on the store.", buckets=FAST, registry=REGISTRY)
BATCH_APPENDS = Histogram(
    "townhall_append_batch_size", "Appends in one atomic step.", buckets=[1, 2, 4, 8, 16, 32, 64], registry=REGISTRY
)
WAITING = Gauge("townhall_appends_waiting", "Appends that wait for their turn.", registry=REGISTRY)

LOOP_SECONDS = Histogram(
    "townhall_event_loop_lag_seconds", "By how much the event loop was late, ten times a second.", buckets=FAST, registry=REGISTRY
)
TASKS = Gauge(
    "townhall_tasks", "Tasks of the event loop: what does not go back to where it was is left behind.", registry=REGISTRY
)
GC_SECONDS = Histogram("townhall_gc_pause_seconds", "Time of one garbage collection.", buckets=FAST, registry=REGISTRY)

WORKERS = Gauge("townhall_workers", "Worker processes that listen; 1 where there is only one process.", registry=REGISTRY)
RESTARTS = Counter("townhall_worker_restarts", "How often worker processes had to be started again.", registry=REGISTRY)
STORE_RESTARTS = Counter("townhall_store_restarts", "How often the embedded Valkey had to be started again.", registry=REGISTRY)

ProcessCollector(registry=REGISTRY)

PER_PROCESS = ("process_",)
"""Families that say something of one process: they are told apart by a label `worker`, not added up."""
LARGEST = frozenset({"townhall_log_lag_entries", "townhall_presence", "townhall_halls_stopped", "townhall_halls"})
"""Gauges of which all processes see the same or only the worst counts: the largest, not the sum."""
SMALLEST = frozenset({"townhall_log_followed"})
PARENTS = frozenset({"townhall_workers", "townhall_worker_restarts", "townhall_store_restarts"})
"""What only the parent of several processes knows."""


def families() -> Families:
    """All figures of this process."""
    return [
        [
            family.name,
            family.type,
            family.documentation,
            [[s.name, dict(s.labels), s.value] for s in family.samples if _kept(s.name)],
        ]
        for family in REGISTRY.collect()
    ]


def _kept(sample: str) -> bool:
    return not sample.endswith("_created")


def parents() -> Families:
    """Those figures that a parent has of its own."""
    return [family for family in families() if family[0] in PARENTS or family[0].startswith(PER_PROCESS)]


def labelled(several: Families, worker: int) -> Families:
    """What is of one process gets its number; what only the parent knows is the parent's (number 0)."""
    made: Families = []
    for name, kind, what, samples in several:
        if name.startswith(PER_PROCESS):
            made.append([name, kind, what, [[s, {**labels, "worker": str(worker)}, value] for s, labels, value in samples]])
        elif name not in PARENTS or worker == 0:
            made.append([name, kind, what, samples])
    return made


def merged(several: Sequence[Families]) -> Families:
    """One set of figures for all processes."""
    made: dict[str, tuple[str, str, dict[tuple[str, tuple[tuple[str, str], ...]], float]]] = {}
    for one in several:
        for name, kind, what, samples in one:
            found = made.setdefault(name, (kind, what, {}))[2]
            for sample, labels, value in samples:
                key = (sample, tuple(labels.items()))
                found[key] = _with(name, found[key], value) if key in found else value
    return [
        [name, kind, what, [[sample, dict(labels), value] for (sample, labels), value in found.items()]]
        for name, (kind, what, found) in made.items()
    ]


def _with(name: str, one: float, other: float) -> float:
    if name in LARGEST:
        return max(one, other)
    return min(one, other) if name in SMALLEST else one + other


class _Told(Collector):
    """Figures that came from elsewhere, for the library to write out."""

    def __init__(self, told: Families) -> None:
        self._told = told

    def collect(self) -> Iterable[Metric]:
        for name, kind, what, samples in self._told:
            metric = Metric(name, what, kind)
            for sample, labels, value in samples:
                metric.add_sample(sample, labels, value)
            yield metric


def exposition(told: Families) -> bytes:
    """The text format 0.0.4 that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(_Told(told))
    return bytes(generate_latest(registry))


_seen: dict[Counter, float] = {}


def advance(counter: Counter, total: float) -> None:
    """Bring `counter`, which nobody else raises, up to a total that is kept elsewhere."""
    counter.inc(total - _seen.get(counter, 0))
    _seen[counter] = total


def watch_gc() -> None:
    """Measure every garbage collection from here on; a second call changes nothing."""
    if _collected not in gc.callbacks:
        gc.callbacks.append(_collected)


_began = 0.0


def _collected(phase: str, _: dict[str, int]) -> None:
    global _began
    if phase == "start":
        _began = time.perf_counter()
    else:
        GC_SECONDS.observe(time.perf_counter() - _began)
