"""Texts of strangers are text: on every page, in every field (W-04)."""

import asyncio
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from protocol.setup import Department, Director, Host, Setup
from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.markup import CORPUS, PICTURE, SHORT
from tests.faults.served import Served

SETUP = Setup(
    title=SHORT,
    mode="open",
    departments=(Department(id="planning", name_ko=SHORT, name_en=PICTURE, duties=(SHORT,)),),
    directors=(
        Director(id="d1", department="planning", name=SHORT, name_en=PICTURE, title=PICTURE, title_en=SHORT),
        Director(id="d2", department="planning", name=PICTURE),
    ),
    hosts=(Host(id="host-1", name=SHORT),),
)
INSIDE = """() => {
  const box = document.querySelector(".third").getBoundingClientRect();
  return box.top >= 0 && box.bottom <= innerHeight;
}"""
FACES = 12
"""How many of the corpus go on air, one after another."""


@dataclass(slots=True)
class Marked:
    """`asked`: ids of questions, one for each fate."""

    house: House
    asked: dict[str, int]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def marked(http: aiohttp.ClientSession, served: Served) -> Marked:
    """A town hall with markup in all its fields."""
    house = House(http, served, "MARKUP", served.url)
    await house.create(SETUP)
    for start in range(0, len(CORPUS), 10):
        await asyncio.gather(*(house.post(text) for text in CORPUS[start : start + 10]))
    asked = {
        name: await house.post(SHORT + name, asked=True)
        for name in ("returned", "declined", "deferred", "written", "queued", "air")
    }
    for name in ("returned", "deferred", "written", "queued", "air"):
        await house.act("host:host-1", "question:route", message=asked[name], director="d1")
    await house.act("director:d1", "question:return", message=asked["returned"], reason=PICTURE)
    await house.act("host:host-1", "question:decline", message=asked["declined"], reason="other", note=PICTURE)
    await house.act("director:d1", "question:defer", message=asked["deferred"], due="2030-01-31", note=PICTURE)
    await house.act("director:d1", "question:answer", message=asked["written"], text=f"{SHORT}\n{PICTURE}")
    await house.act("host:host-1", "question:air", message=asked["air"])
    await house.act("host:host-1", "overlay:ticker", on=True)
    poll = await house.act("host:host-1", "poll:open", question=PICTURE, choices=[SHORT, PICTURE])
    await house.act("host:host-1", "poll:close", poll=poll)
    await house.act("host:host-1", "poll:open", question=SHORT, choices=[PICTURE, SHORT])
    return Marked(house, asked)


async def nothing_ran(page: Page) -> None:
    """No script, no report of the policy; what else a page may not do, its visit checks at the end."""
    assert await page.evaluate("window.__ran === undefined")
    assert await page.evaluate("window.__reports") == []
    assert await page.count("#page script, #page iframe, #page object, #page embed, #page [onerror], #page a[href^='java']") == 0


def test_the_corpus_has_more_than_a_hundred_texts() -> None:
    assert len(CORPUS) >= 100


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_runs_in_the_chat_or_among_the_questions(width: int, marked: Marked, visit: Visits) -> None:
    page = await visit(marked.house, "audience", width=width, dark=width == 360)
    await page.sees(".chat article", times=len(CORPUS) + len(marked.asked))
    assert SHORT in await page.texts(".chat article .text")
    assert SHORT in await page.text("h1")
    assert SHORT in await page.text(".on-air")
    assert SHORT in await page.text(".poll h2") and PICTURE in await page.text(".poll .choice")
    await nothing_ran(page)
    assert await page.spills() == []
    await page.click("#tab-questions")
    await page.click(".closed-polls summary")
    await page.says(".closed-polls", PICTURE)
    await page.says(".questions .written", PICTURE)
    await nothing_ran(page)
    assert await page.spills() == []


@pytest.mark.parametrize("width", [360, 1440])
async def test_nothing_runs_in_the_console_or_its_dialogs(width: int, marked: Marked, visit: Visits) -> None:
    page = await visit(marked.house, "host", width=width)
    await page.sees(".stream .item >> nth=100")
    await page.says(".live", SHORT)
    await page.press("KeyV")
    await page.says("dialog .polls-closed", PICTURE)
    await nothing_ran(page)
    assert await page.spills() == []
    await page.shut()
    await page.focus(".queue .item:has-text('queued')")
    for key in ("KeyL", "KeyM", "KeyD", "KeyW", "KeyU", "KeyR"):
        await page.press(key)
        await page.sees("dialog[open]")
        await nothing_ran(page)
        assert await page.spills() == []
        await page.shut()
    await page.says(".queue .item", PICTURE)


@pytest.mark.parametrize("width", [360, 1024])
async def test_nothing_runs_on_a_directors_page(width: int, marked: Marked, visit: Visits) -> None:
    page = await visit(marked.house, "director", "d1", width=width)
    await page.says(".your-turn", SHORT)
    await page.says(".written", PICTURE)
    await nothing_ran(page)
    assert await page.spills() == []
    await page.button("director.reading", ".your-turn")
    await page.says(".reading", SHORT)
    await nothing_ran(page)
    assert await page.spills() == []


async def test_nothing_runs_in_the_picture(http: aiohttp.ClientSession, served: Served, visit: Visits) -> None:
    house = House(http, served, "MARKAIR", served.url)
    await house.create(SETUP)
    page = await visit(house, "overlay", width=1920, height=1080, query="ticker=1")
    await house.act("host:host-1", "overlay:ticker", on=True)
    # From the end of the corpus come the marks that tower and the words without an end.
    for text in (*CORPUS[:3], *CORPUS[-FACES:]):
        id = await house.post(text)
        await house.act("host:host-1", "question:route", message=id, director="d1")
        await house.act("host:host-1", "question:air", message=id)
        await page.sees(".third")
        await nothing_ran(page)
        assert await page.spills() == []
        assert await page.evaluate(INSIDE), text
        await house.act("host:host-1", "question:finish", message=id)
        await page.sees(".third", times=0)
    await house.act("host:host-1", "poll:open", question=CORPUS[-1][:300], choices=[SHORT, PICTURE])
    await house.act("host:host-1", "overlay:poll", on=True)
    await page.says(".third.poll", PICTURE)
    await nothing_ran(page)
    assert await page.spills() == []
    assert await page.evaluate(INSIDE)


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_runs_on_the_organisers_page(width: int, marked: Marked, visit: Visits) -> None:
    page = await visit(marked.house, "organiser", width=width)
    await page.says(".halls", SHORT)
    await nothing_ran(page)
    assert await page.spills() == []
    await page.click(".halls button:has-text('MARKUP')")
    await page.says("main", SHORT)
    await page.click("details.setup > summary")
    await page.until("(name) => [...document.querySelectorAll('input')].some((one) => one.value === name)", PICTURE)
    await nothing_ran(page)
    assert await page.spills() == []


async def test_nothing_runs_in_the_report(marked: Marked, http: aiohttp.ClientSession, visit: Visits) -> None:
    headers = {"Authorization": f"Bearer {marked.house.served.organiser}"}
    address = f"{marked.house.served.url}/api/v1/halls/MARKUP/export/report.html"
    async with http.get(address, headers=headers) as response:
        report = await response.text()
    # Opened from a disk, it has no policy of a server to protect it.
    page = await visit(marked.house, "join", bypassCSP=True)
    await page.act(["goto", "about:blank"])
    await page.act(["setContent", report])
    await page.says("body", SHORT)
    assert await page.evaluate("window.__ran === undefined")
    assert await page.count("script, iframe, img[src=x]") == 0
