"""The issuer's page for its organiser: a card to carry to the chat, invitations to hand out, and a key that is destroyed."""

import base64
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from protocol.names import Language
from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.people import tab_to
from tests.faults.served import Served
from tests.issuer.serving import Served as Issuer
from tests.issuer.serving import blinded, issuing

CSV = "\ufeff성명,이메일\r\n한도윤,doyun@example.org\r\n편수호,\r\n"
SIZES = ((360, 740), (768, 1024), (1440, 900))
CHAT = "http://127.0.0.1:9"
"""Where a chat could be; nobody listens there."""


def beside(house: House) -> tuple[House, str]:
    """The issuer that runs beside the chat, as a place that can be visited, and its key."""
    told = re.search(r"issuer: (\S+)/organiser#(\S+)", house.served.said)
    assert told is not None
    return House(house.http, house.served, house.code, told[1]), told[2]


def tomorrow() -> datetime:
    return datetime.fromtimestamp(time.time() + 86_400, UTC)


async def begin(page: Page, title: str, code: str, chat: str) -> None:
    """Fill in the form for a new issuance, and send it."""
    await page.button("issuer.new", "main")
    await page.fill("input[name=title]", title)
    await page.fill("input[name=code]", code)
    await page.fill("input[name=chat]", chat)
    await page.fill("input[name=ends]", tomorrow().strftime("%Y-%m-%dT%H:%M"))
    await page.button("issuer.create", ".setup-form")


async def choose_file(page: Page, path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    await page.act(["locator", "#csv"], ["setInputFiles", str(path)])


async def test_from_a_new_issuance_to_a_town_hall_its_slips_and_the_end_of_the_key(
    house: House, visit: Visits, tmp_path: Path
) -> None:
    issuer, key = beside(house)
    page = await visit(
        issuer, "organiser", secret=key, refused=True, permissions=["clipboard-read", "clipboard-write"], query="lang=ko"
    )
    assert await page.evaluate("location.hash") == "" and key not in await page.evaluate("document.body.innerHTML")
    await begin(page, "시월 직원 만남의 날", "ISSUED1", f"{house.served.url}/organiser")
    await page.says("main", f"{house.served.url}/t/ISSUED1")
    await page.reload()
    await page.click(".halls button:has-text('ISSUED1')")
    assert await page.count(".words li") == 6

    await page.button("issuer.copy", "main")
    await page.says(".toast", page.words("issuer.copied"))
    card = await page.evaluate("navigator.clipboard.readText()")
    chat = await visit(house, "organiser")
    await chat.button("organiser.new", "main")
    await chat.fill(".setup-form input >> nth=0", "시월 직원 만남의 날")
    await chat.fill(".setup-form input[pattern]", "ISSUED1")
    await chat.fill(".setup-form textarea", card)
    await chat.button("organiser.create", ".setup-form")
    await chat.says("main", "시월 직원 만남의 날")
    async with house.http.get(f"{house.served.url}/api/v1/halls/ISSUED1") as response:
        made = (await response.json())["data"]
    assert made["admission"]["issuer"]["url"] == issuer.origin
    assert made["admission"]["issuer"]["key"] in card

    await choose_file(page, tmp_path / "wrong.csv", "성명,이메일\r\n한도윤,nowhere\r\n")
    await page.button("issuer.slips", ".invitations")
    await page.says(".invitations [role=alert]", "2행")
    await choose_file(page, tmp_path / "guests.csv", CSV)
    await page.lacks(".invitations [role=alert]")
    slips = await page.download(f".invitations button:has-text('{page.words('issuer.slips')}')")
    assert "한도윤" in slips and "<svg" in slips and f"{issuer.origin}/admit/ISSUED1" in slips
    await page.says(".figures", "2")
    await choose_file(page, tmp_path / "guests.csv", CSV)
    merge = await page.download(f".invitations button:has-text('{page.words('issuer.merge')}')")
    secret = re.search(r"편수호.*#i=([A-Z0-9-]+)", merge)
    assert secret is not None

    asked = {"blinded": blinded(), "kind": "invitation", "proof": secret[1]}
    async with house.http.post(f"{issuer.origin}/api/v1/issuances/ISSUED1/sign", json=asked) as response:
        assert response.status == 200, await response.text()
    await page.says(".figures div:first-child dd", "1")
    assert "편수호" not in await page.text("body")

    keys = house.served.data / "issuer" / "keys"
    assert list(keys.glob("ISSUED1*"))
    await page.button("issuer.close", "main")
    await page.says("dialog[open]", page.words("issuer.close_sure", count=1))
    await page.press("Escape")
    await page.lacks("dialog[open]")
    await page.says(".chip", page.words("issuer.open"))
    await page.button("issuer.close", "main")
    await page.button("issuer.close", "dialog[open]")
    await page.says(".chip", page.words("issuer.closed"))
    assert not list(keys.glob("ISSUED1*"))
    assert not await page.count(".invitations")
    await page.says(".figures div:first-child dd", "1")


async def test_what_is_wrong_is_said_beside_its_field(house: House, visit: Visits) -> None:
    issuer, key = beside(house)
    page = await visit(issuer, "organiser", secret=key, lang="en", refused=True)
    await begin(page, "One", "TAKEN1", CHAT)
    await page.sees(".words")
    await page.click(".back")
    await begin(page, "Another", "TAKEN1", "town.example.org")
    await page.says("label:has(input[name=chat]) .wrong", page.words("issuer.bad_chat"))
    await page.fill("input[name=chat]", CHAT)
    await page.fill("input[name=ends]", "2001-01-01T10:00")
    await page.button("issuer.create", ".setup-form")
    await page.says("label:has(input[name=ends]) .wrong", page.words("refusal.bad_end"))
    await page.fill("input[name=ends]", tomorrow().strftime("%Y-%m-%dT%H:%M"))
    await page.click("input[name=invitation]")
    await page.button("issuer.create", ".setup-form")
    await page.says("fieldset .wrong", page.words("issuer.no_kind"))
    await page.click("input[name=open]")
    await page.button("issuer.create", ".setup-form")
    await page.says("label:has(input[name=code]) .wrong", page.words("refusal.code_taken"))
    assert await page.evaluate("document.querySelector('input[name=code]').getAttribute('aria-invalid')") == "true"


async def test_the_chats_key_does_not_open_it_and_the_page_says_so(house: House, visit: Visits) -> None:
    issuer, _ = beside(house)
    page = await visit(issuer, "organiser", secret=house.served.organiser, refused=True)
    await page.says("[role=alert]", page.words("issuer.no_key"))


async def test_a_card_that_cannot_be_copied_is_marked_for_the_keyboard(house: House, visit: Visits) -> None:
    issuer, key = beside(house)
    page = await visit(
        issuer, "organiser", secret=key, before="Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    await begin(page, "복사 없는 화면", "COPY01", CHAT)
    await page.button("issuer.copy", "main")
    await page.says(".toast", page.words("issuer.copy_by_hand"))
    marked = await page.evaluate("getSelection().toString()")
    assert '"key"' in marked


async def test_an_issuance_is_begun_and_closed_with_the_keyboard_alone(house: House, visit: Visits) -> None:
    issuer, key = beside(house)
    page = await visit(issuer, "organiser", secret=key)
    await page.until("document.querySelector('main .button.primary')?.disabled === false")
    await tab_to(page, "main .button.primary")
    await page.press("Enter")
    for name, text in (("title", "키보드로 시작"), ("code", "KEYS01"), ("chat", CHAT)):
        await tab_to(page, f"input[name={name}]")
        await page.act(["keyboard.type", text])
    # Month, day, year; hour, minute, before or after noon: as this browser shows them.
    await tab_to(page, "input[name=ends]")
    await page.act(["keyboard.type", tomorrow().strftime("%m%d%Y")])
    await page.press("ArrowRight")
    await page.act(["keyboard.type", "0600p"])
    await page.press("Enter")
    await page.says("main", "키보드로 시작")
    await tab_to(page, ".button.bad")
    await page.press("Enter")
    await page.sees("dialog[open]")
    await tab_to(page, "dialog .button.bad")
    await page.press("Enter")
    await page.says(".chip", page.words("issuer.closed"))


async def test_mail_that_did_not_go_out_is_named(
    http: aiohttp.ClientSession, served: Served, visit: Visits, tmp_path: Path
) -> None:
    # A mail server's port where nobody listens.
    mail = {"smtp_host": "127.0.0.1", "smtp_port": 9, "smtp_security": "none", "smtp_from": "a@town.example.org"}
    async with issuing(tmp_path / "data", **mail) as issuer:
        await issuer.issuance("invitation", code="MAIL01")
        place = House(http, served, "MAIL01", issuer.issuer.url)
        page = await visit(place, "organiser", secret=issuer.issuer.organiser_key, refused=True)
        await page.click(".halls button:has-text('MAIL01')")
        await choose_file(page, tmp_path / "guests.csv", CSV)
        await page.button("issuer.mail", ".invitations")
        await page.says(".invitations [role=alert]", "편수호")
        await choose_file(page, tmp_path / "guests.csv", CSV.replace("편수호,", "편수호,suho@example.org"))
        await page.button("issuer.mail", ".invitations")
        await page.says(".invitations", page.words("issuer.mail_ended", sent=0, total=2))
        await page.click(".invitations summary")
        await page.says(".invitations li", "suho@example.org")
        await visit.leave()


async def shown_list(page: Page) -> None:
    await page.sees(".halls button >> nth=1")


async def shown_form(page: Page) -> None:
    await page.button("issuer.new", "main")
    await page.sees(".setup-form")


async def shown_issuance(page: Page) -> None:
    await page.click(".halls button:has-text('TESTED')")
    await page.sees(".invitations")


async def shown_question(page: Page) -> None:
    """Whether to close."""
    await shown_issuance(page)
    await page.button("issuer.close", "main")
    await page.sees("dialog[open]")


async def shown_closed(page: Page) -> None:
    await page.click(".halls button:has-text('CLOSED')")
    await page.sees(".words")


STATES: dict[str, Callable[[Page], Awaitable[None]]] = {
    one.__name__.removeprefix("shown_"): one for one in (shown_list, shown_form, shown_issuance, shown_question, shown_closed)
}


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_every_state_stays_inside_its_box_and_axe_finds_nothing_serious(
    lang: Language, http: aiohttp.ClientSession, served: Served, visit: Visits, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(
            issuing(tmp_path / "data", oidc_issuer="http://127.0.0.1:9", oidc_client_id="x", smtp_host="127.0.0.1")
        )
        place = House(http, served, "TESTED", issuer.issuer.url)
        page = await visit(place, "organiser", secret=issuer.issuer.organiser_key, lang=lang)
        await page.sees(".empty")
        await looked_at(page, "empty")
        await fill(issuer, lang)
        for name, show in STATES.items():
            page = await visit(place, "organiser", secret=issuer.issuer.organiser_key, lang=lang)
            await show(page)
            await looked_at(page, name)
        await visit.leave()


async def fill(issuer: Issuer, lang: Language) -> None:
    """One with a title as long as they come and some entries; one that is closed."""
    title = {"ko": "충청남도 시월 직원 만남의 날 ", "en": "October staff meeting of the whole province "}[lang] * 5
    await issuer.issuance("invitation", "oidc", "open", title=title[:200].strip(), language=lang)
    proof = base64.urlsafe_b64encode(b"b" * 24).decode()
    assert (await issuer.sign("open", proof))[0] == 200
    await issuer.issuance("open", code="CLOSED", language=lang)
    await issuer.ask("POST", "/api/v1/issuances/CLOSED/close", issuer.issuer.organiser_key)


async def looked_at(page: Page, name: str) -> None:
    for width, height in SIZES:
        await page.size(width, height)
        assert await page.spills() == [], (name, width)
    assert await page.serious() == [], name
    await page.act(["emulateMedia", {"colorScheme": "dark"}])
    assert await page.serious() == [], name
