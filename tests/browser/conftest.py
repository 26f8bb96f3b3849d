"""One browser and one server for all of these tests; a town hall of its own for each."""

import itertools
import re
from collections.abc import AsyncIterator, Generator
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from protocol.limits import limit
from protocol.names import Language
from protocol.setup import Department, Director, Host, Setup
from tests.browser.browser import Driver, Page, chromium
from tests.browser.house import House, live_in
from tests.browser.people import take_part
from tests.faults.served import Served
from tests.town import SETUP

FAILED = pytest.StashKey[bool]()
CUT = (r"net::ERR_", r"WebSocket connection to .* failed", r"WebSocket is closed before")
"""What a browser says by itself when the network or the server is away."""
REFUSED = (r"the server responded with a status of 4\d\d",)
"""And when the server says no."""
_LONG = "Directorate-General for Self-Governance, Administrative Affairs & Staff Services"
_LONG_KO = ("자치안전행정국 디지털정부혁신담당관실 공공데이터정책과 데이터기반행정 활성화 추진 " * 2)[:80]
assert len(_LONG) == len(_LONG_KO) == limit("name_graphemes")
WORDY = Setup(
    title=f"{_LONG_KO[:79]}!",
    mode="open",
    departments=tuple(Department(id=id, name_ko=_LONG_KO, name_en=_LONG) for id in ("planning", "transport")),
    directors=tuple(
        Director(id=id, department=department, name=_LONG_KO, name_en=_LONG, title=_LONG_KO, title_en=_LONG)
        for id, department in (("d1", "planning"), ("d2", "transport"))
    ),
    hosts=(Host(id="host-1", name=_LONG),),
)
EASY = {"minimum_participants": 1, "round_s": 0, "round_people": 1}
"""People are let in as they come."""
_codes = (f"HALL{number}" for number in itertools.count(1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All on one event loop: the browser and the server live on it."""
    for item in items:
        if (
            item.path.is_relative_to(Path(__file__).parent)
            and isinstance(item, pytest.Function)
            and iscoroutinefunction(item.obj)
        ):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures whether the test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def driver() -> AsyncIterator[Driver]:
    """The browser."""
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """For what is not done in a browser."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield session


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """The server that is never stopped."""
    found = Served(tmp_path_factory.mktemp("browser") / "data", issuer=True)
    await found.start()
    yield found
    await found.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def mortal(tmp_path: Path) -> AsyncIterator[Served]:
    """A server of this test's own, to be killed."""
    found = Served(tmp_path / "data")
    await found.start()
    yield found
    await found.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def house(http: aiohttp.ClientSession, served: Served) -> House:
    """An open town hall in which messages appear at once."""
    found = House(http, served, next(_codes), served.url)
    await found.create()
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def admitting(http: aiohttp.ClientSession, served: Served) -> House:
    """The same with an issuer, at which every browser gets one entry; people are let in as they come."""
    found = House(http, served, next(_codes), served.url)
    await found.create(kinds=["open"], admission=EASY)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lived_in(http: aiohttp.ClientSession, served: Served) -> House:
    """A town hall in which much has happened. Tests look at it and change nothing."""
    found = House(http, served, "LIVEDIN", served.url)
    await found.create()
    await live_in(found)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def wordy(http: aiohttp.ClientSession, served: Served) -> House:
    """As much has happened in it, and every name is as long as one may be. Tests look at it and change nothing."""
    found = House(http, served, "WORDY", served.url)
    await found.create(WORDY)
    await live_in(found)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deserted(http: aiohttp.ClientSession, served: Served) -> House:
    """A town hall in which nothing has happened. Tests look at it and change nothing."""
    found = House(http, served, "EMPTY", served.url)
    await found.create(Setup(title="빈 타운홀", hosts=SETUP.hosts, departments=SETUP.departments, directors=SETUP.directors))
    return found


class Visits:
    """Opens pages; at the end none of them may have had a problem that was not announced."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.pages: list[tuple[Page, list[str]]] = []

    async def __call__(
        self,
        house: House,
        role: str,
        id: str = "",
        *,
        lang: Language = "ko",
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        query: str = "",
        agree: bool = False,
        closed: bool = False,
        cut: bool = False,
        refused: bool = False,
        secret: str = "",
        before: str = "",
        storage: dict[str, str] | None = None,
        **options: Any,
    ) -> Page:
        """A page of `role` that is connected; where there is an issuer, of somebody who takes part. `agree`: to questions of
        the browser. `cut`: it will lose its connection. `refused`: the server will say no to it. `secret`: in place of the
        link's. `closed`: everything but the server is blocked. `before`: a script that runs first."""
        page = Page(self._driver, role, lang)
        over_there = (f"^foreign: {re.escape(house.issuer)}/",) if house.issuer else ()
        self.pages.append((page, [*over_there, *(CUT if cut else ()), *(REFUSED if refused else ())]))
        chosen = {
            "viewport": {"width": width, "height": height},
            "locale": {"ko": "ko-KR", "en": "en-GB"}[lang],
            "colorScheme": "dark" if dark else "light",
            "reducedMotion": "reduce",
            **options,
        }
        await page.open(house.origin, closed=closed, agree=agree, before=before, storage=storage or {}, options=chosen)
        path, _, given = house.url(role, id).partition("#")
        secret = secret or given
        await page.goto(f"{path}?{query}#{secret}" if query else f"{path}#{secret}")
        if house.issuer and role == "audience" and not secret.startswith("e="):
            await take_part(page, house.origin)
        await page.live()
        return page

    async def leave(self) -> None:
        """All go away, before a server does that they would ask again."""
        for page, _ in self.pages:
            await page.goto("about:blank")


@pytest_asyncio.fixture(loop_scope="session")
async def visit(driver: Driver, request: pytest.FixtureRequest) -> AsyncIterator[Visits]:
    """Pages of this test. Pictures of them are kept where it fails."""
    found = Visits(driver)
    yield found
    failed = request.node.stash.get(FAILED, True)
    problems = []
    for number, (page, allowed) in enumerate(found.pages):
        its = [problem for problem in await page.problems() if not any(re.search(one, problem) for one in allowed)]
        if failed or its:
            await page.picture(f"{re.sub(r'[^A-Za-z0-9_-]+', '-', request.node.name)}-{number}-{page.name}")
        problems += [f"{page.name}: {problem}" for problem in its]
        await page.close()
    assert not problems
