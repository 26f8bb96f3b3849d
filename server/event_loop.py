"""How a server process runs: on uvloop where there is one, and without long pauses by the garbage collector."""

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine
from typing import Any

YOUNG = 20_000
"""New objects between two looks at them: a few milliseconds' worth. A join leaves about ten."""
OLDER = 5
"""Looks at the young until those that survived them are looked at once more, and then never again."""
OLDEST = 10
TIDY_S = 20.0
"""How often everything is looked at, as long as that is bearable: what a request brought must not lie about for long."""
BEARABLE_S = 0.04
"""The longest look at everything while somebody is there."""


def run(main: Coroutine[Any, Any, int]) -> int:
    """As asyncio.run."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def settle() -> None:
    """Called once all is set up: what is there stays, and is not looked at again.

    Nor is what survives a second look: with ten thousand connections and two hundred thousand messages a look at everything
    would stop the loop for half a second, and one at all that a storm of joins left for a tenth. What is long-lived here dies
    by its count of references: connections and town halls are in no cycle once they have ended. What libraries leave in
    cycles, with what somebody sent in it, is found by `keep_tidy`: while there is little to look at, or nobody to notice.
    """
    gc.set_threshold(YOUNG, OLDER, OLDEST)
    look_again()
    if _keep not in gc.callbacks:
        gc.callbacks.append(_keep)


def look_again() -> float:
    """Look at everything that there is, and keep what is left. How long that took for each thing, in seconds."""
    began = time.perf_counter()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return (time.perf_counter() - began) / max(1, gc.get_freeze_count())


async def keep_tidy(idle: Callable[[], bool]) -> None:
    """Look again now and then: while nobody is there, or while it takes no longer than BEARABLE_S."""
    each_s = 0.0
    while True:
        await asyncio.sleep(TIDY_S)
        count = gc.get_freeze_count()
        if count and (idle() or count * each_s < BEARABLE_S):
            each_s = look_again()


def _keep(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] >= 1:
        gc.freeze()
