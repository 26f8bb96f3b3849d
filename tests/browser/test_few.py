"""Fewer than are let in together: a page says what that means, and whoever waits chooses. Minutes are seconds here."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

import moderation.participation_rules
import server.halls.rounds
from protocol.names import Language
from server.store.keys import Keys
from tests.anonymity.meeting import CODE, Meeting, let_in_together, meeting
from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.people import chat, tab_to, write
from tests.faults.served import Served

PATIENCE_MS = 45_000
"""A page says every 15 s that it waits."""


@contextlib.asynccontextmanager
async def few(folder: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Meeting, House]]:
    """A town hall in draft, at servers in this process: their minutes can be made short."""
    monkeypatch.setattr(moderation.participation_rules, "WAIT_S", 3)
    monkeypatch.setattr(server.halls.rounds, "MINUTE_S", 3)
    async with meeting(folder) as hall:
        await hall.make(minimum_participants=1, round_s=12, round_people=5)
        served = Served(folder / "not-started")
        served.url = hall.node.url
        house = House(http, served, CODE, hall.node.url, issuer=hall.issuer.url)
        house.links["audience:"] = f"{hall.node.url}/t/{CODE}"
        yield hall, house


async def asked(page: Page) -> None:
    """It says what coming in with few means, and offers it."""
    offered = f".entry button:has-text('{page.words('audience.entry_come')}')"
    await page.sees(offered, wait_ms=PATIENCE_MS)
    await page.says(".entry", page.words("audience.entry_alone", people="5"))
    await page.sees("#text:disabled")


async def come_in(page: Page) -> None:
    """By the keyboard, until it may write."""
    await tab_to(page, ".entry button:not(.quiet)")
    await page.press("Enter")
    await page.says(".entry", page.words("audience.entry_coming"))
    await page.sees("#text:enabled", wait_ms=PATIENCE_MS)


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_a_late_comer_chooses_to_come_in_and_another_waits_on(
    tmp_path: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, visit: Visits, lang: Language
) -> None:
    async with few(tmp_path, http, monkeypatch) as (hall, house):
        await hall.open()
        page, other = await visit(house, "audience", lang=lang), await visit(house, "audience", lang=lang)
        await page.sees(".entry.holding")
        await asked(page)
        await asked(other)
        await come_in(page)
        await write(page, "혼자라도 쓰겠습니다.")
        await other.says(".chat article", "혼자라도 쓰겠습니다.")
        assert await chat(other) == ["혼자라도 쓰겠습니다."]
        await asked(other)
        assert [len(batch) for batch in await let_in_together(hall)] == [1]
        assert await hall.node.store.of(CODE).zcard(Keys(CODE).tokens) == 1, "the other's token was shown"


async def test_whoever_showed_a_token_at_the_opening_among_few_is_asked_too(
    tmp_path: Path, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, visit: Visits
) -> None:
    async with few(tmp_path, http, monkeypatch) as (hall, house):
        page = await visit(house, "audience")
        await page.says(".entry.holding", page.words("audience.entry_ready"))
        await hall.open()
        await page.sees(".entry.arrived", wait_ms=PATIENCE_MS)
        await asked(page)
        assert not await let_in_together(hall)
        await come_in(page)
        await write(page, "안녕하십니까.")
        await page.says(".chat article", "안녕하십니까.")
