"""Nothing sticks out, is cut off or scrolls sideways: on a phone, a tablet and a desk, full and empty, in both languages."""

import pytest

from protocol.names import Language
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.browser.states import STATES

SIZES = ((360, 740), (768, 1024), (1440, 900))


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("state", STATES)
async def test_everything_stays_inside_its_box(
    state: str, lang: Language, lived_in: House, deserted: House, visit: Visits
) -> None:
    for house in (lived_in, deserted):
        page = await STATES[state](visit, house, lang)
        for width, height in SIZES:
            await page.size(width, height)
            assert await page.spills() == [], (house.code, width)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("state", STATES)
async def test_names_as_long_as_they_may_be_stay_inside_their_boxes(
    state: str, lang: Language, wordy: House, visit: Visits
) -> None:
    page = await STATES[state](visit, wordy, lang)
    for width, height in SIZES:
        await page.size(width, height)
        assert await page.spills() == [], width


async def test_text_at_twice_its_size_stays_inside_its_box(lived_in: House, visit: Visits) -> None:
    for role in ("audience", "host", "director"):
        page = await visit(lived_in, role, width=640, height=800)
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert await page.spills() == [], role
