"""R-02 and R-16: a node is killed, or told to stop, while people look on at it."""

import asyncio
import os
import signal
import time
from pathlib import Path

from loadtests.recovery.figures import Figure
from loadtests.recovery.house import house
from loadtests.recovery.watching import watching

EACH = 20
"""Viewers of each node."""
MOVING = 400
MOVING_RATE = 5.0
SETTLES_S = 1.0


async def killed(folder: Path, rounds: int) -> list[Figure]:
    """kill -9."""
    back = Figure("R-02", "viewers of a killed node are shown something at another one", 3.0, share=0.99)
    others = Figure("R-02", "longest silence of the other node's viewers meanwhile", 1.0)
    async with house(folder) as at, await at.posting() as posting:
        async with watching(await at.watchers(EACH)) as staying:
            for number in range(rounds):
                async with at.second(f"second-{number}") as (node, _):
                    async with watching(await at.watchers(EACH, node, at.first)) as moving:
                        await asyncio.sleep(SETTLES_S)
                        begin = time.monotonic()
                        await node.kill()
                        ends = begin + 10 * back.asked
                        while time.monotonic() < ends and any(one.back < begin for one in moving):
                            await asyncio.sleep(0.02)
                        await asyncio.sleep(SETTLES_S)
                        back.add(*(one.back - begin if one.back > begin else float("inf") for one in moving))
                        others.add(*(one.silence(begin, time.monotonic()) for one in staying))
        await at.check(posting)
    return [back, others, at.lost]


async def told_to_stop(folder: Path, rounds: int) -> list[Figure]:
    """SIGTERM, as a deploy does it."""
    moved = Figure("R-16", f"all {MOVING:,} viewers of a node that is told to stop are at another one", 10.0)
    async with house(folder) as at, await at.posting(MOVING_RATE) as posting:
        for number in range(rounds):
            async with at.second(f"second-{number}", {"TOWNHALL_DRAIN_S": "5"}) as (node, _):
                async with watching(await at.watchers(MOVING, node, at.first)) as moving:
                    begin = time.monotonic()
                    os.kill(node.pid, signal.SIGTERM)
                    while time.monotonic() < begin + 3 * moved.asked and any(one.back < begin for one in moving):
                        await asyncio.sleep(0.02)
                    moved.add(max(one.back - begin if one.back > begin else float("inf") for one in moving))
        await at.check(posting)
    return [moved, at.lost]
