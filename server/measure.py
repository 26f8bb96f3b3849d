"""Brings what the parts of a node have counted, and how they stand now, into the figures of this process."""

import asyncio
from collections import Counter

from server import metrics
from server.fanout.figures import figures
from server.halls.directory import Directory
from server.store.appender import Appender
from server.store.embedded import EmbeddedValkey
from server.store.follower import Follower


def begin() -> None:
    """Measure flushes and garbage collections from here on."""
    figures.on_flush = _flushed
    metrics.watch_gc()


def _flushed(seconds: float, sent: int, entries: int) -> None:
    metrics.FLUSH_SECONDS.observe(seconds)
    metrics.FLUSH_BYTES.observe(sent)
    if entries:
        metrics.FLUSH_ENTRIES.observe(entries)


def measured(directory: Directory, follower: Follower, appender: Appender, valkey: EmbeddedValkey | None) -> metrics.Families:
    """All figures of this process, as they stand now."""
    for role, count in figures.connections.items():
        metrics.CONNECTIONS.labels(role).set(count)
    for code, count in figures.closes.items():
        metrics.advance(metrics.CLOSES.labels(str(code)), count)
    for reason, count in figures.refused.items():
        metrics.advance(metrics.REJECTED.labels(reason), count)
    metrics.advance(metrics.JOINS, figures.joins)
    metrics.advance(metrics.FRAMES, figures.frames)
    metrics.advance(metrics.DELIVERIES, figures.deliveries)
    metrics.advance(metrics.CATCH_UPS, figures.catch_ups)
    metrics.advance(metrics.SNAPSHOTS, figures.snapshots)
    metrics.SLOW.set(figures.slow)

    runtimes = list(directory.loaded())
    phases = Counter(runtime.hall.phase for runtime in runtimes)
    for phase in ("draft", "open", "closed"):
        metrics.HALLS.labels(phase).set(phases[phase])
    metrics.HALLS_STOPPED.set(sum(runtime.stopped is not None for runtime in runtimes))
    metrics.PRESENT.set(sum(runtime.viewers for runtime in runtimes))
    metrics.LAG.set(follower.lag())
    metrics.FOLLOWED.set(follower.healthy)
    metrics.TASKS.set(len(asyncio.all_tasks()))
    metrics.WAITING.set(appender.waiting)
    metrics.WORKERS.set(1)
    metrics.advance(metrics.STORE_RESTARTS, valkey.restarts if valkey is not None else 0)
    return metrics.families()
