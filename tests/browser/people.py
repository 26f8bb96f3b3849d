"""What people do in their pages."""

from tests.browser.browser import Page


async def take_part(page: Page, chat: str) -> None:
    """At the issuer's page press the button, where the page was sent there; then be back. `chat`: its origin."""
    await page.until("document.querySelector('.entrance button.primary, #composer') !== null")
    if await page.count(".entrance button.primary"):
        await page.button("admit.open", "main")
        await page.until("(chat) => location.origin === chat && document.querySelector('#composer') !== null", chat)


async def write(page: Page, text: str, *, asked: bool = False) -> None:
    """As an employee does."""
    if asked:
        await page.click(f"label:has-text('{page.words('audience.ask')}')")
    await page.fill("#text", text)
    await page.focus("#text")
    await page.press("Enter")


async def chat(page: Page) -> list[str]:
    """All that stands in the chat, in its order."""
    return await page.texts(".chat article .text")


async def tab_to(page: Page, selector: str, *, back: bool = False) -> None:
    """Press Tab until what matches has the focus."""
    for _ in range(60):
        await page.press("Shift+Tab" if back else "Tab")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{page.name}: Tab never comes to {selector}")
