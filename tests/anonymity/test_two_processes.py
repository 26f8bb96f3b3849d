"""A-12: the issuer and the chat are two processes that never talk; each goes on without the other."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from loadtests.blinding import Wallet
from loadtests.entry import enter, get_signed, show, unb64
from tests.browser.test_entry import open_town_hall
from tests.faults.served import Served
from tests.waiting import until

CODE = "APART1"


def children(pid: int) -> dict[int, str]:
    """{pid: command line}, of those that have not ended since they were counted."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found[int(child)] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def sockets(pid: int) -> set[str]:
    """Inodes of the sockets that a process holds."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:
            continue
        if match := re.fullmatch(r"socket:\[(\d+)\]", target):
            found.add(match[1])
    return found


def connections(pid: int) -> set[tuple[int, int]]:
    """(own port, other port) of a process' TCP connections on the loopback, without those that listen."""
    own, found = sockets(pid), set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in own and fields[3] == "01":
            found.add((int(fields[1].split(":")[1], 16), int(fields[2].split(":")[1], 16)))
    return found


async def test_no_call_runs_between_the_two(tmp_path: Path) -> None:
    served = Served(tmp_path / "data", issuer=True)
    await served.start()
    seen: list[tuple[set[tuple[int, int]], set[tuple[int, int]]]] = []
    try:
        (issuer_pid,) = [pid for pid, line in children(served.pid).items() if "server issuer" in line]
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, CODE, ["open"], minimum_participants=1, round_s=0, round_people=1)
            issuer_port, chat_port = int(issuer.rsplit(":", 1)[1]), served.port

            async def look() -> None:
                while True:
                    assert not sockets(served.pid) & sockets(issuer_pid), "they share a socket"
                    seen.append((connections(served.pid), connections(issuer_pid)))
                    await asyncio.sleep(0.02)

            looking = asyncio.create_task(look())
            wallets = []
            for _ in range(20):
                assert await enter(session, served.url, CODE)
                key = unb64((await _card(session, served.url))["key"])
                wallets.append(Wallet(CODE, key))
                await get_signed(session, issuer, wallets[-1])
            looking.cancel()
            assert any(chat for chat, _ in seen) and any(own for _, own in seen), "nothing was seen at all"
            for chat, own in seen:
                assert all(other != issuer_port for _, other in chat), "the chat called the issuer"
                assert all(other != chat_port for _, other in own), "the issuer called the chat"
    finally:
        await served.stop()


async def ready(session: aiohttp.ClientSession, served: Served) -> tuple[bool, list[str]]:
    """(ready, warnings)"""
    async with session.get(f"{served.url}/readyz") as response:
        told = await response.json()
    return told["ok"], told["warnings"]


async def well(session: aiohttp.ClientSession, served: Served) -> bool:
    """Ready, and nothing to warn of."""
    return await ready(session, served) == (True, [])


async def signs(session: aiohttp.ClientSession, issuer: str, wallet: Wallet) -> bool:
    """Whether the issuer is there and signs."""
    try:
        await get_signed(session, issuer, wallet)
    except aiohttp.ClientError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
async def test_an_issuer_that_dies_is_started_again_and_the_chat_goes_on_meanwhile(tmp_path: Path, workers: int) -> None:
    served = Served(tmp_path / "data", environ={"TOWNHALL_WORKERS": str(workers)}, issuer=True)
    await served.start()
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            issuer = await open_town_hall(session, served, CODE, ["open"], minimum_participants=1, round_s=0, round_people=1)
            key = unb64((await _card(session, served.url))["key"])
            before, after = Wallet(CODE, key), Wallet(CODE, key)
            await get_signed(session, issuer, before)
            assert await well(session, served)
            for _ in range(2):  # also one that has lived for a moment only
                (pid,) = [pid for pid, line in children(served.pid).items() if "server issuer" in line]
                os.kill(pid, signal.SIGSTOP)  # hold its port, or the next one may be there before we have looked
                os.kill(pid, signal.SIGKILL)

                async def noticed() -> bool:
                    ok, warnings = await ready(session, served)
                    assert ok, "the chat needs no issuer"
                    return any("issuer" in warning for warning in warnings)

                await until(noticed, 20)
                assert await show(session, served.url, before), "who has an entry comes in"
                await until(lambda: signs(session, issuer, after), 30)
            assert await show(session, served.url, after), "the same key at the same address"
            await until(lambda: well(session, served), 20)
    finally:
        await served.stop()


async def test_the_issuer_ends_with_the_chat_however_that_ends(tmp_path: Path) -> None:
    served = Served(tmp_path / "data", issuer=True)
    await served.start()
    try:
        (issuer_pid,) = [pid for pid, line in children(served.pid).items() if "server issuer" in line]
        await served.kill()
        await until(lambda: not Path(f"/proc/{issuer_pid}").exists(), 20)
    finally:
        await served.stop()


async def test_the_two_run_on_hosts_of_their_own(tmp_path: Path) -> None:
    """`issuer = "none"` at the chat, `townhall issuer` elsewhere: two folders, two addresses."""
    served = Served(tmp_path / "chat", issuer=False)
    await served.start()
    assert "issuer:" not in served.said
    alone = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "issuer", "--data", str(tmp_path / "elsewhere")),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TOWNHALL_ISSUER_HOST": "127.0.0.2", "TOWNHALL_PORT": "0"},
    )
    try:
        assert alone.stdout is not None
        async with asyncio.timeout(30):
            served.said += (await alone.stdout.readline()).decode()
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, CODE, ["open"], minimum_participants=1, round_s=0, round_people=1)
            assert issuer.startswith("http://127.0.0.2:")
            assert await enter(session, served.url, CODE)
            key = unb64((await _card(session, served.url))["key"])

            # The chat is gone: who is eligible gets an entry all the same, and comes in once it is back.
            await served.kill()
            wallets = [Wallet(CODE, key) for _ in range(20)]
            for wallet in wallets:
                await get_signed(session, issuer, wallet)
            with pytest.raises(aiohttp.ClientError):
                await show(session, served.url, wallets[0])
            await served.start()
            for wallet in wallets:
                assert await show(session, served.url, wallet)
            # And the other way round, where nobody starts it again.
            alone.kill()
            await alone.wait()
            assert not await signs(session, issuer, Wallet(CODE, key))
            assert await show(session, served.url, wallets[0])
            # An issuer elsewhere is nobody's to watch here.
            await until(lambda: well(session, served), 20)
        assert not (tmp_path / "chat" / "issuer").exists()
    finally:
        if alone.returncode is None:
            alone.terminate()
        await alone.wait()
        await served.stop()


async def _card(session: aiohttp.ClientSession, url: str) -> dict[str, str]:
    async with session.get(f"{url}/api/v1/halls/{CODE}") as response:
        return dict((await response.json())["data"]["admission"]["issuer"])
