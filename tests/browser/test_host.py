"""The console: keys that do not get in the way, two hosts at once, the queue's order, taking back."""

import asyncio

from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House

KEYDOWN = "(key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, cancelable: true, ...key}))"


async def queue(page: Page) -> list[str]:
    """Texts in the queue, in order."""
    return await page.texts(".queue .item .text")


async def choose(page: Page, text: str) -> None:
    """A message of the stream, with the keys alone."""
    await page.says(".stream .item", text)
    await page.press("KeyK")
    for _ in range(50):
        if await page.count(f".stream .item[aria-current=true]:has-text('{text}')"):
            return
        await page.press("KeyK")
    raise AssertionError(f"never chosen: {text}")


async def test_keys_work_with_the_korean_input_method_on(house: House, visit: Visits) -> None:
    await house.post("한글 자판으로 고를 글")
    host = await visit(house, "host")
    await choose(host, "한글 자판으로 고를 글")
    await host.evaluate(KEYDOWN, {"code": "KeyS", "key": "ㄴ"})
    await host.sees(".queue .item:has-text('한글 자판으로 고를 글')")
    await host.evaluate(KEYDOWN, {"code": "KeyR", "key": "Process", "keyCode": 229})
    await host.sees("dialog[open]")


async def test_keys_do_nothing_while_composing_under_modifiers_in_a_field_or_switched_off(house: House, visit: Visits) -> None:
    await house.post("건드리지 말아야 할 글")
    await house.post("마지막에 고를 글")
    host = await visit(house, "host")
    await choose(host, "건드리지 말아야 할 글")
    await host.evaluate(KEYDOWN, {"code": "KeyS", "key": "ㄴ", "isComposing": True})
    for modifier in ("Control", "Alt", "Meta"):
        await host.press(f"{modifier}+KeyS", f"{modifier}+KeyH")
    await host.focus("#search")
    await host.press("KeyS", "KeyH", "Digit1")
    assert await host.evaluate("document.querySelector('#search').value") == "sh1"
    await host.fill("#search", "")
    await host.press("Escape")
    await host.focus(".toolbar .newcomers")
    await host.press("KeyS")
    await host.evaluate("document.activeElement.blur()")

    await host.click("details.menu > summary")
    await host.click(f"label:has-text('{host.words('host.keys_on')}')")
    await host.press("Escape")
    await host.evaluate("document.activeElement.blur()")
    await host.press("KeyS", "KeyH", "KeyR")
    await host.reload()
    await host.live()
    await host.sees(".stream .item", times=2)
    await host.press("KeyK", "KeyS")
    assert await host.count("[aria-current=true]") == 0
    await host.click("details.menu > summary")
    await host.click(f"label:has-text('{host.words('host.keys_on')}')")
    await host.press("Escape")
    await host.evaluate("document.activeElement.blur()")

    # One client's commands keep their order: had one of those keys done anything, it would be seen by now.
    await choose(host, "마지막에 고를 글")
    await host.press("KeyS")
    await host.sees(".queue .item:has-text('마지막에 고를 글')")
    assert await queue(host) == ["마지막에 고를 글"]
    assert await host.count(".item.held, dialog") == 0


async def test_focus_choice_and_place_stay_when_messages_arrive(house: House, visit: Visits) -> None:
    for start in range(0, 30, 10):
        await asyncio.gather(*(house.post(f"{number}번째 이야기입니다.") for number in range(start, start + 10)))
    host = await visit(house, "host")
    await host.sees(".stream .item", times=30)
    for _ in range(20):
        await host.press("KeyK")
    await host.focus(".stream .item[aria-current=true] button >> nth=0")
    await host.evaluate("window.before = document.activeElement")
    await host.until("document.querySelector('.stream .list').scrollTop > 0")
    place = await host.evaluate("document.querySelector('.stream .list').scrollTop")
    chosen = await host.text(".stream .item[aria-current=true] .text")
    for number in range(5):
        await house.post(f"새로 온 글 {number}")
    await host.says(".stream .item", "새로 온 글 4")
    await host.says("button", host.words("host.new", count=5))
    assert await host.evaluate("document.activeElement === window.before && window.before.isConnected")
    assert await host.evaluate("document.querySelector('.stream .list').scrollTop") == place
    assert await host.text(".stream .item[aria-current=true] .text") == chosen


async def test_two_hosts_see_each_others_acts_and_the_loser_is_told_who_did_it(house: House, visit: Visits) -> None:
    id = await house.post("둘이 함께 누르는 질문", asked=True)
    governor = await visit(house, "host", "host-1")
    team = await visit(house, "host", "host-2", lang="en")
    for page in (governor, team):
        await choose(page, "둘이 함께 누르는 질문")
        await page.press("KeyR")
        await page.sees("dialog[open]")
    await governor.press("1")
    await governor.lacks("dialog[open]")
    await team.says(".toast", team.words("host.did", by="도지사", what=team.words("host.acts.message_removed", message=id)))
    await team.press("1")
    await team.says(".toast.bad", "도지사")
    await team.sees(f".stream [data-id='{id}']", times=0)


async def test_the_queue_is_put_in_order_by_keys_and_by_dragging(house: House, visit: Visits) -> None:
    for text in ("하나", "둘", "셋"):
        id = await house.post(text, asked=True)
        await house.act("host:host-1", "question:pick", message=id)
    host = await visit(house, "host")
    other = await visit(house, "host", "host-2")
    await host.sees(".queue .item", times=3)
    await host.focus(".queue .item:has-text('셋')")
    await host.press("Alt+ArrowUp")
    await host.until(_order(["하나", "셋", "둘"]))
    assert await host.evaluate(
        "document.activeElement.matches('.queue .item') && document.activeElement.innerText.includes('셋')"
    )
    await host.press("Alt+ArrowUp")
    await host.until(_order(["셋", "하나", "둘"]))
    await host.act(["dragAndDrop", ".queue .item:has-text('둘') .text", ".queue .item:has-text('셋') .text"])
    for page in (host, other):
        await page.until(_order(["둘", "셋", "하나"]))


async def test_undo_takes_back_the_last_act(house: House, visit: Visits) -> None:
    await house.post("잘못 지운 글")
    host = await visit(house, "host")
    audience = await visit(house, "audience")
    await choose(host, "잘못 지운 글")
    await host.press("KeyR")
    await host.sees("dialog[open]")
    await host.press("1")
    await audience.sees(".chat article", times=0)
    await host.lacks("dialog[open]")  # it is shut by the answer, which the audience may hear of sooner
    await host.press("KeyZ")
    await audience.says(".chat article", "잘못 지운 글")
    await host.sees(".stream .item", times=1)


async def test_the_stream_is_searched_filtered_and_paused(house: House, visit: Visits) -> None:
    await house.post("통근버스 이야기")
    await house.post("구내식당 질문입니다", asked=True)
    held = await house.post("보류할 글")
    await house.act("host:host-2", "message:hold", message=held)
    host = await visit(house, "host")
    await host.sees(".stream .item", times=3)
    for key, text in (("asked", "구내식당 질문입니다"), ("held", "보류할 글")):
        await host.button(f"host.{key}", ".filters")
        await host.sees(".stream .item", times=1)
        await host.says(".stream .item", text)
    await host.button("host.all", ".filters")
    await host.press("Slash")
    await host.act(["keyboard.type", "버스"])
    await host.sees(".stream .item", times=1)
    await host.fill("#search", "")
    await host.press("Escape", "Space")
    await host.says(".bar", host.words("host.paused_list", count=0))
    await house.post("멈춘 동안 온 글")
    await host.says(".bar", host.words("host.paused_list", count=1))
    assert await host.count(".stream .item:has-text('멈춘 동안 온 글')") == 0
    await host.press("Space")
    await host.says(".stream .item", "멈춘 동안 온 글")


async def test_the_key_after_next_acts_on_what_next_took_though_no_answer_has_come(house: House, visit: Visits) -> None:
    for text in ("먼저 올릴 질문", "골라 놓은 질문"):
        id = await house.post(text, asked=True)
        await house.act("host:host-1", "question:pick", message=id)
    host = await visit(house, "host")
    await host.focus(".queue .item:has-text('골라 놓은 질문')")
    await host.evaluate(
        """() => {
          for (const code of ["KeyN", "KeyD"]) document.body.dispatchEvent(new KeyboardEvent("keydown", {code, bubbles: true}));
        }"""
    )
    await host.says("dialog .quoted", "먼저 올릴 질문")
    await host.shut()
    await host.says(".air-card .text", "먼저 올릴 질문")
    await host.press("KeyX")
    await host.says(".live", host.words("host.nothing_on_air"))
    await host.press("KeyD")
    await host.says("dialog .quoted", "골라 놓은 질문")


async def test_the_escape_that_closes_a_dialog_is_not_the_first_of_two(house: House, visit: Visits) -> None:
    id = await house.post("방송 중인 질문", asked=True)
    await house.act("host:host-1", "question:pick", message=id)
    await house.act("host:host-1", "question:air", message=id)
    host = await visit(house, "host")
    await host.says(".live", host.words("host.shown"))
    await host.press("Shift+Slash")
    await host.sees("dialog[open]")
    await host.press("Escape", "Escape")
    await host.lacks("dialog[open]")
    await host.click("details.menu > summary")
    await host.press("Escape", "Escape")
    await host.sees("details.menu:not([open])")
    # One client's commands keep their order: had they cleared anything, it would be seen by now.
    await host.button("host.ticker", ".toolbar")
    await host.sees(f".toolbar button[aria-pressed=true]:has-text('{host.words('host.ticker')}')")
    await host.says(".live", host.words("host.shown"))
    await host.press("Escape", "Escape")
    await host.says(".live", host.words("host.cleared"))


async def test_every_key_is_on_the_sheet_and_the_sheet_is_left_with_escape(house: House, visit: Visits) -> None:
    host = await visit(house, "host", lang="en")
    await host.press("Shift+Slash")
    for key in ("pick", "publish", "hold", "remove", "merge", "mute", "route", "preview", "take", "next", "undo"):
        await host.says("dialog dd", host.words(f"host.{key}"))
    await host.says("dialog dd", host.words("host.key_double_escape"))
    await host.press("Escape")
    await host.lacks("dialog[open]")


async def test_the_sheet_names_the_key_words_only_where_there_is_an_issuer(house: House, admitting: House, visit: Visits) -> None:
    for town_hall, times in ((house, 0), (admitting, 1)):
        host = await visit(town_hall, "host")
        await host.press("Shift+Slash")
        await host.sees("dialog kbd:text-is('Z')")
        await host.sees("dialog kbd:text-is('F')", times=times)


def _order(texts: list[str]) -> str:
    return (
        f"[...document.querySelectorAll('.queue .item .text')].map((one) => one.innerText.trim()).join() === '{','.join(texts)}'"
    )


async def test_newcomers_wait_at_a_choice_and_read_why_while_those_from_before_go_on(house: House, visit: Visits) -> None:
    host, old = await visit(house, "host"), await visit(house, "audience")
    await old.fill("#text", "먼저 와 있던 사람의 글")
    await old.click("button[type=submit]")
    await old.says(".chat article", "먼저 와 있던 사람의 글")
    await host.act(["locator", ".toolbar .newcomers"], ["selectOption", "0"])
    await host.until("document.querySelector('.toolbar .newcomers').value === 'on'")
    new = await visit(house, "audience", refused=True)
    await new.says(".composer .why", new.words("audience.newcomers"))
    await old.fill("#text", "계속 씁니다")
    await old.lacks(".composer .why")
    await old.click("button[type=submit]")
    await new.says(".chat article", "계속 씁니다")
    await host.act(["locator", ".toolbar .newcomers"], ["selectOption", "off"])
    await new.lacks(".composer .why")
    await new.fill("#text", "이제 씁니다")
    await new.click("button[type=submit]")
    await old.says(".chat article", "이제 씁니다")
