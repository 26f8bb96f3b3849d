"""What people do in their pages."""

from tests.browser.browser import Page


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
