"""How a server process runs: on uvloop where there is one, and without long pauses by the garbage collector."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

YOUNG = 20_000
"""New objects between two looks at them: a few milliseconds' worth. A join leaves about ten."""
OLDER = 5
"""Looks at the young until those that survived them are looked at once more, and then never again."""
OLDEST = 10
TIDY_S = 600.0


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
    by its count of references: connections and town halls are in no cycle once they have ended. `look_again` is for when
    nobody is there to notice.
    """
    gc.set_threshold(YOUNG, OLDER, OLDEST)
    look_again()
    if _keep not in gc.callbacks:
        gc.callbacks.append(_keep)


def look_again() -> None:
    """Look at everything that there is, and keep what is left."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def keep_tidy(idle: Callable[[], bool]) -> None:
    """Look again now and then while nobody is there."""
    while True:
        await asyncio.sleep(TIDY_S)
        if gc.get_freeze_count() and idle():
            look_again()


def _keep(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] >= 1:
        gc.freeze()
