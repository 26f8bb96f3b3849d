"""Several processes on one port: they share the audience, one dies and the others go on, all leave in order."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from loadtests.client import Client, NotAdmitted, ticket
from tests.faults.served import Poster, Served
from tests.faults.test_kill import burst, check
from tests.waiting import until


def children(pid: int) -> list[int]:
    """Process ids of a process's children, oldest first."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def workers(served: Served) -> list[int]:
    """Process ids of the workers: children that are neither the store nor the issuer."""
    valkey = served.valkey_pid()
    issuers = [pid for pid in children(served.pid) if b"\0issuer\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return [pid for pid in children(served.pid) if pid != valkey and pid not in issuers]


def connections(pid: int) -> int:
    """Sockets that a process has open; each viewer is one."""
    return sum(path.readlink().name.startswith("socket:") for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink())


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    found = Served(tmp_path / "data", environ={"TOWNHALL_WORKERS": "2"}, issuer=True)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as found:
        yield found


async def figures(session: aiohttp.ClientSession, served: Served) -> dict[str, float]:
    """Samples by name and labels."""
    shown = {"Authorization": f"Bearer {(served.data / 'metrics-token').read_text()}"}
    async with session.get(f"{served.url}/metrics", headers=shown) as response:
        assert response.status == 200
        lines = [line for line in (await response.text()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def ready(session: aiohttp.ClientSession, served: Served) -> bool:
    async with session.get(f"{served.url}/readyz") as response:
        told = await response.json()
        assert (response.status == 200) == told["ok"]
        return bool(told["ok"] and not told["warnings"])


async def test_kill_9_of_one_worker_loses_nothing_and_the_other_goes_on(served: Served, session: aiohttp.ClientSession) -> None:
    await served.open_hall(session)
    before = workers(served)
    assert len(before) == 2
    spread: list[int] = []

    async def fault() -> None:
        spread.extend(connections(pid) for pid in before)
        os.kill(before[0], signal.SIGKILL)

    posters = await burst(served, session, fault)
    assert min(spread) > 5, spread
    assert any(not poster.disconnects for poster in posters)
    await check(served, session, posters)
    await until(lambda: len(workers(served)) == 2)
    assert before[1] in workers(served)
    await until(lambda: ready(session, served))
    assert (await figures(session, served))["townhall_worker_restarts_total"] == 1


async def test_what_is_posted_at_one_worker_is_seen_at_the_other(served: Served, session: aiohttp.ClientSession) -> None:
    await served.open_hall(session)
    posters = [Poster(session, served, f"직원 {n}") for n in range(12)]
    for poster in posters:
        await poster.run(1)
    await until(lambda: all(len(poster.seen) == len(posters) for poster in posters))
    told = await figures(session, served)
    assert told["townhall_workers"] == 2
    assert told['townhall_appends_total{outcome="appended"}'] == len(posters) + 3  # and created, its links made, and opened
    assert told['process_resident_memory_bytes{worker="1"}'] > 10e6
    assert told['process_resident_memory_bytes{worker="2"}'] > 10e6
    for poster in posters:
        await poster.close()


async def test_sigterm_sends_everybody_away_in_time_and_leaves_nothing_behind(
    served: Served, session: aiohttp.ClientSession
) -> None:
    await served.open_hall(session)
    heard: list[tuple[str, object]] = []
    clients = []
    for _ in range(30):
        token = await ticket(session, served.url, "TESTED")
        client = Client(session, served.url, "TESTED", "audience", token, lambda name, body: heard.append((name, body)))
        await client.connect()
        clients.append(client)
    pids = [*workers(served), served.valkey_pid()]
    assert served.process is not None
    served.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await served.process.wait() == 0
    byes = [body for name, body in heard if name == "bye"]
    assert [body["code"] for body in byes] == [3001] * 30  # type: ignore[index]
    waits = [body["come_back_after_ms"] for body in byes]  # type: ignore[index]
    assert len(set(waits)) > 20, "they would all come back at once"
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    with pytest.raises((aiohttp.ClientError, NotAdmitted)):
        await Client(session, served.url, "TESTED", "audience", "").connect()


async def test_workers_leave_when_their_parent_is_gone(served: Served, session: aiohttp.ClientSession) -> None:
    await served.open_hall(session)
    poster = Poster(session, served, "직원")
    await poster.run(1)
    left = workers(served)
    port = served.port
    await served.kill()
    await served.start()
    assert served.port == port
    assert "adopted the Valkey" in served.said
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
    other = Poster(session, served, "다른 직원")
    await other.run(1)
    await until(lambda: len(other.seen) == 2)
    for one in (poster, other):
        await one.close()


async def test_a_worker_that_hangs_is_told_by_readiness_and_the_rest_serves(
    served: Served, session: aiohttp.ClientSession
) -> None:
    await until(lambda: ready(session, served))
    stuck = workers(served)[0]
    os.kill(stuck, signal.SIGSTOP)
    try:

        async def warned() -> bool:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                # Half of all connections land at the one that hangs.
                timeout = aiohttp.ClientTimeout(total=4)
                async with aiohttp.ClientSession(timeout=timeout) as own, own.get(f"{served.url}/readyz") as response:
                    return "worker 1 does not answer" in (await response.json())["warnings"] and response.status == 200
            return False

        await until(warned, 60)
    finally:
        os.kill(stuck, signal.SIGCONT)
    await until(lambda: ready(session, served))


async def test_a_port_that_is_taken_is_said_so(served: Served, tmp_path: Path) -> None:
    other = Served(tmp_path / "other", environ={"TOWNHALL_WORKERS": "2"}, issuer=True)
    other.port = served.port
    with pytest.raises(AssertionError, match="it ended"):
        await other.start()
    assert other.process is not None
    assert await other.process.wait() == 1
