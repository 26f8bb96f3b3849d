"""What was acknowledged is there, once, whatever is killed, stopped or cut."""

import asyncio
import os
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.faults.served import Poster, Served
from tests.waiting import until

POSTERS = 40
TEXTS = 5


async def burst(served: Served, session: aiohttp.ClientSession, fault: object) -> list[Poster]:
    """Posters post while `fault` happens; they go on until each text is acknowledged."""
    posters = [Poster(session, served, f"직원 {n}") for n in range(POSTERS)]
    tasks = [asyncio.create_task(poster.run(TEXTS, pause_s=0.4)) for poster in posters]
    await until(lambda: sum(len(poster.acknowledged) for poster in posters) > 60)
    await fault()  # type: ignore[operator]
    async with asyncio.timeout(180):
        await asyncio.gather(*tasks)
    return posters


async def check(served: Served, session: aiohttp.ClientSession, posters: list[Poster]) -> None:
    """Nothing lost, nothing twice, everybody has seen the same."""
    texts = await served.published(session)
    acknowledged = [text for poster in posters for text in poster.acknowledged]
    assert len(acknowledged) == POSTERS * TEXTS
    assert not [text for text, count in Counter(texts).items() if count > 1]
    assert set(acknowledged) == set(texts)
    seqs = [seq for poster in posters for seq in poster.acknowledged.values()]
    assert len(set(seqs)) == len(seqs)
    await until(lambda: all(poster.client is not None and set(poster.seen) == set(texts) for poster in posters))
    for poster in posters:
        assert len(poster.seen) == len(set(poster.seen))
        assert poster.seen == texts
        await poster.close()


@pytest.mark.parametrize("who", ["server", "valkey", "both"])
async def test_kill_9_in_the_middle_of_a_burst(who: str, tmp_path: Path) -> None:
    served = Served(tmp_path / "data")
    await served.start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await served.open_hall(session)
            valkey = served.valkey_pid()

            async def fault() -> None:
                if who in ("valkey", "both"):
                    os.kill(valkey, signal.SIGKILL)
                if who in ("server", "both"):
                    await served.kill()
                    await served.start()
                if who == "server":
                    assert served.valkey_pid() == valkey
                    assert f"adopted the Valkey that was still running (pid {valkey})" in served.said

            await check(served, session, await burst(served, session, fault))
    finally:
        await served.stop()
    await until(lambda: served.valkey_pid() == 0)


async def test_a_stopped_valkey_disconnects_nobody_and_loses_nothing(tmp_path: Path) -> None:
    served = Served(tmp_path / "data")
    await served.start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await served.open_hall(session)
            ready: list[int] = []

            async def fault() -> None:
                os.kill(served.valkey_pid(), signal.SIGSTOP)
                await asyncio.sleep(5)
                async with session.get(f"{served.url}/readyz") as response:
                    ready.append(response.status)
                os.kill(served.valkey_pid(), signal.SIGCONT)

            posters = await burst(served, session, fault)
            assert ready == [503]
            assert [poster.disconnects for poster in posters] == [0] * POSTERS
            assert {code for poster in posters for code in poster.refused} <= {"not_saved", "unknown_outcome", "too_fast"}
            await check(served, session, posters)
    finally:
        await served.stop()


async def test_a_second_server_on_the_folder_says_so_and_harms_nothing(tmp_path: Path) -> None:
    served = Served(tmp_path / "data")
    await served.start()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server",
            "serve",
            "--port",
            "0",
            "--data",
            str(tmp_path / "data"),
            stderr=asyncio.subprocess.PIPE,
        )
        _, words = await process.communicate()
        assert process.returncode == 1
        assert b"Another townhall server is running" in words
        async with aiohttp.ClientSession() as session:
            await served.open_hall(session)
            poster = Poster(session, served, "직원")
            await poster.run(1)
            assert await served.published(session) == ["직원의 글 0"]
            await poster.close()
    finally:
        await served.stop()


@pytest.mark.parametrize("fsync", ["always", "everysec"])
async def test_a_full_disk_refuses_clearly_and_keeps_what_was_acknowledged(fsync: str, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = f'mount -t tmpfs -o size=8m tmpfs {folder} && exec "$@"'
    served = Served(folder / "data", before=("unshare", "-m", "sh", "-c", mount, "sh"), environ={"TOWNHALL_FSYNC": fsync})
    await served.start()
    inside = Path(f"/proc/{served.pid}/root")
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await served.open_hall(session)
            ballast = inside / str(folder).lstrip("/") / "ballast"
            ballast.write_bytes(b"x" * (shutil.disk_usage(ballast.parent).free - 64 * 1024))
            posters = [Poster(session, served, f"직원 {n} " + "긴 글 " * 60) for n in range(40)]
            tasks = [asyncio.create_task(poster.run(400, pause_s=0.0)) for poster in posters]
            await until(lambda: any(code in ("disk_full", "not_saved") for poster in posters for code in poster.refused), 60)
            for poster in posters:
                poster.stopping = True

            async def tells_of_the_disk() -> bool:
                async with session.get(f"{served.url}/readyz") as response:
                    return response.status == 503 and "disk" in await response.text()

            await until(tells_of_the_disk)
            ballast.unlink()
            async with asyncio.timeout(180):
                await asyncio.gather(*tasks)
            acknowledged = {text for poster in posters for text in poster.acknowledged}
            texts = await served.published(session)
            assert acknowledged <= {text.strip() for text in texts}
            assert len(set(texts)) == len(texts)
            last = Poster(session, served, "다시 되는 직원")
            await last.run(1)
            assert len(last.acknowledged) == 1
            for poster in (*posters, last):
                await poster.close()
    finally:
        await served.stop()
