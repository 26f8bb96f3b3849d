"""The picture: what it shows, what it never shows, and what clears it."""

import aiohttp
import pytest

from protocol.names import Language
from tests.browser.browser import Page
from tests.browser.conftest import EASY, WORDY, Visits
from tests.browser.house import House
from tests.faults.served import Served

OBS = "window.obsstudio = {pluginVersion: '2.24.0'}"
TRANSPARENT = (
    "[document.body, document.documentElement].every((one) => getComputedStyle(one).backgroundColor === 'rgba(0, 0, 0, 0)')"
)


INSIDE = """() => [...document.querySelectorAll(".third")].every((one) => {
  const box = one.getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
})"""
REMEMBER = """() => {
  window.seen = new Set();
  const watch = new MutationObserver(() => window.seen.add(document.body.innerText));
  watch.observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


async def on_air(house: House, text: str = "예산은 언제 나오나요?", ticket: str = "") -> int:
    """A question on air, for the first director; asked by whose ticket it is, or by somebody new."""
    id = await house.post(text, asked=True, ticket=ticket)
    await house.act("host:host-1", "question:route", message=id, director="d1")
    await house.act("host:host-1", "question:air", message=id)
    return id


async def ticket_of(person: Page) -> str:
    """With which this page takes part."""
    found = await person.evaluate("(code) => sessionStorage.getItem(`townhall.${location.pathname.split('/')[2]}.ticket`)")
    return str(found)


async def test_outside_obs_an_empty_overlay_says_that_it_waits_and_in_obs_it_is_empty(house: House, visit: Visits) -> None:
    outside = await visit(house, "overlay")
    await outside.says(".note", outside.words("overlay.waiting"))
    await outside.says(".note", outside.words("overlay.connected"))
    inside = await visit(house, "overlay", before=OBS)
    id = await on_air(house)
    await inside.says(".third", "예산은 언제 나오나요?")
    await outside.sees(".note", times=0)
    await house.act("host:host-1", "question:finish", message=id)
    await inside.sees(".third", times=0)
    await outside.sees(".third", times=0)
    assert (await inside.text("body")).strip() == ""
    assert await inside.evaluate(TRANSPARENT)


async def test_the_test_parameter_shows_a_sample_and_the_connection(house: House, visit: Visits) -> None:
    page = await visit(house, "overlay", lang="en", query="test=1")
    await page.says(".third", page.words("overlay.sample"))
    await page.says(".third", page.words("overlay.sample_director"))
    await page.says(".note", page.words("overlay.connected"))


async def test_escape_twice_clears_every_overlay_and_it_stays_clear_through_a_reload(house: House, visit: Visits) -> None:
    host = await visit(house, "host")
    overlays = [await visit(house, "overlay", before=OBS, query=query) for query in ("ticker=1", "ticker=1&lightmode")]
    await on_air(house)
    await house.act("host:host-1", "overlay:ticker", on=True)
    await house.post("자막으로 흐르는 글")
    for overlay in overlays:
        await overlay.says(".third", "예산은 언제 나오나요?")
        await overlay.says(".ticker", "자막으로 흐르는 글")
    await host.press("Escape", "Escape")
    for overlay in overlays:
        await overlay.sees(".third", times=0)
        await overlay.sees(".ticker li", times=0)
    await host.says(".live", host.words("host.cleared"))
    await overlays[0].reload()
    await overlays[0].live()
    late = await visit(house, "overlay", before=OBS)
    await house.post("지운 뒤의 글")
    await host.says(".stream .item", "지운 뒤의 글")
    for overlay in [*overlays, late]:
        assert (await overlay.text("body")).strip() == ""
    await host.button("host.show", ".live")
    for overlay in [*overlays, late]:
        await overlay.says(".third", "예산은 언제 나오나요?")


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_the_words_of_the_issuers_key_are_those_that_every_page_shows(
    lang: Language, admitting: House, visit: Visits
) -> None:
    overlay = await visit(admitting, "overlay", lang=lang, before=OBS)
    alone = await visit(admitting, "overlay", lang=lang, before=OBS, query="key=1&ticker=1")
    never = await visit(admitting, "overlay", lang=lang, before=OBS, query="key=0")
    person = await visit(admitting, "audience", lang=lang)
    await person.sees("#text:enabled")
    await person.click(f"button[aria-label='{person.words('audience.lock')}']")
    await person.sees(".fingerprint li", times=6)
    words = await person.texts(".fingerprint li")

    host = await visit(admitting, "host", lang=lang)
    await on_air(admitting, ticket=await ticket_of(person))
    await host.press("KeyF")
    await host.sees("dialog .words li", times=6)
    assert await host.texts("dialog .words li") == words
    await host.button("host.fingerprint_on", "dialog")
    await host.press("Escape")
    await host.says(".bar", host.words("host.fingerprint_shown"))
    for page in (overlay, alone):
        await page.sees(".third.key li", times=6)
        assert [text.split("\n")[0] for text in await page.texts(".third.key li")] == words
    assert await overlay.count(".third:not(.key)") == 1
    assert await alone.count(".third:not(.key)") == 0
    await never.says(".third", "예산은 언제 나오나요?")
    assert await never.count(".third.key") == 0

    await host.press("Escape", "Escape")
    for page in (overlay, alone, never):
        await page.sees(".third", times=0)
    await host.sees(".bar", times=0)
    late = await visit(admitting, "overlay", lang=lang, before=OBS)
    await host.press("KeyF")
    await host.button("host.fingerprint_on", "dialog")
    await late.sees(".third.key li", times=6)
    await host.button("host.fingerprint_off", "dialog")
    await late.sees(".third", times=0)


async def test_the_key_and_the_longest_question_are_in_one_picture(
    http: aiohttp.ClientSession, served: Served, visit: Visits
) -> None:
    house = House(http, served, "PICTURED", served.url)
    await house.create(WORDY, kinds=["open"], admission=EASY)
    person = await visit(house, "audience")
    await person.sees("#text:enabled")
    await on_air(house, "가" * 300, ticket=await ticket_of(person))
    await house.act("host:host-1", "overlay:ticker", on=True)
    await house.act("host:host-1", "overlay:key", on=True)
    overlay = await visit(house, "overlay", lang="en", before=OBS, width=1920, height=1080, query="ticker=1&motion=0")
    await overlay.sees(".third", times=2)
    await overlay.sees(".third.key li", times=6)
    assert await overlay.evaluate(INSIDE)
    assert await overlay.count(".ticker") == 0


async def test_a_town_hall_without_an_issuer_has_no_key_to_show(house: House, visit: Visits) -> None:
    host = await visit(house, "host")
    await host.press("KeyF", "Shift+Slash")
    await host.says("dialog h2", host.words("host.keys"))
    assert await host.count(".fingerprint, dialog .words") == 0


async def test_it_shows_nothing_broken_while_the_server_is_away(
    http: aiohttp.ClientSession, mortal: Served, visit: Visits
) -> None:
    house = House(http, mortal, "PICTURE", mortal.url)
    await house.create()
    id = await on_air(house)
    overlay = await visit(house, "overlay", before=OBS, cut=True)
    await overlay.says(".third", "예산은 언제 나오나요?")
    before = await overlay.text("body")
    await overlay.evaluate(REMEMBER)
    await mortal.kill()
    await mortal.start()
    await house.act("director:d1", "answer:start", message=id)
    await overlay.says(".third", overlay.words("overlay.answering"))
    seen = await overlay.evaluate("[...window.seen]")
    assert all(before in text.replace(f"\n{overlay.words('overlay.answering')}", "") for text in seen), seen


async def test_parameters_of_producers_change_the_picture(house: House, visit: Visits) -> None:
    await on_air(house, "이것은 길이를 자를 질문입니다")
    plain = await visit(house, "overlay", before=OBS)
    query = "motion=0&hidenames&compact&trim=4&label=Q%26A&chroma=00ff00&fontcolor=ff0000&css=.third%7Bopacity:0.5%7D"
    shaped = await visit(house, "overlay", before=OBS, query=query)
    await plain.says(".third", "이것은 길이를 자를 질문입니다")
    assert await plain.count(".third .name") == 1
    await shaped.says(".third .text", "이것은 …")
    await shaped.says(".third .tag", "Q&A")
    assert await shaped.count(".third .name, .third .department") == 0
    assert await shaped.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(0, 255, 0)"
    assert await shaped.evaluate("getComputedStyle(document.querySelector('.third')).opacity") == "0.5"
    assert await shaped.evaluate("getComputedStyle(document.querySelector('.third .text')).color") == "rgb(255, 0, 0)"
