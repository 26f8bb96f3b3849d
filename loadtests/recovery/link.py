"""R-05: the link between a node and the store swallows everything, or is cut and refused."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from loadtests.recovery.fault_proxy import FaultProxy, Mode
from loadtests.recovery.figures import Figure
from loadtests.recovery.house import House, house
from loadtests.recovery.served import Served
from loadtests.recovery.watching import Watcher, watching

EACH = 20
BROKEN_S = 6.0
CUT_S = 3.0
SETTLES_S = 2.0


async def broken(folder: Path, rounds: int) -> list[Figure]:
    """Either, for 6 s, while people post on; then cut for 3 s as the last thing that happens."""
    words: dict[Mode, str] = {"swallow": "a link that swallows everything", "refuse": "a link that is reset and refused"}
    red = {mode: Figure("R-05", f"`/readyz` is red with {what}", 4.0) for mode, what in words.items()}
    well = {mode: Figure("R-05", f"caught up after it heals: {what}", 2.0) for mode, what in words.items()}
    last = Figure("R-05", f"caught up after a cut of {CUT_S:g} s, the last thing that happens", 2.0)
    async with house(folder) as at, at.second("second") as (node, proxy):
        async with (
            watching(await at.watchers(EACH)) as here,
            watching(await at.watchers(EACH, node)) as there,
            await at.posting() as posting,
        ):
            for _ in range(rounds):
                for mode in words:
                    await asyncio.sleep(SETTLES_S)
                    await at.since(time.monotonic(), node, True)
                    begin = time.monotonic()
                    _break(proxy, mode)
                    red[mode].add(await at.since(begin, node, False))
                    await asyncio.sleep(max(0.0, begin + BROKEN_S - time.monotonic()))
                    well[mode].add(await _healed(proxy, here, there))
        await at.check(posting)
        async with watching(await at.watchers(EACH)) as here, watching(await at.watchers(EACH, node)) as there:
            for _ in range(rounds):
                last.add(await _last_thing(at, node, proxy, here, there))
    return [*red.values(), *well.values(), last, at.lost]


def _break(proxy: FaultProxy, mode: Mode) -> None:
    proxy.mode = mode
    if mode == "refuse":
        proxy.cut()


async def _healed(proxy: FaultProxy, here: Sequence[Watcher], there: Sequence[Watcher]) -> float:
    """Seconds until everybody behind the link has come as far as the others were when it healed."""
    begin = time.monotonic()
    proxy.mode = "pass"
    goal = max(one.position for one in here)
    while any(one.position < goal for one in there) and time.monotonic() < begin + 30:
        await asyncio.sleep(0.01)
    return time.monotonic() - begin


async def _last_thing(at: House, node: Served, proxy: FaultProxy, here: Sequence[Watcher], there: Sequence[Watcher]) -> float:
    """As `_healed`, where one message was posted during the cut and nothing happens afterwards."""
    await at.since(time.monotonic(), node, True)
    begin = time.monotonic()
    _break(proxy, "refuse")
    async with await at.posting(1.0) as posting:
        while not posting.acknowledged:
            await asyncio.sleep(0.02)
    goal = max(one.position for one in here)
    while any(one.position < goal for one in here) or time.monotonic() < begin + CUT_S:
        await asyncio.sleep(0.02)
    return await _healed(proxy, here, there)
