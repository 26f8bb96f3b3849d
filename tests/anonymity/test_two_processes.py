"""A-12: the issuer and the chat are two processes that never talk; each goes on without the other."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp

from loadtests.blinding import Wallet
from loadtests.client import NotAdmitted
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


async def test_no_call_runs_between_the_two_and_each_goes_on_alone(tmp_path: Path) -> None:
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

            # The issuer is gone: who has an entry comes in.
            os.kill(issuer_pid, signal.SIGKILL)
            await until(lambda: issuer_pid not in children(served.pid))
            assert await show(session, served.url, wallets[0])
            try:
                await get_signed(session, issuer, Wallet(CODE, wallets[0].spki))
            except (aiohttp.ClientError, NotAdmitted) as gone:
                assert isinstance(gone, aiohttp.ClientError)
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
        assert not (tmp_path / "chat" / "issuer").exists()
    finally:
        alone.terminate()
        await alone.wait()
        await served.stop()


async def _card(session: aiohttp.ClientSession, url: str) -> dict[str, str]:
    async with session.get(f"{url}/api/v1/halls/{CODE}") as response:
        return dict((await response.json())["data"]["admission"]["issuer"])
