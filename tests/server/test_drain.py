"""Stopping in good order: everybody is told when to come back, and what was acknowledged is there afterwards."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import aiohttp

from tests.server.command import ran, started
from tests.waiting import until

VIEWERS = 30
CSV = "부서명,담당자\n기획조정실,한도윤\n"


async def watch(session: aiohttp.ClientSession, url: str, byes: list[dict[str, object]]) -> None:
    """A viewer, until it is told goodbye."""
    async with session.post(f"{url}/api/v1/halls/NOV24/join") as response:
        ticket = (await response.json())["data"]["ticket"]
    stream = f"{url}/api/v1/halls/NOV24/audience/stream"
    async with session.get(stream, headers={"Authorization": f"Bearer {ticket}"}) as response:
        is_bye = False
        async for raw in response.content:
            if is_bye:
                byes.append(json.loads(raw.removeprefix(b"data: ")))
                return
            is_bye = raw == b"event: bye\n"


async def post(session: aiohttp.ClientSession, url: str, kept: list[int]) -> None:
    """Post until the server is gone; what was acknowledged is kept."""
    while True:
        try:
            async with session.post(f"{url}/api/v1/halls/NOV24/join") as response:
                ticket = (await response.json())["data"]["ticket"]
            body = {"command": "message:post", "payload": {"client_id": uuid4().hex, "text": f"글 {uuid4().int % 1_000_000}"}}
            commands = f"{url}/api/v1/halls/NOV24/audience/commands"
            async with session.post(commands, json=body, headers={"Authorization": f"Bearer {ticket}"}) as response:
                ack = await response.json()
        except (aiohttp.ClientError, KeyError, TypeError):
            return
        if not ack["ok"]:
            assert ack["error"]["code"] == "draining"
            return
        kept.append(ack["seq"])


async def test_everybody_is_told_when_to_come_back_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    (tmp_path / "directors.csv").write_text(CSV)
    arguments = ("--title", "x", "--directors", "directors.csv", "--code", "NOV24", "--open", "--mode", "open", "--who", "link")
    await ran("create", *arguments, folder=tmp_path)
    byes: list[dict[str, object]] = []
    kept: list[int] = []
    async with started("serve", "--port", "0", folder=tmp_path) as server:
        url = await server.says("listening on ")
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
            for _ in range(VIEWERS):
                group.create_task(watch(session, url, byes))
            for _ in range(4):
                group.create_task(post(session, url, kept))
            await until(lambda: len(kept) > 50)
            group.create_task(server.ends())
        assert server.process.returncode == 0
    assert [bye["code"] for bye in byes] == [3001] * VIEWERS
    times = [bye["come_back_after_ms"] for bye in byes]
    assert all(isinstance(time, int) and 200 <= time <= 5_000 for time in times)
    assert len(set(times)) > VIEWERS // 2  # not all at once
    assert all(bye["message"] for bye in byes)
    _, out, _ = await ran("export", "NOV24", folder=tmp_path)
    posted = [record["id"] for record in map(json.loads, out.splitlines()) if record["record"] == "message"]
    assert set(kept) <= set(posted) and len(posted) == len(set(posted))
    assert "Traceback" not in (tmp_path / "stderr").read_text() and "internal" not in (tmp_path / "stderr").read_text()
