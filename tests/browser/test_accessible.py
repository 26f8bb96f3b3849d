"""What those need who do not see the page, or do not use a mouse."""

import asyncio

import pytest

from protocol.names import Language
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.people import tab_to
from tests.browser.states import STATES

SAID = """() => {
  window.said = [];
  for (const region of document.querySelectorAll("[aria-live=polite][aria-atomic], [aria-live=assertive]")) {
    const watch = new MutationObserver(() => window.said.push(region.textContent.trim()));
    watch.observe(region, {childList: true, characterData: true, subtree: true});
  }
}"""
SHEETS = ("KeyR", "KeyM", "KeyU", "KeyL", "KeyD", "KeyW", "KeyV", "Shift+Slash")


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("state", STATES)
async def test_axe_finds_nothing_serious(state: str, lang: Language, lived_in: House, visit: Visits) -> None:
    page = await STATES[state](visit, lived_in, lang)
    assert await page.serious() == []
    await page.act(["emulateMedia", {"colorScheme": "dark"}])
    assert await page.serious() == []


@pytest.mark.parametrize("dark", [False, True])
async def test_axe_finds_nothing_serious_in_the_consoles_dialogs(dark: bool, lived_in: House, visit: Visits) -> None:
    page = await visit(lived_in, "host", dark=dark, lang="en" if dark else "ko")
    await page.focus(".queue .item >> nth=0")
    for key in SHEETS:
        await page.press(key)
        await page.sees("dialog[open]")
        assert await page.serious() == [], key
        await page.shut()
    for opened in (page.words("host.muted"), page.words("host.close_hall")):
        await page.click("details.menu > summary")
        await page.click(f"details.menu button:has-text('{opened}')")
        await page.sees("dialog[open]")
        assert await page.serious() == [], opened
        await page.shut()
        await page.evaluate("document.querySelector('details.menu').open = false")


async def test_only_what_is_new_in_the_chat_is_read_out_and_a_flood_as_its_number(house: House, visit: Visits) -> None:
    await house.post("들어오기 전의 글")
    page = await visit(house, "audience")
    await page.says(".chat article", "들어오기 전의 글")
    assert await page.count("[role=log][aria-label]") == 1
    await page.evaluate(SAID)
    await house.post("새로 온 글 하나")
    await page.until("window.said.some((words) => words.endsWith(': 새로 온 글 하나'))")
    await asyncio.gather(*(house.post(f"쏟아지는 글 {number}") for number in range(20)))
    await page.sees(".chat article", times=22)
    await page.until("(words) => window.said.includes(words)", page.words("audience.digest", count=20))
    assert not any("들어오기 전의 글" in said for said in await page.evaluate("window.said"))


async def test_the_question_on_air_is_read_out_with_who_answers(house: House, visit: Visits) -> None:
    audience = await visit(house, "audience")
    director = await visit(house, "director", "d1")
    for page in (audience, director):
        await page.evaluate(SAID)
    id = await house.post("예산은 언제 나오나요?", asked=True)
    await house.act("host:host-1", "question:route", message=id, director="d1")
    await house.act("host:host-1", "question:air", message=id)
    words = audience.words("audience.air_says", text="예산은 언제 나오나요?", director="한도윤 실장")
    await audience.until("(words) => window.said.includes(words)", words)
    await director.until(
        "(words) => window.said.includes(words)", f"{director.words('director.your_turn')}. 예산은 언제 나오나요?"
    )


async def test_new_messages_are_not_read_out_where_that_is_switched_off(house: House, visit: Visits) -> None:
    page = await visit(house, "audience", lang="en")
    await page.evaluate(SAID)
    await page.click("details.menu > summary")
    await page.click(f"label:has-text('{page.words('audience.announce')}')")
    await house.post("소리 없이 온 글")
    await page.says(".chat article", "소리 없이 온 글")
    await page.click(f"label:has-text('{page.words('audience.announce')}')")
    await house.post("다시 읽어 줄 글")
    await page.until("window.said.length > 0")
    assert not any("소리 없이" in said for said in await page.evaluate("window.said"))


async def test_an_employee_asks_and_supports_with_the_keyboard_alone(house: House, visit: Visits) -> None:
    other = await house.post("다른 사람의 질문", asked=True)
    page = await visit(house, "audience")
    await page.press("Tab", "Enter")
    await page.until("document.activeElement.closest('#composer') !== null || location.hash === '#composer'")
    await tab_to(page, "#text")
    await page.act(["keyboard.type", "키보드로만 씁니다"])
    await tab_to(page, ".ask input")
    await page.press("Space")
    await tab_to(page, "#text", back=True)
    await page.press("Enter")
    await page.says(".chat article.mine:not(.own)", "키보드로만 씁니다")
    await tab_to(page, "[role=tab][aria-selected=true]", back=True)
    await page.press("ArrowRight")
    await page.sees(".questions li", times=2)
    await tab_to(page, ".questions li:last-child button.support")
    await page.press("Space")
    await page.says(".questions li:last-child button.support", "1")
    assert other


async def test_a_director_returns_a_question_with_the_keyboard_alone(house: House, visit: Visits) -> None:
    id = await house.post("제 소관이 아닌 질문", asked=True)
    await house.act("host:host-1", "question:route", message=id, director="d1")
    page = await visit(house, "director", "d1")
    await page.says(".question-card", "제 소관이 아닌 질문")
    await tab_to(page, ".question-card button:nth-of-type(2)")
    await page.press("Enter")
    await page.until("document.activeElement.name === 'reason'")
    await page.act(["keyboard.type", "다른 국 소관입니다."])
    await page.press("Enter")
    await page.lacks("dialog[open]")
    await page.sees(".question-card", times=0)


async def test_a_queue_is_worked_with_the_keyboard_alone(house: House, visit: Visits) -> None:
    for text in ("첫째 질문", "둘째 질문"):
        await house.post(text, asked=True)
    page = await visit(house, "host")
    await page.sees(".stream .item", times=2)
    await page.press("KeyK", "KeyS", "KeyK", "KeyS")
    await page.sees(".queue .item", times=2)
    await page.press("KeyG", "Digit2")
    await page.until("document.activeElement.closest('.queue') !== null")
    await tab_to(page, ".queue .item:first-child")
    await page.press("Enter")
    await page.says(".preview-card", "둘째 질문")
    await page.press("KeyN")
    await page.says(".air-card.on", "둘째 질문")
    await page.press("KeyX")
    await page.says(".air-card", page.words("host.nothing_on_air"))
    await page.press("KeyN")
    await page.says(".air-card.on", "첫째 질문")
    await page.press("KeyD")
    await page.sees("dialog[open]")
    await page.press("Enter")
    await page.says(".air-card", page.words("host.nothing_on_air"))
    await page.sees(".queue .item", times=0)
