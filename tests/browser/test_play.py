"""A whole town hall in six pages at once, with the network cut and the server killed in the middle of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from tests.browser.conftest import Visits
from tests.browser.doorway import Doorway
from tests.browser.house import House
from tests.browser.people import chat, write
from tests.faults.served import Served

QUESTION = "예산은 언제 확정되나요? 부서마다 말이 다릅니다."


@pytest_asyncio.fixture(loop_scope="session")
async def doorway(mortal: Served) -> AsyncIterator[Doorway]:
    """The office's, before that server."""
    found = Doorway(mortal.port)
    yield found
    await found.stop()


async def test_a_question_goes_its_whole_way_though_the_network_is_cut_and_the_server_killed(
    http: aiohttp.ClientSession, mortal: Served, doorway: Doorway, visit: Visits
) -> None:
    house = House(http, mortal, "PLAY", await doorway.start())
    await house.create()
    ann = await visit(house, "audience", cut=True, width=390)
    bob = await visit(house, "audience", lang="en", cut=True)
    host = await visit(house, "host", "host-1", cut=True, width=1440)
    first = await visit(house, "director", "d1", cut=True)
    second = await visit(house, "director", "d2", cut=True)
    overlay = await visit(house, "overlay", cut=True)
    pages = [ann, bob, host, first, second, overlay]
    await overlay.says(".note", overlay.words("overlay.waiting"))

    # Posted, picked and routed by key.
    await write(ann, QUESTION)
    await bob.says(".chat article", QUESTION)
    await host.says(".stream .item", QUESTION)
    await host.press("KeyK", "KeyS")
    await host.says(".queue .item", QUESTION)
    await host.press("Digit1")
    await first.says(".question-card", QUESTION)

    # The first director returns it, with a reason that the host sees and the audience does not.
    await first.button("director.return", ".question-card")
    await first.fill("dialog input[name=reason]", "도로 예산은 건설교통국 소관입니다.")
    await first.button("director.return", "dialog")
    await first.says(".empty", first.words("director.none"))
    await host.says(".queue .item", host.words("host.returned_by", name="한도윤", reason="도로 예산은 건설교통국 소관입니다."))

    # Routed to another, who accepts.
    await host.press("KeyL")
    await host.sees("dialog")
    await host.click("dialog .directors button:has-text('편수호')")
    await host.lacks("dialog")
    await second.says(".question-card", QUESTION)
    await second.button("director.accept", ".question-card")
    await host.says(".queue .item", host.words("host.accepted"))

    # The network goes. What is written meanwhile, here and elsewhere, arrives once.
    doorway.unplug()
    for page in (ann, bob, host, first, second):
        await page.sees(f"text={page.words('common.reconnecting')}")
    await write(ann, "끊긴 동안 쓴 글")
    await ann.says("article[data-state=sending]", "끊긴 동안 쓴 글")
    await house.post("다른 곳에서 올린 글")
    doorway.plug()
    for page in (ann, bob):
        await page.says(".chat article", "다른 곳에서 올린 글")
        await page.says(".chat article", "끊긴 동안 쓴 글")
        await page.sees("article[data-state=sending]", times=0)
    await host.live()

    # Seen in the preview first, then on air: the overlay follows.
    await host.focus(".queue .item")
    await host.press("Enter")
    await host.says(".preview-card", QUESTION)
    await overlay.sees(".third", times=0)
    await host.press("Shift+Enter")
    await host.says(".air-card.on", QUESTION)
    await overlay.says(".third", QUESTION)
    await overlay.says(".third", "편수호")
    await ann.says(".on-air", QUESTION)

    # The server is killed and comes back. The picture stays; what was written meanwhile arrives once.
    await mortal.kill()
    for page in (ann, bob, host, second):
        await page.sees(f"text={page.words('common.reconnecting')}")
    assert QUESTION in await overlay.text(".third")
    await write(bob, "written while the server was away")
    await mortal.start()
    for page in pages:
        await page.live()
    for page in (ann, bob):
        await page.says(".chat article", "written while the server was away")
        await page.sees("article[data-state=sending]", times=0)
    assert QUESTION in await overlay.text(".third")

    # Answered, and everybody sees it.
    await second.button("director.start", ".your-turn")
    await overlay.says(".third", overlay.words("overlay.answering"))
    await ann.says(".on-air", ann.words("audience.answering"))
    await second.button("director.finish", ".your-turn")
    await overlay.sees(".third", times=0)
    await host.says(".air-card", host.words("host.nothing_on_air"))
    for page in (ann, bob):
        await page.sees(".on-air", times=0)
        await page.click("#tab-questions")
        await page.says(".questions .question-card", page.words("common.fate.answered"))
        await page.says(".questions .question-card", QUESTION)
        assert "도로 예산은" not in await page.text("body")

    # Nothing lost, nothing doubled, the same order everywhere.
    expected = await mortal.published(http, "PLAY")
    assert sorted(expected) == sorted([QUESTION, "끊긴 동안 쓴 글", "다른 곳에서 올린 글", "written while the server was away"])
    for page in (ann, bob):
        await page.click("#tab-chat")
        assert await chat(page) == expected
        await page.sees(".chat article.mine", times=2 if page is ann else 1)
    assert await host.texts(".stream .item .text") == expected
