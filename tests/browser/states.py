"""Every page in the states in which people look at it, in a town hall where much has happened and in an empty one."""

from collections.abc import Awaitable, Callable

from protocol.names import Language
from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House

State = Callable[[Visits, House, Language], Awaitable[Page]]


async def audience(visit: Visits, house: House, lang: Language) -> Page:
    return await visit(house, "audience", lang=lang)


async def questions(visit: Visits, house: House, lang: Language) -> Page:
    page = await visit(house, "audience", lang=lang)
    await page.click("#tab-questions")
    await page.sees(".questions")
    return page


async def results(visit: Visits, house: House, lang: Language) -> Page:
    """Of the polls that are closed, among the questions."""
    page = await questions(visit, house, lang)
    if await page.count(".closed-polls"):
        await page.click(".closed-polls summary")
        await page.sees(".closed-polls .bars")
    return page


async def locked(visit: Visits, house: House, lang: Language) -> Page:
    """What is stored about a message."""
    page = await visit(house, "audience", lang=lang)
    await page.click(f"button[aria-label='{page.words('audience.lock')}']")
    await page.sees("dialog[open]")
    return page


async def host(visit: Visits, house: House, lang: Language) -> Page:
    page = await visit(house, "host", lang=lang)
    if await page.count(".stream .item"):
        await page.press("KeyK")
        await page.sees(".stream .item[aria-current=true]")
    return page


async def menu(visit: Visits, house: House, lang: Language) -> Page:
    """The console's menu."""
    page = await visit(house, "host", lang=lang)
    await page.click("details.menu > summary")
    return page


async def polls(visit: Visits, house: House, lang: Language) -> Page:
    """The console's polls: one that is open, and the results of others; or the form for the first one."""
    page = await visit(house, "host", lang=lang)
    await page.press("KeyV")
    await page.sees("dialog[open]")
    return page


async def votes(visit: Visits, house: House, lang: Language) -> Page:
    """Nothing but the poll in the picture."""
    page = await visit(house, "overlay", lang=lang, query="poll=1")
    await page.sees(".third, .note")
    return page


async def director(visit: Visits, house: House, lang: Language) -> Page:
    return await visit(house, "director", "d1", lang=lang)


async def reading(visit: Visits, house: House, lang: Language) -> Page:
    """In type for two metres; an empty town hall has nothing to read."""
    page = await visit(house, "director", "d1", lang=lang)
    if await page.count(".your-turn"):
        await page.button("director.reading", ".your-turn")
        await page.sees(".reading")
    return page


async def overlay(visit: Visits, house: House, lang: Language) -> Page:
    page = await visit(house, "overlay", lang=lang, query="ticker=1")
    await page.sees(".third, .note")
    return page


async def join(visit: Visits, house: House, lang: Language) -> Page:
    return await visit(house, "join", lang=lang)


async def halls(visit: Visits, house: House, lang: Language) -> Page:
    """The organiser's list."""
    page = await visit(house, "organiser", lang=lang)
    await page.sees(".halls button")
    return page


async def hall(visit: Visits, house: House, lang: Language) -> Page:
    """One town hall of the organiser's, its setup open."""
    page = await halls(visit, house, lang)
    await page.click(f".halls button:has-text('{house.code}')")
    await page.click("details.setup > summary")
    await page.sees(".setup-form")
    return page


async def setup(visit: Visits, house: House, lang: Language) -> Page:
    """A new town hall."""
    page = await halls(visit, house, lang)
    await page.button("organiser.new", "main")
    await page.sees(".setup-form")
    return page


ALL = (join, audience, questions, results, locked, host, menu, polls, director, reading, overlay, votes, halls, hall, setup)
STATES: dict[str, State] = {one.__name__: one for one in ALL}
