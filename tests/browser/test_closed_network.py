"""Every page, with everything but its own server blocked."""

import msgspec
import pytest

from protocol.names import Language
from protocol.setup import Video
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.town import SETUP


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("role", ["join", "audience", "host", "director", "overlay", "organiser"])
async def test_a_page_asks_no_other_host_and_breaks_no_policy(role: str, lang: Language, house: House, visit: Visits) -> None:
    page = await visit(house, role, lang=lang, closed=True)
    assert await page.evaluate("document.documentElement.lang") == lang
    assert await page.evaluate("window.__reports") == []
    assert await page.problems() == []


async def test_an_embedded_video_is_asked_for_only_when_the_reader_wants_it(house: House, visit: Visits) -> None:
    video = Video(kind="iframe", url="https://video.example/embed/1")
    await house.act("organiser", "hall:configure", setup=msgspec.to_builtins(msgspec.structs.replace(SETUP, video=video)))
    page = await visit(house, "audience", closed=True)
    await page.says(".video", page.words("audience.video_warning", host="video.example"))
    assert await page.problems() == []
    await page.button("audience.watch", ".video")
    await page.sees("iframe")
    await page.until("document.querySelector('iframe').src === 'https://video.example/embed/1'")
    assert [problem for problem in await page.problems() if "video.example" not in problem] == []
