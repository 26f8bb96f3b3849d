"""Every page, with everything but its own server blocked."""

import pytest

from protocol.names import Language
from tests.browser.conftest import Visits
from tests.browser.house import House


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("role", ["join", "audience", "host", "director", "overlay", "organiser"])
async def test_a_page_asks_no_other_host_and_breaks_no_policy(role: str, lang: Language, house: House, visit: Visits) -> None:
    page = await visit(house, role, lang=lang, closed=True)
    assert await page.evaluate("document.documentElement.lang") == lang
    assert await page.evaluate("window.__reports") == []
    assert await page.problems() == []
