"""A poll from the console to the record: who may vote and sees what, and nothing of it where fewer than five have voted."""

import pytest

from protocol.names import Language
from tests.browser.browser import Page
from tests.browser.conftest import EASY, WORDY, Visits
from tests.browser.house import LONG, House
from tests.browser.people import tab_to
from tests.browser.test_accessible import SAID
from tests.browser.test_overlay import INSIDE, OBS, on_air
from tests.waiting import until

QUESTION = "다음 만남의 날은 언제가 좋겠습니까?"
CHOICES = ("월요일 오전", "수요일 점심시간", "금요일 오후")
LONG_CHOICES = tuple(f"{number}안: {LONG}"[:80] for number in range(1, 7))
KEPT = "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])"
ROOM = """() => {
  const height = (selector) => document.querySelector(selector).getBoundingClientRect().height;
  const composer = document.querySelector(".composer").getBoundingClientRect();
  return {chat: height(".chat"), poll: height(".poll"), composer: composer.top >= 0 && composer.bottom <= innerHeight};
}"""
SMALL = """() => [...document.querySelectorAll(".poll button")].map((one) => one.getBoundingClientRect())
  .filter((box) => box.height < 44 || box.width < 44).length"""


async def opened(house: House, question: str = QUESTION, choices: tuple[str, ...] = CHOICES) -> int:
    """A poll, open; its id."""
    return await house.act("host:host-1", "poll:open", question=question, choices=list(choices))


async def press(page: Page, choice: str) -> None:
    """As an employee votes."""
    await page.click(f".poll .choice:has-text('{choice}')")
    await page.sees(f".poll .choice[aria-pressed=true]:has-text('{choice}')")
    assert await page.count(".poll .choice[aria-pressed=true]") == 1


async def shows(page: Page, row: str, choice: str, votes: int, share: int, *, about: bool = False) -> None:
    """Wait until the figures of a choice are these; `about`: and are said to be rough."""
    words = page.words("common.poll_votes_about" if about else "common.poll_votes", count=votes, share=share)
    await page.says(f"{row}:has-text('{choice}')", words)


async def test_a_poll_is_opened_voted_on_changed_shown_and_closed_and_its_result_stands(house: House, visit: Visits) -> None:
    host = await visit(house, "host")
    ann, bob = await visit(house, "audience"), await visit(house, "audience", lang="en", width=360, height=740)
    picture = await visit(house, "overlay", before=OBS)
    await host.button("host.polls", ".toolbar")
    await host.fill("dialog textarea", QUESTION)
    await host.sees("dialog button[type=submit]:disabled")
    await host.fill("dialog fieldset input >> nth=0", CHOICES[0])
    await host.fill("dialog fieldset input >> nth=1", f" {CHOICES[0]} ")
    await host.says("#poll-lack", host.words("host.poll_same"))
    await host.fill("dialog fieldset input >> nth=1", CHOICES[1])
    await host.button("host.poll_more", "dialog")
    await host.fill("dialog fieldset input >> nth=2", CHOICES[2])
    await host.button("host.poll_open", "dialog")
    await host.says("dialog h3", QUESTION)
    await host.says(".bar", QUESTION)

    await press(ann, CHOICES[0])
    await press(bob, CHOICES[1])
    poll = int(await ann.evaluate("document.querySelector('.poll').dataset.poll"))
    for choice in (1, 1):
        await house.vote(poll, choice)
    for page in (ann, bob, host):
        await page.says(".poll, dialog", page.words("common.poll_few"))
        assert await page.count(".votes, .track") == 0
    # Whoever changes a vote has one still. Ten have voted: about half of them for each of two.
    await press(ann, CHOICES[2])
    for choice in (1, 2, 2, 2, 2, 1):
        await house.vote(poll, choice)
    for page, row in ((ann, ".poll .bar-row"), (bob, ".poll .bar-row"), (host, "dialog .bar-row")):
        await page.says(".poll, dialog", page.words("common.poll_so_far", count=10))
        await shows(page, row, CHOICES[0], 0, 0, about=True)
        await shows(page, row, CHOICES[1], 5, 50, about=True)
        await shows(page, row, CHOICES[2], 5, 50, about=True)

    assert await picture.count(".third") == 0
    await host.button("host.poll_on", "dialog")
    await picture.says(".third.poll .text", QUESTION)
    await shows(picture, ".third.poll li", CHOICES[1], 5, 50, about=True)
    await host.button("host.poll_close", "dialog")
    await host.says("dialog", host.words("host.poll_close_sure"))
    await host.button("common.cancel", "dialog")
    await host.says("dialog h3", QUESTION)
    await house.vote(poll, 0)
    await press(bob, CHOICES[2])
    await host.button("host.poll_close", "dialog")
    await host.button("host.poll_close", "dialog form")

    await host.says("dialog .polls-closed", host.words("common.poll_voters", count=11))
    await picture.says(".third.poll .tag", picture.words("common.poll_closed"))
    await shows(picture, ".third.poll .most", CHOICES[2], 6, 55)
    await host.button("host.poll_off", "dialog")
    await picture.sees(".third", times=0)
    for page in (ann, bob):
        await page.says(".poll", page.words("common.poll_voters", count=11))
        await page.button("common.close", ".poll")
        await page.sees(".poll", times=0)
        await page.click("#tab-questions")
        await page.click(".closed-polls summary")
        await shows(page, ".closed-polls .bar-row", CHOICES[2], 6, 55)
        assert await page.spills() == []
    late = await visit(house, "audience")
    await late.click("#tab-questions")
    await late.click(".closed-polls summary")
    await shows(late, ".closed-polls .bar-row", CHOICES[0], 1, 9)
    assert await late.count(".poll") == 0
    organiser = await visit(house, "organiser")
    await organiser.click(f".halls button:has-text('{house.code}')")
    # A click in the page brings the file; the report tells the same.
    table = await organiser.download(f"button:has-text('{organiser.words('organiser.polls_file')}')")
    assert all(choice in table for choice in CHOICES)
    report = await house.exported("report.html")
    assert QUESTION in report and report.index(CHOICES[0]) < report.index(CHOICES[2])


async def test_where_fewer_than_five_voted_nobody_is_told_how(house: House, visit: Visits) -> None:
    poll = await opened(house)
    host, page = await visit(house, "host"), await visit(house, "audience")
    picture = await visit(house, "overlay", before=OBS)
    await house.act("host:host-1", "overlay:poll", on=True)
    await host.press("KeyV")
    for _ in range(3):
        await house.vote(poll, 0)
    await press(page, CHOICES[0])
    await house.act("host:host-1", "poll:close", poll=poll)
    for one in (host, page, picture):
        await one.says(".polls-closed, .poll", one.words("common.poll_never"))
        assert await one.count(".votes, .track") == 0


async def test_my_choice_comes_back_with_a_reload_and_is_kept_in_no_browser(house: House, visit: Visits) -> None:
    await opened(house)
    page = await visit(house, "audience")
    before = await page.evaluate(KEPT)
    await press(page, CHOICES[1])
    assert await page.evaluate(KEPT) == before
    await page.reload()
    await page.sees(f".poll .choice[aria-pressed=true]:has-text('{CHOICES[1]}')")
    await press(page, CHOICES[2])
    await page.offline(True)
    await page.says("[role=status]", page.words("common.reconnecting"))
    await page.offline(False)
    await page.live()
    await page.sees(f".poll .choice[aria-pressed=true]:has-text('{CHOICES[2]}')")


async def test_whoever_waits_or_only_watches_sees_the_poll_and_why_there_is_no_vote(house: House, visit: Visits) -> None:
    few = House(house.http, house.served, "POLLFEW", house.origin)
    await few.create(kinds=["open"], admission={**EASY, "minimum_participants": 3})
    await opened(few)
    waiting = await visit(few, "audience")
    await waiting.says(".poll", QUESTION)
    await waiting.says(".poll", waiting.words("audience.poll_waiting"))
    tried = "sessionStorage.setItem(`townhall.${location.pathname.split('/')[2]}.tried`, '1')"
    watching = await visit(few, "audience", lang="en", before=tried)
    await watching.says(".poll", watching.words("audience.poll_outside"))
    for page in (waiting, watching):
        assert await page.count(".poll .choice:disabled") == len(CHOICES)
        assert await page.serious() == []
    others = [await visit(few, "audience") for _ in range(2)]
    for page in (waiting, *others):
        await page.sees(".poll .choice:enabled")
    await press(waiting, CHOICES[0])


async def test_a_host_opens_and_closes_a_poll_with_the_keyboard_alone(house: House, visit: Visits) -> None:
    host = await visit(house, "host", lang="en")
    await host.press("KeyV")
    await host.until("document.activeElement.matches('dialog textarea')")
    await host.act(["keyboard.type", "Which day?"])
    for choice in ("Monday", "Friday"):
        await host.press("Tab")
        await host.act(["keyboard.type", choice])
    # A key too many closes the dialog; what was written is still there.
    await host.press("Escape")
    await host.lacks("dialog[open]")
    await host.press("KeyV")
    await host.until("document.querySelector('dialog textarea').value === 'Which day?'")
    await tab_to(host, "dialog fieldset > button")
    await host.press("Enter")
    await host.until("document.activeElement.matches('dialog fieldset .row:nth-of-type(3) input')")
    await host.act(["keyboard.type", "Sunday"])
    await tab_to(host, "dialog fieldset .row:nth-of-type(3) button")
    await host.press("Enter")
    await host.until("document.activeElement.matches('dialog fieldset .row:nth-of-type(2) input')")
    await host.press("Enter")
    await host.until("document.activeElement.matches('#poll-running')")
    assert await host.texts("dialog .bar-row") == ["Monday", "Friday"]
    assert await host.serious() == []
    await tab_to(host, "dialog .poll-card button.bad")
    await host.press("Enter")
    await host.says("dialog", host.words("host.poll_close_sure"))
    await tab_to(host, "dialog form button.bad")
    await host.press("Enter")
    await host.says("dialog .polls-closed", host.words("common.poll_never"))


async def test_opening_and_closing_are_read_out_once_and_no_figure_is(house: House, visit: Visits) -> None:
    page = await visit(house, "audience")
    await page.evaluate(SAID)
    poll = await opened(house)
    opening = page.words("audience.poll_opened", question=QUESTION)
    await page.until("(words) => window.said.includes(words)", opening)
    for choice in (0, 1) * 5:
        await house.vote(poll, choice)
    await shows(page, ".poll .bar-row", CHOICES[0], 5, 50, about=True)
    await house.act("host:host-1", "poll:close", poll=poll)
    closing = page.words("audience.poll_ended", question=QUESTION)
    await page.until("(words) => window.said.includes(words)", closing)
    said = await page.evaluate("window.said.filter((words) => words)")
    assert said == [opening, closing]


@pytest.mark.parametrize("height", [740, 640])
@pytest.mark.parametrize("lang", ["ko", "en"])
async def test_on_a_phone_the_longest_poll_leaves_the_chat_and_the_composer_their_place(
    lang: Language, height: int, house: House, visit: Visits
) -> None:
    await on_air(house, LONG[:300])
    await opened(house, LONG[:300], LONG_CHOICES)
    await house.post("투표하는 동안에도 보이는 글")
    page = await visit(house, "audience", lang=lang, width=360, height=height, hasTouch=True, isMobile=True)

    async def roomy() -> bool:
        room = await page.evaluate(ROOM)
        return bool(room["composer"] and room["chat"] >= 100 and room["poll"] >= 120)

    await page.sees(".poll .choice", times=6)
    # Once it has come in: while it asks, a line about that stands over the composer.
    await page.sees("#text:enabled")
    await until(roomy)
    room = await page.evaluate(ROOM)
    assert await page.evaluate(SMALL) == 0
    assert await page.spills() == []
    await page.click(f".poll .choice:has-text('{LONG_CHOICES[5][:3]}')")
    await page.button("audience.poll_fold", ".poll")
    await page.says(".poll.folded", page.words("audience.poll_voted"))
    folded = await page.evaluate(ROOM)
    assert folded["poll"] < 64 and folded["chat"] > room["chat"], folded
    assert await page.spills() == []


async def test_the_poll_the_key_and_the_longest_question_never_collide_in_the_picture(house: House, visit: Visits) -> None:
    wordy = House(house.http, house.served, "POLLPICT", house.origin)
    await wordy.create(WORDY, kinds=["open"], admission=EASY)
    await opened(wordy, LONG[:300], LONG_CHOICES)
    person = await visit(wordy, "audience")
    await person.sees("#text:enabled")
    pictures = {
        query: await visit(wordy, "overlay", lang="en", before=OBS, width=1920, height=1080, query=f"ticker=1&motion=0&{query}")
        for query in ("", "poll=1", "poll=0", "aligntop&alignright")
    }
    await wordy.act("host:host-1", "overlay:ticker", on=True)
    await wordy.act("host:host-1", "overlay:poll", on=True)
    ticket = await person.evaluate("sessionStorage.getItem(`townhall.${location.pathname.split('/')[2]}.ticket`)")
    await wordy.post("자막으로 흐르는 글", ticket=ticket)
    for query in ("", "poll=1", "aligntop&alignright"):
        await pictures[query].sees(".third.poll li", times=6)
        await pictures[query].sees(".ticker", times=0)
    await pictures["poll=0"].says(".ticker", "자막으로 흐르는 글")
    await on_air(wordy, LONG[:300], ticket)
    await wordy.act("host:host-1", "overlay:key", on=True)
    for query, times in (("", 2), ("poll=1", 1), ("poll=0", 2), ("aligntop&alignright", 2)):
        picture = pictures[query]
        await picture.sees(".third.poll" if query == "poll=1" else ".third.key")
        await picture.sees(".third", times=times)
        assert await picture.count(".third.poll") == (query == "poll=1")
    await wordy.act("host:host-1", "overlay:key", on=False)
    for query in ("", "aligntop&alignright"):
        await pictures[query].sees(".third.poll.tight li", times=6)
    for picture in pictures.values():
        assert await picture.evaluate(INSIDE)
        assert await picture.spills() == []
    host = await visit(wordy, "host")
    await host.press("Escape", "Escape")
    for picture in pictures.values():
        await picture.sees(".third", times=0)
