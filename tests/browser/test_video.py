"""The broadcast beside the chat, by HLS, played in the page by what the page brings along."""

import msgspec
import pytest_asyncio
from aiohttp import web

from protocol.setup import Video
from tests.browser.broadcast import Broadcast, broadcasting, record
from tests.browser.browser import Driver, Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.people import write
from tests.town import SETUP
from tests.waiting import until

PLAYED = "document.querySelector('.video video')?.currentTime > 1"
SANDBOX = "allow-scripts allow-same-origin allow-presentation allow-popups"
LOADED = "performance.getEntriesByType('resource').some((one) => /hls/.test(one.name))"


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
        host = broadcast.origin.removeprefix("http://")
        await page.says(".video .poster", page.words("audience.video_warning", host=host))
        await write(page, "아직 아무도 누르지 않았습니다")
        await page.says(".chat article.mine:not(.own)", "아직 아무도 누르지 않았습니다")
        assert broadcast.asked == [] and await page.problems() == [], "nothing is asked of its host before a press"
        assert not await page.evaluate(LOADED), "nor is the player fetched"
        await page.button("audience.watch", ".video")
        await page.until(PLAYED)
        assert await page.evaluate(LOADED)
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
        await page.button("audience.watch", ".video")
        await page.says(".video [role=status]", page.words("audience.video_failed"))
        await write(page, "화면이 안 나와도 글은 써집니다")
        await page.says(".chat article.mine:not(.own)", "화면이 안 나와도 글은 써집니다")
        broadcast.on = True
        await page.until(PLAYED, wait_ms=40_000)
        await page.lacks(".video [role=status]")
        assert [one for one in await others(page, broadcast) if "404" not in one] == []


async def test_what_was_let_play_plays_again_in_this_tab_and_in_no_other(
    house: House, visit: Visits, files: dict[str, bytes]
) -> None:
    async with broadcasting(files, house.origin) as broadcast:
        await shown(house, broadcast)
        page = await visit(house, "audience")
        await page.button("audience.watch", ".video")
        await page.until(PLAYED)
        await page.reload()
        await page.until(PLAYED)
        assert await others(page, broadcast) == []
        broadcast.asked.clear()
        other = await visit(house, "audience")
        await other.sees(".video .poster")
        await page.goto("about:blank")
        broadcast.asked.clear()
        # Another address is asked about anew.
        await page.goto(house.url("audience"))
        await page.until(PLAYED)
        moved = msgspec.structs.replace(SETUP, video=Video(kind="hls", url=f"{broadcast.url}?moved"))
        await house.act("organiser", "hall:configure", setup=msgspec.to_builtins(moved))
        await page.sees(".video .poster")
        assert await others(page, broadcast) == []
        assert not [path for path in broadcast.asked if "moved" in path]


async def test_a_frame_may_play_and_not_lead_the_page_away(house: House, visit: Visits) -> None:
    led = f"{house.origin}/privacy"
    page_of_others = f"<script>try {{ top.location = '{led}'; }} catch (e) {{ document.title = 'no'; }}</script>played"

    async def serve(_: web.Request) -> web.Response:
        asked.append(1)
        return web.Response(text=page_of_others, content_type="text/html")

    asked: list[int] = []
    app = web.Application()
    app.router.add_get("/embed", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        setup = msgspec.structs.replace(SETUP, video=Video(kind="iframe", url=f"{origin}/embed"))
        await house.act("organiser", "hall:configure", setup=msgspec.to_builtins(setup))
        page = await visit(house, "audience", refused=True)
        await page.sees(".video .poster")
        assert asked == [] and await page.problems() == []
        await page.button("audience.watch", ".video")
        await page.until("document.querySelector('.video iframe') !== null")
        assert await page.evaluate("document.querySelector('.video iframe').sandbox.value") == SANDBOX
        await until(lambda: asked == [1])
        await write(page, "그대로 있습니다")
        await page.says(".chat article.mine:not(.own)", "그대로 있습니다")
        assert await page.evaluate("location.pathname") == f"/t/{house.code}"
        told = [one for one in await page.problems() if not one.startswith(f"foreign: {origin}/")]
        assert all("sandbox" in one for one in told), told
    finally:
        await runner.cleanup()
