"""The log under Sentinel: a master dies, its replica takes over, and what was replicated is there."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import redis.asyncio

from server.store.appender import Append, Appended, NewEntry
from server.store.client import StoreRefused, StoreUnavailable, connect
from server.store.embedded import binary
from tests.store.bench import CODE, Bench
from tests.store.real_cluster import Member, free_port
from tests.waiting import until

NAME = "townhall"


async def sentinel(folder: Path, master: Member) -> tuple[asyncio.subprocess.Process, int]:
    """One that decides alone."""
    folder.mkdir()
    port = free_port()
    config = folder / "sentinel.conf"
    config.write_text(
        f"bind 127.0.0.1\nport {port}\ndir {folder}\n"
        f"sentinel monitor {NAME} 127.0.0.1 {master.port} 1\n"
        f"sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 5000\n"
    )
    process = await asyncio.create_subprocess_exec(str(binary()), str(config), "--sentinel", stdout=asyncio.subprocess.DEVNULL)
    return process, port


async def test_a_failover_raises_the_epoch_and_keeps_what_was_replicated(tmp_path: Path) -> None:
    master = Member(tmp_path / "master", {})
    replica = Member(tmp_path / "replica", {"replicaof": f"127.0.0.1 {master.port}"})
    watcher: asyncio.subprocess.Process | None = None
    try:
        await master.start()
        await replica.start()
        watcher, port = await sentinel(tmp_path / "sentinel", master)
        asked: Any = redis.asyncio.Redis(port=port)

        async def knows() -> bool:
            with contextlib.suppress(redis.exceptions.RedisError, OSError):
                return bool(await asked.execute_command("SENTINEL REPLICAS", NAME))
            return False

        await until(knows, 30)  # it asks its master for replicas every ten seconds
        bench = Bench(await connect(f"redis+sentinel://127.0.0.1:{port}/{NAME}", timeout_s=1.0))
        await bench.start()
        for number in range(10):
            await bench.append(f"m{number}", key=f"m{number}", text=f"글 {number}")
        heard = await bench.follow()
        await until(master.replicated, 20)
        await master.kill()

        async def taken() -> Appended | None:
            append = Append(CODE, (NewEntry(b"later", "새 서버의 첫 글"),), b"later", b"later")
            with contextlib.suppress(StoreUnavailable, StoreRefused):
                answer = await bench.appender.append(append)
                assert isinstance(answer, Appended)
                return answer
            return None

        later: Appended = await until(taken, 30)
        assert later.first_seq == 11
        await until(lambda: heard.seq == 11 and len(heard.epochs) > 1, 15)
        assert heard.entries_[-1][2] == "새 서버의 첫 글"
        assert later.epoch == heard.epochs[-1]
        await until(lambda: bench.follower.healthy, 15)
        await bench.stop()
        await bench.store.close()
        await asked.aclose()
    finally:
        if watcher is not None and watcher.returncode is None:
            watcher.kill()
            await watcher.wait()
        for member in (master, replica):
            await member.kill()
            await member.client.aclose()
