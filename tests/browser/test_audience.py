"""What an employee sees: the stream, their own messages, and what the host does to the chat."""

import asyncio

from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.people import write

AT_END = "() => { const box = document.querySelector('.chat'); return box.scrollHeight - box.scrollTop - box.clientHeight < 2 }"


async def fill(house: House, count: int) -> None:
    """The chat with so many messages."""
    for start in range(0, count, 10):
        await asyncio.gather(*(house.post(f"{number}번째 이야기입니다.") for number in range(start, min(count, start + 10))))


async def test_the_chat_stays_at_its_end_unless_scrolled_up_and_then_counts_what_is_new(house: House, visit: Visits) -> None:
    await fill(house, 40)
    page = await visit(house, "audience")
    await page.sees(".chat article", times=40)
    await page.until(AT_END)
    await house.post("끝에 붙어 있습니다")
    await page.says(".chat article", "끝에 붙어 있습니다")
    await page.until(AT_END)

    await page.evaluate("document.querySelector('.chat').scrollTop = 100")
    await page.until(f"() => !({AT_END})()")
    # The page hears of a scroll with the next frame.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
    await house.post("위를 읽는 동안 하나")
    await house.post("위를 읽는 동안 둘")
    await page.says("button", page.words("audience.new", count=2))
    assert await page.evaluate("document.querySelector('.chat').scrollTop") == 100
    await page.click(f"button:has-text('{page.words('audience.new', count=2)}')")
    await page.until(AT_END)
    await page.lacks(f"button:has-text('{page.words('audience.new', count=2)}')")


async def test_a_held_message_is_seen_by_its_author_alone_until_it_is_published(house: House, visit: Visits) -> None:
    await house.act("host:host-1", "chat:mode", mode="reviewed")
    author = await visit(house, "audience")
    other = await visit(house, "audience")
    host = await visit(house, "host")
    await write(author, "검토를 기다리는 글")
    await author.says("article[data-state=held]", author.words("audience.held"))
    await host.says(".stream .item", "검토를 기다리는 글")
    newcomer = await visit(house, "audience")
    for page in (other, newcomer):
        assert "검토를 기다리는 글" not in str(await page.act(["content"]))
    await host.press("KeyK", "KeyA")
    for page in (author, other, newcomer):
        await page.says(".chat article", "검토를 기다리는 글")
        await page.sees(".chat article", times=1)
    await author.says(".chat article.mine .chip", author.words("audience.mine"))
    assert await other.count(".chat article.mine") == 0


async def test_the_author_of_a_removed_message_is_told_the_reason(house: House, visit: Visits) -> None:
    await house.act("host:host-1", "chat:mode", mode="reviewed")
    author = await visit(house, "audience")
    host = await visit(house, "host")
    await write(author, "특정인을 부르는 글")
    await host.says(".stream .item", "특정인을 부르는 글")
    await host.press("KeyK", "KeyR")
    await host.sees("dialog")
    await host.press("3")
    await host.lacks("dialog")
    await author.says("article[data-state=removed]", author.words("common.removal.named_person"))
    await author.says(".counts", "삭제 1")


async def test_a_muted_author_is_told_why_and_may_try_again_when_it_is_over(house: House, visit: Visits) -> None:
    author = await visit(house, "audience")
    host = await visit(house, "host")
    await write(author, "첫 글")
    await host.says(".stream .item", "첫 글")
    await host.press("KeyK", "KeyU")
    await host.click(f"dialog label:has-text('{host.words('common.mute.personal_data')}')")
    await host.button("host.mute", "dialog")
    await host.lacks("dialog")
    await write(author, "막힌 뒤에 쓴 글")
    await author.says("article[data-state=failed]", author.words("common.mute.personal_data"))
    await host.act(["locator", "details.menu > summary"], ["click"])
    await host.click(f"button:has-text('{host.words('host.muted')}')")
    await host.button("host.unmute", "dialog")
    await host.says("dialog", host.words("host.nobody_muted"))
    await author.button("common.retry", "article[data-state=failed]")
    await author.sees(".chat article.mine:not(.own)", times=2)
    await author.sees("article[data-state]", times=0)


async def test_pause_slow_mode_and_the_end_are_shown_and_hold_the_composer(house: House, visit: Visits) -> None:
    page = await visit(house, "audience", lang="en")
    await house.act("host:host-1", "chat:pause")
    await page.says(".composer .why", page.words("audience.paused"))
    await page.fill("#text", "still writing")
    await page.sees("button[type=submit][disabled]")
    await house.act("host:host-1", "chat:resume")
    await page.lacks(".composer .why")
    await page.sees("button[type=submit]:not([disabled])")

    await page.fill("#text", "")
    await house.act("host:host-1", "chat:slow", seconds=60)
    await page.says("#hint", page.words("audience.slow", seconds=60))
    await write(page, "one")
    await page.says(".chat article.mine:not(.own)", "one")
    await page.fill("#text", "two, too soon")
    await page.sees("button[type=submit][disabled]")
    assert "Send in" in str(await page.evaluate("document.querySelector('button[type=submit]').getAttribute('aria-label')"))

    await house.act("organiser", "hall:close")
    await page.says(".composer .why", page.words("audience.closed"))
    await page.sees("#text[disabled]")


async def test_support_is_one_voice_each_and_orders_the_questions(house: House, visit: Visits) -> None:
    first = await house.post("첫째 질문입니다", asked=True)
    await house.post("둘째 질문입니다", asked=True)
    ann, bob = await visit(house, "audience"), await visit(house, "audience")
    for page in (ann, bob):
        await page.click("#tab-questions")
        assert (await page.texts(".questions .text"))[0] == "둘째 질문입니다"
        await page.click(".questions li:has-text('첫째') button.support")
    for page in (ann, bob):
        await page.says(".questions li:has-text('첫째') button.support", "2")
    await ann.button("audience.most", ".questions")
    assert (await ann.texts(".questions .text"))[0] == "첫째 질문입니다"
    await ann.click(".questions li:has-text('첫째') button.support")
    await bob.says(".questions li:has-text('첫째') button.support", "1")
    await house.act("host:host-1", "question:decline", message=first, reason="under_law", note="별도로 안내하겠습니다.")
    await bob.says(".questions li:has-text('첫째')", bob.words("common.decline.under_law"))
    await bob.says(".questions li:has-text('첫째')", "별도로 안내하겠습니다.")


async def test_an_own_message_can_be_withdrawn_and_is_gone_for_everybody(house: House, visit: Visits) -> None:
    author = await visit(house, "audience", agree=True)
    other = await visit(house, "audience")
    await write(author, "다시 생각해 보니 아닙니다")
    await other.says(".chat article", "다시 생각해 보니 아닙니다")
    assert await other.count(f"button:has-text('{other.words('audience.withdraw')}')") == 0
    await author.button("audience.withdraw", ".chat article.mine")
    for page in (author, other):
        await page.sees(".chat article", times=0)


async def test_too_long_a_text_is_counted_in_letters_and_not_sent(house: House, visit: Visits) -> None:
    page = await visit(house, "audience")
    await page.fill("#text", "👨‍👩‍👧‍👦" * 300)
    await page.says("#counter", page.words("audience.left", count=0))
    await page.sees("button[type=submit]:not([disabled])")
    await page.fill("#text", "가" * 303)
    await page.says("#counter", page.words("audience.over", count=3))
    await page.sees("button[type=submit][disabled]")
    await page.focus("#text")
    await page.press("Enter")
    assert await _draft(page) == "가" * 303


async def test_enter_sends_only_what_the_input_method_has_finished(house: House, visit: Visits) -> None:
    page = await visit(house, "audience")
    await page.focus("#text")
    await page.cdp("Input.imeSetComposition", text="안녕", selectionStart=2, selectionEnd=2)
    await page.cdp("Input.dispatchKeyEvent", type="rawKeyDown", code="Enter", key="Enter", windowsVirtualKeyCode=229)
    assert await _draft(page) == "안녕"
    await page.cdp("Input.insertText", text="안녕하세요")
    await page.press("Enter")
    await page.says(".chat article.mine:not(.own)", "안녕하세요")
    await page.sees(".chat article", times=1)


async def test_what_was_written_survives_a_reload(house: House, visit: Visits) -> None:
    page = await visit(house, "audience")
    await write(page, "남아 있을 글")
    await page.says(".chat article.mine:not(.own)", "남아 있을 글")
    await page.fill("#text", "쓰다 만 글")
    await page.until("Object.values(sessionStorage).includes('쓰다 만 글')")
    await page.reload()
    await page.live()
    await page.says(".chat article.mine", "남아 있을 글")
    assert await _draft(page) == "쓰다 만 글"


async def _draft(page: Page) -> str:
    return str(await page.evaluate("document.querySelector('#text').value"))
