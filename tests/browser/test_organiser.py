"""From nothing to an open town hall and its record, in the organiser's page; and coming in by its code."""

from pathlib import Path

from tests.browser.conftest import Visits
from tests.browser.house import House

CSV = "\ufeff부서명,담당자,직위,업무\r\n기획조정실,한도윤,실장,예산 조직\r\n건설교통국,편수호,국장,버스 도로\r\n"


async def test_a_town_hall_is_made_opened_and_closed(house: House, visit: Visits, tmp_path: Path) -> None:
    page = await visit(house, "organiser", agree=True)
    await page.button("organiser.new", "main")
    await page.fill(".setup-form input >> nth=0", "구월 직원 만남의 날")
    await page.fill(".setup-form input[pattern]", "MADE01")
    directors = tmp_path / "directors.csv"
    directors.write_text(CSV, "utf-8")
    await page.act(["locator", "#csv"], ["setInputFiles", str(directors)])
    await page.says(".toast", page.words("organiser.csv_read", departments=2, directors=2))
    await page.fill(".setup-form input[max='168']", "30")
    await page.button("organiser.create", ".setup-form")
    await page.says("main", "구월 직원 만남의 날")
    await page.says(".links", "편수호")
    await page.button("organiser.open_hall", "main")
    await page.says("main .chip", page.words("organiser.open"))
    await page.says("main", page.words("organiser.ends_at", time="").strip().split()[-1])

    await page.button("organiser.qr", ".links li:has-text('편수호')")
    await page.until("document.querySelector('dialog[open] img.qr')?.naturalWidth > 0")
    await page.press("Escape")
    await page.lacks("dialog[open]")
    made = House(house.http, house.served, "MADE01", house.origin)
    await made.post("검토를 기다리는 글")
    await page.until("[...document.querySelectorAll('.figures dd')].some((one) => one.innerText === '1')")
    await page.button("organiser.close_hall", "main")
    await page.says("main .chip", page.words("organiser.closed"))
    got = await page.download(f"main button:has-text('{page.words('organiser.jsonl')}')")
    assert "구월 직원 만남의 날" in got and "검토를 기다리는 글" not in got


async def test_what_is_wrong_is_said_beside_its_field(house: House, visit: Visits, tmp_path: Path) -> None:
    page = await visit(house, "organiser", lang="en", refused=True)
    await page.button("organiser.new", "main")
    await page.fill(".setup-form input >> nth=0", "Another one")
    await page.fill(".setup-form input[pattern]", house.code)
    await page.button("organiser.create", ".setup-form")
    await page.sees("label:has(input[pattern]) .wrong")
    assert await page.evaluate("document.querySelector('input[pattern]').getAttribute('aria-invalid')") == "true"
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("a,b\r\n1,2\r\n", "utf-8")
    await page.act(["locator", "#csv"], ["setInputFiles", str(nothing)])
    await page.sees("fieldset .wrong")


async def test_what_an_open_code_proves_is_said_beside_the_card(house: House, visit: Visits) -> None:
    page = await visit(house, "organiser", lang="en")
    await page.button("organiser.new", "main")
    await page.fill(".setup-form textarea", '{"url": "https://admit.example.org", "kinds": ["invitation"]}')
    await page.lacks(f"label:has-text('{page.words('organiser.card_open')[:40]}')")
    await page.fill(".setup-form textarea", '{"url": "https://admit.example.org", "kinds": ["invitation", "open"]}')
    await page.says(".setup-form", page.words("organiser.card_open"))


async def test_without_the_key_the_page_says_so(house: House, visit: Visits) -> None:
    page = await visit(house, "organiser", secret="wrong", refused=True)
    await page.says("[role=alert]", page.words("organiser.no_key"))


async def test_coming_in_by_a_code(house: House, visit: Visits) -> None:
    page = await visit(house, "join", refused=True)
    await page.fill("#code", "nowhere1")
    await page.focus("#code")
    await page.press("Enter")
    await page.until("document.querySelector('#wrong').innerText.trim() !== ''")
    assert await page.evaluate("document.querySelector('#code').getAttribute('aria-invalid')") == "true"
    await page.fill("#code", house.code.lower())
    await page.focus("#code")
    await page.press("Enter")
    await page.sees(".chat")
    await page.live()


async def test_a_link_that_was_renewed_says_so_and_lets_nobody_in(house: House, visit: Visits) -> None:
    host = await visit(house, "host", cut=True, refused=True)
    await house.act("organiser", "links:renew", role="host")
    await host.sees(".bar.ended")
    await host.reload()
    await host.sees(".bar.ended")
    assert await host.count(".stream .item") == 0


async def test_a_changed_setup_is_seen_everywhere_at_once(house: House, visit: Visits) -> None:
    audience = await visit(house, "audience")
    page = await visit(house, "organiser")
    await page.click(f".halls button:has-text('{house.code}')")
    await page.click("details.setup > summary")
    await page.fill(".setup-form input >> nth=0", "이름을 바꾼 타운홀")
    await page.button("organiser.save", ".setup-form")
    await page.says(".toast", page.words("organiser.saved"))
    await audience.says("h1", "이름을 바꾼 타운홀")
