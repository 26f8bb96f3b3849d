"""A page that was not sent the last frame, though the node believes so, finds out by itself (R-13)."""

from pathlib import Path

import aiohttp
import pytest

from server.app import running
from server.settings import Settings
from tests.browser.conftest import Visits
from tests.browser.doorway import Doorway
from tests.browser.house import House
from tests.browser.people import chat
from tests.faults.served import Served
from tests.node.skips import beat, skipped, viewers
from tests.node.world import World
from tests.waiting import until


@pytest.mark.parametrize("websocket", [True, False])
async def test_the_page_shows_what_it_was_not_sent(
    http: aiohttp.ClientSession, visit: Visits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, websocket: bool
) -> None:
    monkeypatch.setattr("server.http.stream.KEEPALIVE_S", 1.0)
    async with running(Settings(port=0, data_dir=str(tmp_path / "data"), drain_s=0.5)) as node:
        served = Served(tmp_path / "data")
        served.url, served.organiser = node.url, node.links.organiser_key
        house = House(http, served, "TESTED", served.url)
        await house.create()
        doorway = Doorway(node.port)
        house.origin = await doorway.start()
        doorway.websocket = websocket
        runtime = await node.gateway.directory.get("TESTED")
        assert runtime is not None
        world = World(node, http, runtime)
        page = await visit(house, "audience", cut=True)
        await house.post("먼저 온 글")
        await page.says(".chat article", "먼저 온 글")
        with skipped(viewers(world)):
            lost = await house.post("도중에 사라진 글")
            await until(lambda: all(viewer.stands == lost for viewer in viewers(world)))
        if websocket:
            beat(world)
        await page.says(".chat article", "도중에 사라진 글")
        await house.post("그다음 글")
        await page.says(".chat article", "그다음 글")
        assert await chat(page) == ["먼저 온 글", "도중에 사라진 글", "그다음 글"]
        await page.close()
        visit.pages.clear()
        await doorway.stop()
