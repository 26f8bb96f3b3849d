"""R-03: kill -9 of the store under load, whatever fsync is set to: no acknowledgement was false, and none is lost."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from server.store import log as store_log
from server.store.appender import Appended
from server.store.client import StoreUnavailable, connect
from server.store.embedded import EmbeddedValkey, Fsync
from tests.store.bench import CODE, Bench
from tests.waiting import until

WRITERS = 64
EACH = 100
TRIES = 400


@pytest.mark.parametrize("fsync", ["always", "everysec", "no"])
async def test_nothing_acknowledged_is_lost_when_the_store_is_killed(fsync: Fsync, tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path / "data", fsync=fsync)
    await valkey.start()
    bench = Bench(await connect(valkey.url))
    await bench.start()
    acknowledged: dict[str, int] = {}
    unanswered: list[StoreUnavailable] = []
    repeated: list[str] = []

    async def write(writer: int) -> None:
        for number in range(EACH):
            key = f"{writer}-{number}"
            for _ in range(TRIES):
                try:
                    answer = await bench.append(key, key=key, text=f"글 {key}")
                except StoreUnavailable as error:
                    unanswered.append(error)
                    await asyncio.sleep(0.1)
                    continue
                assert isinstance(answer, Appended)
                acknowledged[key] = answer.first_seq
                if answer.repeated:
                    repeated.append(key)
                break

    try:
        writing = [asyncio.create_task(write(writer)) for writer in range(WRITERS)]
        for share in (WRITERS * EACH // 3, 2 * WRITERS * EACH // 3):
            await until(lambda share=share: len(acknowledged) > share, 90)
            os.kill(valkey.pid, signal.SIGKILL)
            restarts = valkey.restarts
            await until(lambda restarts=restarts: valkey.restarts > restarts, 60)
        async with asyncio.timeout(120):
            await asyncio.gather(*writing)
        assert len(acknowledged) == WRITERS * EACH
        assert unanswered
        stored = [(seq, body.decode()) async for seq, body, _ in store_log.read_all(bench.store, CODE)]
        assert [seq for seq, _ in stored] == list(range(1, len(stored) + 1))
        assert [body for body, count in Counter(body for _, body in stored).items() if count > 1] == []
        assert {body: seq for seq, body in stored} == acknowledged
        # Those that were stored and not acknowledged were found again by their client id, if there were any.
        assert set(repeated) <= set(acknowledged)
    finally:
        await bench.stop()
        await bench.store.close()
        await valkey.stop()
