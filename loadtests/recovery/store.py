"""R-03, R-04, R-06: the store is killed, or stopped; a node is stopped; the disk is full."""

import asyncio
import os
import shutil
import signal
import time
from pathlib import Path

from loadtests.recovery.figures import Figure
from loadtests.recovery.house import house, until_all
from loadtests.recovery.posting import Posting
from loadtests.recovery.watching import watching

VIEWERS = 20
STORE_STOPS_S = 5.0
NODE_STOPS_S = 6.0
SETTLES_S = 1.0
LONG_S = 30.0
DISK = "8m"
LEFT_BYTES = 64 * 1024
"""Of the disk before it is filled with messages."""


async def killed(folder: Path, rounds: int, fsync: str) -> list[Figure]:
    """kill -9 of the Valkey."""
    works = Figure("R-03", f"posting works again after the killed store is back (`{fsync}`)", 3.0)
    answers = Figure("R-03", f"longest time to an answer while it is away (`{fsync}`)", 3.0)
    async with house(folder, fsync=fsync) as at, await at.posting() as posting:
        async with watching(await at.watchers(VIEWERS)) as watchers:
            for _ in range(rounds):
                await asyncio.sleep(SETTLES_S)
                pid, begin = at.first.valkey_pid(), time.monotonic()
                os.kill(pid, signal.SIGKILL)
                there = await at.store_is_back(pid)
                works.add(await _acknowledged_again(posting, begin) - there)
                answers.add(posting.longest_answer(begin, time.monotonic()))
                await until_all(watchers, time.monotonic())
        await at.check(posting)
    return [works, answers, at.lost]


async def stopped(folder: Path, rounds: int) -> list[Figure]:
    """SIGSTOP of the Valkey for 5 s, then of a node for 6 s."""
    store = Figure("R-04", f"longest silence with the store stopped for {STORE_STOPS_S:g} s", STORE_STOPS_S + 2)
    node = Figure("R-04", f"longest silence with a node stopped for {NODE_STOPS_S:g} s", NODE_STOPS_S + 2)
    answers = Figure("R-04", "longest time to an answer while the store is stopped", 3.0)
    async with house(folder) as at, await at.posting() as posting, at.second("second") as (second, _):
        async with watching(
            [*await at.watchers(VIEWERS, at.first, second), *await at.watchers(VIEWERS, second, at.first)]
        ) as watchers:
            for _ in range(rounds):
                for pid, seconds, figure in (
                    (at.first.valkey_pid(), STORE_STOPS_S, store),
                    (second.pid, NODE_STOPS_S, node),
                ):
                    await asyncio.sleep(SETTLES_S)
                    begin = time.monotonic()
                    os.kill(pid, signal.SIGSTOP)
                    try:
                        await asyncio.sleep(seconds)
                    finally:
                        os.kill(pid, signal.SIGCONT)
                    await until_all(watchers, time.monotonic())
                    await asyncio.sleep(SETTLES_S)
                    figure.add(*(one.silence(begin, time.monotonic()) for one in watchers))
                    if figure is store:
                        answers.add(posting.longest_answer(begin, begin + seconds))
        await at.check(posting)
    return [store, answers, node, at.lost]


async def disk_full(folder: Path, rounds: int, fsync: str) -> list[Figure]:
    """The data folder's disk is filled, then freed. Needs to be allowed to mount (`unshare -m`)."""
    most = 10.0 if fsync == "always" else 5.0
    works = Figure("R-06", f"posting works again after a full disk is freed (`{fsync}`)", most)
    small = folder / "first"
    small.mkdir()
    mount = f'mount -t tmpfs -o size={DISK} tmpfs {small} && exec "$@"'
    async with house(folder, before=("unshare", "-m", "sh", "-c", mount, "sh"), fsync=fsync) as at:
        inside = Path(f"/proc/{at.first.pid}/root") / str(small).lstrip("/")
        async with await at.posting(more=" 긴 글" * 60) as posting:
            for _ in range(rounds):
                ballast = inside / "ballast"
                ballast.write_bytes(b"x" * (shutil.disk_usage(inside).free - LEFT_BYTES))
                full = time.monotonic()
                while not any(post.code in ("disk_full", "not_saved") for post in posting.posts if post.sent > full):
                    await asyncio.sleep(0.05)
                await asyncio.sleep(SETTLES_S)
                freed = time.monotonic()
                ballast.unlink()
                works.add(await _acknowledged_again(posting, freed) - freed)
        await at.check(posting)
    return [works, at.lost]


async def _acknowledged_again(posting: Posting, begin: float) -> float:
    """When the first post after `begin` that met the fault's end was acknowledged; infinite: not within LONG_S."""
    refused = begin
    while time.monotonic() < begin + LONG_S:
        refused = max((post.sent for post in posting.posts if post.code and post.answered), default=begin)
        if (again := posting.again(max(begin, refused))) < float("inf"):
            return again
        await asyncio.sleep(0.02)
    return float("inf")
