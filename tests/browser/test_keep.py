"""An entry is kept as a file and on paper, and brought back where a browser has lost its storage or on another device."""

import json
from pathlib import Path

import aiohttp
import pytest

from protocol.names import Language
from tests.browser.browser import Page
from tests.browser.conftest import EASY, Visits
from tests.browser.house import House
from tests.browser.people import take_part, write
from tests.faults.served import Served

LOSE = """() => {
  localStorage.clear();
  sessionStorage.clear();
  return new Promise((done) => {
    const request = indexedDB.deleteDatabase("townhall");
    request.onsuccess = request.onerror = request.onblocked = () => done(true);
  });
}"""
"""As the browser does when it clears a site's data."""


async def come_in(visit: Visits, house: House, lang: Language = "ko", *, refused: bool = False) -> Page:
    """A page over the issuer and back, until it may write. `refused`: the issuer will say no when it comes again."""
    page = await visit(house, "audience", lang=lang, refused=refused)
    await page.sees("#text:enabled")
    return page


async def lose(page: Page, house: House) -> None:
    """Its storage, and come again: the issuer has given this browser its entry, and gives no other."""
    await page.evaluate(LOSE)
    await page.goto(house.url("audience"))
    await take_part(page, house.origin)
    await page.says(".entry.outside", page.words("audience.entry_outside"))
    await page.says(".entry.outside", page.words("refusal.already_issued"))
    await page.sees("#text:disabled")


async def name_of(page: Page, text: str) -> str:
    """Under which a message stands in the chat."""
    await page.says(".chat article", text)
    return (await page.texts(f".chat article:has-text('{text}') .who"))[0]


async def kept_as_file(page: Page) -> str:
    await page.button("audience.keep", ".entry")
    await page.sees("dialog button.primary:enabled")
    text = await page.download("dialog button.primary")
    await page.shut()
    return text


async def printed(page: Page) -> tuple[str, str]:
    """(what is typed from the sheet, the address in its QR code)."""
    await page.button("audience.keep", ".entry")
    await page.button("audience.keep_paper", "dialog")
    await page.sees(".sheet li", times=26)
    rows = await page.texts(".sheet li")
    address = await page.decoded(".sheet svg")
    await page.shut()
    return "\n".join(rows), address


async def bring_file(page: Page, path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    await page.act(["locator", ".entry input[type=file]"], ["setInputFiles", str(path)])


async def bring_code(page: Page, typed: str) -> None:
    await page.button("audience.restore_code", ".entry")
    await page.fill("dialog textarea", typed)
    await page.button("audience.restore_enter", "dialog")


async def same_voice(page: Page, other: Page, before: str) -> None:
    """What is posted from `page` now stands under the same name as `before`, for everybody."""
    await page.sees("#text:enabled")
    await write(page, "다시 들어와 쓴 글")
    assert await name_of(other, "다시 들어와 쓴 글") == await name_of(other, before)


async def test_lost_storage_means_watching_until_the_file_is_brought(admitting: House, visit: Visits, tmp_path: Path) -> None:
    page = await come_in(visit, admitting, refused=True)
    other = await come_in(visit, admitting)
    text = await kept_as_file(page)
    assert json.loads(text)["code"] == admitting.code and admitting.served.organiser not in text
    await write(page, "저장이 지워지기 전의 글")
    await name_of(other, "저장이 지워지기 전의 글")

    await lose(page, admitting)
    await page.says(".chat article", "저장이 지워지기 전의 글")
    await bring_file(page, tmp_path / "entry.json", text)
    await same_voice(page, other, "저장이 지워지기 전의 글")


async def test_a_printed_code_is_typed_on_another_device_and_both_are_one_voice(admitting: House, visit: Visits) -> None:
    page = await come_in(visit, admitting, "en")
    other = await come_in(visit, admitting)
    typed, _ = await printed(page)
    await write(page, "first device")
    await name_of(other, "first device")

    second = await visit(
        admitting,
        "audience",
        lang="en",
        before="sessionStorage.setItem(`townhall.${location.pathname.split('/')[2]}.tried`, '1')",
    )
    await second.says(".entry.outside", second.words("audience.entry_outside"))
    await bring_code(second, typed.lower().replace(" ", ""))
    await same_voice(second, other, "first device")
    # The first one goes on: the same participant on two devices at the same time.
    await write(page, "still here")
    assert await name_of(other, "still here") == await name_of(other, "first device")
    await page.says(".chat article", "다시 들어와 쓴 글")


async def test_the_address_in_the_qr_code_brings_it_to_a_phone_after_a_question(admitting: House, visit: Visits) -> None:
    page = await come_in(visit, admitting)
    other = await come_in(visit, admitting)
    _, address = await printed(page)
    await write(page, "첫 기기에서")
    await name_of(other, "첫 기기에서")
    assert address.startswith(f"{admitting.origin}/t/{admitting.code}#e=")

    phone = await visit(admitting, "audience", secret=address.partition("#")[2], width=390, height=844)
    await phone.says("h1", phone.words("audience.brought"))
    assert await phone.evaluate("location.hash") == ""
    await phone.button("audience.brought_mine", "main")
    await same_voice(phone, other, "첫 기기에서")

    # Somebody who was sent it says no, and gets an entry of their own.
    wary = await visit(admitting, "audience", secret=address.partition("#")[2])
    await wary.button("audience.brought_not", "main")
    await take_part(wary, admitting.origin)
    await wary.sees("#text:enabled")
    await write(wary, "제 참여권으로 쓴 글")
    assert await name_of(other, "제 참여권으로 쓴 글") != await name_of(other, "첫 기기에서")

    # Whoever has one already keeps it.
    await wary.goto(f"{admitting.origin}/privacy")
    await wary.goto(address)
    await wary.button("audience.brought_mine", "main")
    await wary.says("[role=alert]", wary.words("audience.brought_there"))
    await wary.button("audience.brought_on", "main")
    await wary.sees("#text:enabled")
    await write(wary, "여전히 제 참여권으로 쓴 글")
    assert await name_of(other, "여전히 제 참여권으로 쓴 글") == await name_of(other, "제 참여권으로 쓴 글")


async def test_a_wrong_code_or_file_is_refused_in_a_sentence(admitting: House, visit: Visits, tmp_path: Path) -> None:
    another = House(admitting.http, admitting.served, "ANOTHER", admitting.origin)
    await another.create(kinds=["open"], admission=EASY)
    elsewhere = await come_in(visit, another)
    foreign_file = await kept_as_file(elsewhere)
    foreign_code, foreign_address = await printed(elsewhere)

    page = await come_in(visit, admitting, refused=True)
    text = await kept_as_file(page)
    typed, address = await printed(page)
    await lose(page, admitting)

    rows = typed.splitlines()
    slip = rows[6].replace(rows[6][2], "0" if rows[6][2] != "0" else "1", 1)
    await page.button("audience.restore_code", ".entry")
    for wrong, said in (
        ("\n".join(rows[:5]), page.words("audience.restore_rows", right=5, rows=26)),
        ("\n".join([*rows[:6], slip, *rows[7:]]), page.words("audience.restore_row", row=7)),
        ("\n".join([rows[1], rows[0], *rows[2:]]), page.words("audience.restore_row", row=1)),
    ):
        await page.fill("dialog textarea", wrong)
        await page.says("#code-said", said)
        assert await page.count("dialog button[type=submit]:disabled") == 1
    await page.fill("dialog textarea", foreign_code)
    await page.button("audience.restore_enter", "dialog")
    await page.says("#code-said", page.words("audience.entry_not"))
    await page.shut()

    saved = json.loads(text)
    flipped = saved["signature"][:-2] + ("AA" if saved["signature"][-2:] != "AA" else "BA")
    for wrong in (foreign_file, "not JSON", json.dumps({**saved, "signature": flipped}), json.dumps({"townhall": "entry"})):
        await page.evaluate("document.querySelectorAll('.toast').forEach((one) => one.remove())")
        await bring_file(page, tmp_path / "wrong.json", wrong)
        await page.says(".toast.bad", page.words("audience.entry_not"))
    for wrong in (foreign_address.partition("#")[2], f"{address.partition('#')[2][:-3]}AAA", "e=nonsense"):
        await page.goto(f"{admitting.origin}/privacy")
        await page.goto(f"{admitting.url('audience')}#{wrong}")
        await page.says("h1", page.words("audience.brought"))
        if await page.count(f"button:has-text('{page.words('audience.brought_mine')}')"):
            await page.button("audience.brought_mine", "main")
        await page.says("[role=alert]", page.words("audience.entry_not"))
    await page.button("audience.brought_on", "main")
    await page.sees("#text:disabled")


@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_the_sheet_fits_on_one_page_and_nothing_else_is_on_it(lang: Language, admitting: House, visit: Visits) -> None:
    page = await come_in(visit, admitting, lang)
    await page.button("audience.keep", ".entry")
    await page.button("audience.keep_paper", "dialog")
    await page.sees(".sheet li", times=26)
    assert await page.serious() == [] and await page.spills() == []
    await page.size(360, 740)
    assert await page.spills() == []
    assert await page.printed_pages() == 1
    await page.act(["emulateMedia", {"media": "print"}])
    seen = await page.evaluate("document.body.innerText")
    assert page.words("audience.keep_from") in seen and page.words("audience.composer") not in seen
    assert await page.count("#text:visible, header:visible, .actions:visible") == 0


KEPT = """(aged) => new Promise((done) => {
  const opening = indexedDB.open("townhall");
  opening.onsuccess = () => {
    const store = opening.result.transaction("entries", "readwrite").objectStore("entries");
    store.getAll().onsuccess = ({target: {result: [entry]}}) => {
      const told = {signedAt: entry.signedAt, shown: entry.shown ?? false, readable: entry.privateKey.extractable};
      if (!aged) return done(told);
      store.put({...entry, signedAt: entry.signedAt - aged}).onsuccess = () => done(told);
    };
  };
})"""
"""What this browser keeps; first made older by so many seconds."""


async def test_after_ten_minutes_no_script_can_read_it_out_any_more(admitting: House, visit: Visits) -> None:
    page = await come_in(visit, admitting)
    assert (await page.evaluate(KEPT, 700))["readable"]
    await page.reload()
    await page.sees("#text:enabled")
    await page.until(f"({KEPT})(0).then((kept) => !kept.readable)")
    await page.button("audience.keep", ".entry")
    await page.says("dialog [role=status]", page.words("audience.keep_late"))
    assert await page.count("dialog .actions button:disabled") == 2


async def test_the_ten_minutes_end_while_the_page_is_open_and_no_token_is_shown(admitting: House, visit: Visits) -> None:
    page = await come_in(visit, admitting)
    await page.evaluate(KEPT, 590)
    await page.reload()
    await page.sees("#text:enabled")
    assert (await page.evaluate(KEPT, 0))["readable"]
    await page.until(f"({KEPT})(0).then((kept) => !kept.readable)", wait_ms=20_000)


async def test_a_restored_entry_that_was_not_shown_is_as_new(
    http: aiohttp.ClientSession, served: Served, visit: Visits, tmp_path: Path
) -> None:
    house = House(http, served, "RESTORED", served.url)
    await house.create(kinds=["open"], opened=False)
    page = await visit(house, "audience", refused=True)
    text = await kept_as_file(page)
    await lose(page, house)
    before = await page.evaluate("Date.now() / 1000")
    await bring_file(page, tmp_path / "entry.json", text)
    await page.sees(".entry.holding")
    kept = await page.evaluate(KEPT, 0)
    assert kept["signedAt"] >= before and not kept["shown"]
