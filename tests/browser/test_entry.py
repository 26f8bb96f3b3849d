"""From a link to a voice, in a real browser, with a chat and an issuer as two processes."""

import asyncio
import re
from pathlib import Path
from uuid import uuid4

import aiohttp
import msgspec

from tests.faults.served import Served
from tests.town import SETUP


async def open_town_hall(session: aiohttp.ClientSession, served: Served, code: str, kinds: list[str], **admission: int) -> str:
    """A town hall at both servers, as an organiser makes it; the issuer's address."""
    issuer = re.search(r"issuer: (\S+)/organiser#(\S+)", served.said)
    assert issuer is not None
    url, key = issuer.groups()
    body = {"title": "만남의 날", "chat_url": served.url, "kinds": kinds, "code": code}
    async with session.post(f"{url}/api/v1/issuances", json=body, headers={"Authorization": f"Bearer {key}"}) as response:
        made = await response.json()
    assert made["ok"], made
    headers = {"Authorization": f"Bearer {served.organiser}"}
    hall = {"setup": msgspec.to_builtins(SETUP), "code": code, "admission": {"issuer": made["data"]["issuer"], **admission}}
    async with session.post(f"{served.url}/api/v1/halls", json=hall, headers=headers) as response:
        assert (await response.json())["ok"], await response.text()
    command = {"command": "hall:open", "payload": {"client_id": uuid4().hex}}
    async with session.post(f"{served.url}/api/v1/halls/{code}/organiser/commands", json=command, headers=headers) as response:
        assert (await response.json())["ok"], await response.text()
    return str(url)


async def test_from_a_link_to_a_voice(tmp_path: Path) -> None:
    served = Served(tmp_path / "data", issuer=True)
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, "ENTRY1", ["open"], minimum_participants=1, round_s=0, round_people=1)
        process = await asyncio.create_subprocess_exec(
            "node",
            "tests/browser/entry.mjs",
            *(served.url, issuer, "ENTRY1"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(180):
            said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
    finally:
        await served.stop()
