"""Where no WebSocket gets through, the pages find another way by themselves."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.browser.conftest import Visits
from tests.browser.doorway import Doorway
from tests.browser.house import House
from tests.browser.people import chat, write
from tests.faults.served import Served


@pytest_asyncio.fixture(loop_scope="session")
async def doorway(served: Served, house: House) -> AsyncIterator[Doorway]:
    """An office's, which lets no WebSocket through."""
    found = Doorway(served.port)
    house.origin = await found.start()
    found.websocket = False
    yield found
    await found.stop()


async def test_the_audience_posts_reads_and_comes_back_without_websocket(house: House, doorway: Doorway, visit: Visits) -> None:
    ann = await visit(house, "audience", cut=True)
    bob = await visit(house, "audience", cut=True, lang="en")
    assert doorway.refused >= 4
    await write(ann, "웹소켓 없이 씁니다")
    await bob.says(".chat article", "웹소켓 없이 씁니다")
    await house.post("다른 곳에서 올린 글")
    for page in (ann, bob):
        await page.says(".chat article", "다른 곳에서 올린 글")

    doorway.unplug()
    for page in (ann, bob):
        await page.sees(f"text={page.words('common.reconnecting')}")
    await house.post("끊긴 동안 올라온 글")
    await write(bob, "written while cut off")
    await bob.says("article[data-state=sending]", "written while cut off")
    doorway.plug()
    expected = ["웹소켓 없이 씁니다", "다른 곳에서 올린 글", "끊긴 동안 올라온 글", "written while cut off"]
    for page in (ann, bob):
        await page.says(".chat article", "written while cut off")
        await page.live()
        await page.sees("article[data-state=sending]", times=0)
        assert await chat(page) == expected


async def test_host_director_and_overlay_work_without_websocket(house: House, doorway: Doorway, visit: Visits) -> None:
    id = await house.post("예산은 언제 나오나요?", asked=True)
    host = await visit(house, "host", cut=True)
    director = await visit(house, "director", "d1", cut=True)
    overlay = await visit(house, "overlay", cut=True)
    await host.press("KeyK", "KeyS")
    await host.sees(f".queue [data-id='{id}']")
    await host.press("Digit1")
    await director.button("director.accept", ".question-card")
    await host.says(".queue .item", host.words("host.accepted"))
    await host.press("KeyN")
    await overlay.says(".third", "예산은 언제 나오나요?")
    assert doorway.refused >= 6


async def test_a_page_whose_websocket_is_refused_later_finds_the_other_way(house: House, doorway: Doorway, visit: Visits) -> None:
    doorway.websocket = True
    ann = await visit(house, "audience", cut=True)
    before = doorway.refused
    doorway.websocket = False
    doorway.unplug()
    await ann.sees(f"text={ann.words('common.reconnecting')}")
    doorway.plug()
    await ann.live()
    assert doorway.refused > before
    await write(ann, "다른 길로 올린 글")
    await ann.says(".chat article", "다른 길로 올린 글")
