"""The broadcast beside the chat, by HLS, played in the page by what the page brings along."""

import msgspec
import pytest_asyncio

from protocol.setup import Video
from tests.browser.broadcast import Broadcast, broadcasting, record
from tests.browser.browser import Driver, Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.people import write
from tests.town import SETUP

PLAYED = "document.querySelector('.video video').currentTime > 1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def files(driver: Driver, lived_in: House) -> dict[str, bytes]:
    """Of a broadcast."""
    page = Page(driver, "audience", "ko")
    await page.open(lived_in.origin, closed=True, agree=False, before="", storage={}, options={})
    await page.goto(lived_in.origin)
    found = await record(page)
    await page.close()
    return found


async def shown(house: House, broadcast: Broadcast) -> None:
    """Set the broadcast up in the town hall."""
    setup = msgspec.structs.replace(SETUP, video=Video(kind="hls", url=broadcast.url))
    await house.act("organiser", "hall:configure", setup=msgspec.to_builtins(setup))


async def others(page: Page, broadcast: Broadcast) -> list[str]:
    """Problems of the page other than that it asks for the broadcast, which is another origin."""
    return [problem for problem in await page.problems() if not problem.startswith(f"foreign: {broadcast.origin}/")]


async def test_a_broadcast_plays_and_nothing_else_is_asked_for(house: House, visit: Visits, files: dict[str, bytes]) -> None:
    async with broadcasting(files, house.origin) as broadcast:
        await shown(house, broadcast)
        page = await visit(house, "audience")
        await page.until(PLAYED)
        # By the player that the page brings, which feeds the element; the browser's own would have the address there.
        assert await page.evaluate("document.querySelector('.video video').src.startsWith('blob:')")
        assert await page.evaluate("document.querySelector('.video video').videoWidth") == 160
        assert {f"/{name}" for name in files} == set(broadcast.asked)
        assert await page.evaluate("window.__reports") == []
        assert await others(page, broadcast) == []


async def test_a_broadcast_that_is_missing_is_said_so_the_chat_goes_on_and_it_plays_once_it_begins(
    house: House, visit: Visits, files: dict[str, bytes]
) -> None:
    async with broadcasting(files, house.origin, on=False) as broadcast:
        await shown(house, broadcast)
        page = await visit(house, "audience", refused=True)
        await page.says(".video [role=status]", page.words("audience.video_failed"))
        await write(page, "화면이 안 나와도 글은 써집니다")
        await page.says(".chat article.mine:not(.own)", "화면이 안 나와도 글은 써집니다")
        broadcast.on = True
        await page.until(PLAYED, wait_ms=40_000)
        await page.lacks(".video [role=status]")
        assert [one for one in await others(page, broadcast) if "404" not in one] == []
