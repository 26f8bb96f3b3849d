"""`make run`: one command, and a town hall is going on."""

import asyncio
import re
import signal
from pathlib import Path

import aiohttp
import pytest

from loadtests.ports import free_ports
from tests.server.command import Running, ran, started
from tests.waiting import until

ROLES = ["issuer", "audience", "host", *["director"] * 8, "overlay", "organiser"]


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    return free_ports(2)[0]


async def lines(demo: Running) -> list[str]:
    """What it prints: one line for each page."""
    await demo.says("organiser: ")
    return demo.said


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def without_secrets(said: list[str]) -> list[str]:
    """The same at each start; the secrets of staff links are new each time."""
    return [re.sub(r"#\S+", "", line) for line in said]


async def posted(url: str) -> int:
    """Messages so far, as the audience's stream tells."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/api/v1/halls/DEMO24/join") as response:
            ticket = (await response.json())["data"]["ticket"]
        headers = {"Authorization": f"Bearer {ticket}"}
        async with session.get(f"{url}/api/v1/halls/DEMO24/audience/stream", headers=headers) as stream:
            async with asyncio.timeout(10):
                async for raw in stream.content:
                    if found := re.search(rb'"received":(\d+)', raw):
                        return int(found[1])
    raise AssertionError("the stream told no counts")


async def test_one_line_for_each_page_and_people_chat(tmp_path: Path) -> None:
    async with started("demo", "--port", "0", folder=tmp_path) as demo:
        said = await lines(demo)
        assert [line.partition(": ")[0] for line in said] == ROLES
        addresses = [re.fullmatch(r"\w+: (http://(\S+):\d+/\S+)(?:  \((.+), (.+)\))?", line) for line in said]
        assert [found[2] for found in addresses if found] == ["localhost", *["127.0.0.1"] * 12], "cookies know no ports"
        assert {match[4] for match in addresses if match and match[4]} >= {"기획조정실", "농정국", "재난안전실"}
        async with aiohttp.ClientSession() as session:
            for match in addresses:
                assert match is not None
                page = match[1].partition("#")[0]
                if match.string.startswith("issuer: "):
                    page = page.replace("/organiser", "/admit/DEMO24")
                async with session.get(page) as response:
                    assert response.status == 200 and response.content_type == "text/html"
        url = said[1].partition(": ")[2].partition("/t/")[0]

        async def lively() -> bool:
            return await posted(url) >= 5

        await until(lively, 60)
        beside = children(demo.process.pid)
        assert len(beside) == 3, "the store, the issuer, the crowd"
        assert await demo.ends(signal.SIGINT) == 0
        await until(lambda: all(gone(pid) for pid in beside))
    assert "Traceback" not in (tmp_path / "stderr").read_text()


async def test_a_second_run_finds_the_same_town_hall(tmp_path: Path, port: int) -> None:
    arguments = ("demo", "--quiet", "--port", str(port))
    async with started(*arguments, folder=tmp_path) as demo:
        first = without_secrets(await lines(demo))
        assert len(children(demo.process.pid)) == 2
        await demo.ends()
    async with started(*arguments, folder=tmp_path) as demo:
        assert without_secrets(await lines(demo)) == first


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
async def test_stopped_in_the_middle_of_its_start_it_leaves_no_store_behind(tmp_path: Path, kind: signal.Signals) -> None:
    async with started("demo", "--port", "0", folder=tmp_path) as demo:
        found = await until(lambda: children(demo.process.pid), 60)
        assert await demo.ends(kind) == 0
        await until(lambda: all(gone(pid) for pid in found))
    assert "Traceback" not in (tmp_path / "stderr").read_text()


async def test_after_a_kill_the_next_run_adopts_what_is_left_and_nobody_chats_on(tmp_path: Path, port: int) -> None:
    arguments = ("demo", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    async with started(*arguments, folder=tmp_path) as demo:
        first = without_secrets(await lines(demo))

        async def lively() -> bool:
            return await posted(url) >= 3

        await until(lively, 60)
        before = await posted(url)
        pids = children(demo.process.pid)
        names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids}
        (crowd,) = [pid for pid, name in names.items() if "demo_crowd" in name]
        (valkey,) = [pid for pid, name in names.items() if "valkey" in name]
        (issuer,) = [pid for pid, name in names.items() if "issuer" in name]
        demo.process.kill()
        await demo.process.wait()
        assert not gone(valkey)
        await until(lambda: gone(crowd) and gone(issuer), 60)
    async with started(*arguments, "--quiet", folder=tmp_path) as demo:
        assert without_secrets(await lines(demo)) == first
        assert await posted(url) >= before
        await demo.ends()
    await until(lambda: gone(valkey))


async def test_a_closed_demo_is_followed_by_a_new_one(tmp_path: Path, port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    async with started("demo", "--quiet", "--port", str(port), folder=tmp_path) as demo:
        key = (await lines(demo))[-1].partition("#")[2]
        body = {"command": "hall:close", "payload": {"client_id": "test-0001"}}
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
            async with session.post(f"{url}/api/v1/halls/DEMO24/organiser/commands", json=body) as response:
                assert response.status == 200
        await demo.ends()
    async with started("demo", "--quiet", "--port", str(port), folder=tmp_path) as demo:
        again = (await lines(demo))[0].rpartition("/")[2]
        assert again != "DEMO24"
        await demo.ends()
    _, out, _ = await ran("links", folder=tmp_path)
    assert {line.split()[1] for line in out.splitlines()[1:]} == {"open", "closed"}
