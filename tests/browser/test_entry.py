"""From a link to a voice, in a real browser, with a chat and an issuer as two processes."""

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest

from tests.browser.conftest import EASY
from tests.browser.house import House
from tests.faults.served import Served


async def open_town_hall(session: aiohttp.ClientSession, served: Served, code: str, kinds: list[str], **admission: int) -> str:
    """A town hall at both servers, as an organiser makes it; the issuer's address."""
    house = House(session, served, code, served.url)
    await house.create(kinds=kinds, admission=admission)
    return house.issuer


def issuer_key(served: Served) -> str:
    """Of the organiser, at the issuer beside `served`."""
    told = re.search(r"issuer: \S+/organiser#(\S+)", served.said)
    assert told is not None
    return told[1]


async def walk(script: str, *arguments: str) -> None:
    """Let a browser go the way that `tests/browser/SCRIPT` describes."""
    process = await asyncio.create_subprocess_exec(
        "node", f"tests/browser/{script}", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(180):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_from_a_link_to_a_voice(tmp_path: Path) -> None:
    served = Served(tmp_path / "data", issuer=True)
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, "ENTRY1", ["open"], **EASY)
        await walk("entry.mjs", served.url, issuer, "ENTRY1", issuer_key(served))
    finally:
        await served.stop()


@pytest.mark.parametrize("apart_ms", [0, 100, 300])
async def test_two_tabs_of_one_browser_get_one_entry_and_both_come_in(tmp_path: Path, apart_ms: int) -> None:
    served = Served(tmp_path / "data", issuer=True)
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            await open_town_hall(session, served, "TABS24", ["open"], **EASY)
        await walk("two_tabs.mjs", served.url, "TABS24", str(apart_ms))
    finally:
        await served.stop()
