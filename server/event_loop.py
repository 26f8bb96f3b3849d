"""How a server process runs: on uvloop where there is one, and without long pauses by the garbage collector."""

import asyncio
import gc
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any

YOUNG = 20_000
"""New objects between two looks at them: a few milliseconds' worth. A join leaves about ten."""
OLDER = 5
"""Looks at the young until those that survived them are looked at once more, and then never again."""
NEVER = 1_000_000
"""The collector does not look at the rest by itself; `keep_tidy` does."""
TIDY_S = 20.0
"""How often all that is not kept is looked at: what a request brought must not lie about for long."""
BEARABLE_S = 0.02
"""A look that took longer is not taken at the same things again while somebody is there."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """As asyncio.run."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def stop_signal() -> asyncio.Event:
    """Set by SIGINT or SIGTERM. Asked for before anything starts: a signal in the middle of it must leave no store behind."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(kind, stopped.set)
    return stopped


class _Kept:
    """`some`: whether anything was kept since the last look at everything."""

    some = False


def settle() -> None:
    """Called once all is set up: what is there stays, and is not looked at again.

    Nor is what survives a second look: with ten thousand connections and two hundred thousand messages a look at everything
    would stop the loop for half a second, and one at all that a storm of joins left for a tenth. What is long-lived here dies
    by its count of references: connections and town halls are in no cycle once they have ended. What libraries leave in
    cycles, with what somebody sent in it, is found by `keep_tidy`: while there is little to look at, or nobody to notice.
    """
    gc.set_threshold(YOUNG, OLDER, NEVER)
    look_again()
    if _keep not in gc.callbacks:
        gc.callbacks.append(_keep)


def look_again() -> None:
    """Look at everything that there is, and keep what is left."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    _Kept.some = False


async def keep_tidy(idle: Callable[[], bool]) -> None:
    """Look now and then at what is not kept; at everything once nobody is there."""
    while True:
        await asyncio.sleep(TIDY_S)
        if _Kept.some and idle():
            look_again()
            continue
        began = time.perf_counter()
        gc.collect()
        if time.perf_counter() - began > BEARABLE_S:
            gc.freeze()
            _Kept.some = True


def _keep(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == 1:
        gc.freeze()
        _Kept.some = True
