"""What stood beside the signing by its time is given up before a token is shown: seen by what passes on every connection."""

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from tests.browser.browser import Page
from tests.browser.conftest import Visits
from tests.browser.house import House
from tests.faults.served import Served

ROUND_S = 24
QUIET_S = ROUND_S / 3
ROTATE_S = ROUND_S / 6
LATE_S = 2.0
"""What this machine may be late by."""
CLOSING_S = 2.0
"""For so long Chromium waits until the other end closes, before it does."""
_codes = (f"ROTATE{number}" for number in itertools.count(1))


@dataclass(slots=True)
class Seen:
    """A TCP connection: when it was opened and closed, and the requests on it with their heads."""

    number: int
    opened: float
    closed: float = 0.0
    heads: list[tuple[float, str]] = field(default_factory=list)

    def asked(self, what: str) -> list[float]:
        """When it asked for what this matches."""
        return [at for at, head in self.heads if re.match(what, head)]

    @property
    def paths(self) -> set[str]:
        """Last parts of what was asked for on it."""
        return {head.split(" ")[1].rpartition("/")[2] for _, head in self.heads}

    @property
    def is_socket(self) -> bool:
        return bool(self.asked(r"GET /socket\.io/"))


class Recorder:
    """A TCP proxy before the chat that writes down what an operator sees who notes everything but addresses."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seen: list[Seen] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://localhost:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        one = Seen(len(self.seen), time.time())
        self.seen.append(one)
        inner, outer = await asyncio.open_connection("127.0.0.1", self._port)
        ways = [asyncio.create_task(self._up(reader, outer, one)), asyncio.create_task(_pump(inner, writer))]
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        one.closed = time.time()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        outer.transport.abort()
        writer.transport.abort()
        self._tasks.discard(task)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, one: Seen) -> None:
        while data := await reader.read(65_536):
            for head in re.findall(rb"(?:GET|POST) /[^\r\n]* HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*\r\n", data):
                one.heads.append((time.time(), head.decode("latin-1")))
            writer.write(data)
            await writer.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


async def arrived(page: Page) -> None:
    """The token was shown; letting people in is another matter, at a full minute."""
    await page.sees(".entry.arrived", wait_ms=(ROUND_S + 10) * 1_000)


@contextlib.asynccontextmanager
async def recorded(http: aiohttp.ClientSession, served: Served, round_s: int = ROUND_S) -> AsyncIterator[tuple[House, Recorder]]:
    """A town hall in draft with one round, behind the recorder."""
    recorder = Recorder(int(served.url.rpartition(":")[2]))
    async with recorder.running() as origin:
        house = House(http, served, next(_codes), origin)
        await house.create(
            kinds=["open"], admission={"minimum_participants": 1, "round_s": round_s, "round_people": 1}, opened=False
        )
        yield house, recorder


def only(found: list[Seen]) -> Seen:
    assert len(found) == 1, found
    return found[0]


async def test_the_watching_connection_is_given_up_and_the_token_shown_on_one_of_its_own(
    http: aiohttp.ClientSession, served: Served, visit: Visits
) -> None:
    async with recorded(http, served) as (house, recorder):
        page = await visit(house, "audience")
        await page.says(".entry.holding", page.words("audience.entry_ready"))
        before = only([one for one in recorder.seen if one.is_socket and not one.closed])
        await asyncio.sleep(1.5)
        began = time.time()
        await house.act("organiser", "hall:open")
        await page.evaluate(
            "window.banners = 0; new MutationObserver(() => window.banners += document.querySelectorAll('.bar').length)"
            ".observe(document.body, {childList: true, subtree: true})"
        )
        await arrived(page)

        assert began <= before.closed <= began + CLOSING_S + LATE_S, "it stayed when the round began"
        shown = only([one for one in recorder.seen if one.asked(r"POST \S+/redeem ")])
        moment = shown.asked(r"POST \S+/redeem ")[0]
        assert began - 1 + QUIET_S <= moment <= began + ROUND_S + LATE_S
        # Others open at random moments, as nobody, the last one in the second half of the round. It stays
        # until the token was shown, and the participant's replaces it.
        sockets = [one for one in recorder.seen if one.is_socket and one.opened > began]
        halved = moment > began + ROUND_S / 2
        assert len(sockets) == (3 if halved else 2)
        assert sockets[0].opened <= began + ROTATE_S + LATE_S
        if halved:
            assert began + ROUND_S / 2 - 1 <= sockets[0].closed <= sockets[1].opened + CLOSING_S
            assert moment >= began + ROUND_S / 2 + QUIET_S - 1
        await asyncio.sleep(CLOSING_S + LATE_S)
        assert moment - 0.1 <= sockets[-2].closed and moment <= sockets[-1].opened
        # The token was shown on a connection that no page, card or view has used, and no cookie went with anything.
        assert shown.paths == {"nonce", "redeem"} and shown.opened > began
        assert not any("\r\ncookie:" in head.lower() for one in recorder.seen for _, head in one.heads)
        assert not any(one.asked(r"POST \S+/join ") for one in recorder.seen), "a ticket to watch was asked for"
        assert await page.evaluate("window.banners") <= 1, "what is on the screen did not stay"


async def test_a_token_that_is_shown_as_the_page_loads_has_a_connection_of_its_own(
    http: aiohttp.ClientSession, served: Served, visit: Visits
) -> None:
    async with recorded(http, served, 0) as (house, recorder):
        await house.act("organiser", "hall:open")
        page = await visit(house, "audience")
        await page.sees("#text:enabled")
        await page.reload()
        await page.sees("#text:enabled")
        found = [one for one in recorder.seen if one.asked(r"POST \S+/redeem ")]
        assert found and all(one.paths == {"nonce", "redeem"} for one in found), found


async def test_whoever_lost_the_connection_at_the_beginning_comes_in_with_the_second_half(
    http: aiohttp.ClientSession, served: Served, visit: Visits
) -> None:
    async with recorded(http, served) as (house, recorder):
        page = await visit(house, "audience", cut=True)
        await page.says(".entry.holding", page.words("audience.entry_ready"))
        await page.offline(True)
        await asyncio.sleep(1.5)
        began = time.time()
        await house.act("organiser", "hall:open")
        await asyncio.sleep(1.5)
        await page.offline(False)
        await arrived(page)
        half = began + ROUND_S / 2
        moment = only([one for one in recorder.seen if one.asked(r"POST \S+/redeem ")]).asked(r"POST \S+/redeem ")[0]
        assert moment >= half + QUIET_S - 1
        came_back, again, _ = [one for one in recorder.seen if one.is_socket and one.opened > began + 1]
        assert half - 1 <= came_back.closed <= again.opened + CLOSING_S


async def test_whoever_has_no_connection_in_the_middle_either_waits_for_the_next_round(
    http: aiohttp.ClientSession, served: Served, visit: Visits
) -> None:
    async with recorded(http, served) as (house, recorder):
        page = await visit(house, "audience", cut=True)
        await page.says(".entry.holding", page.words("audience.entry_ready"))
        await page.offline(True)
        await asyncio.sleep(1.5)
        await house.act("organiser", "hall:open")
        await asyncio.sleep(ROUND_S / 2 + 1.5)
        await page.offline(False)
        await page.says(".entry.holding", page.words("audience.entry_missed"))
        await asyncio.sleep(ROUND_S / 2)
        assert not any(one.asked(r"POST \S+/(nonce|redeem) ") for one in recorder.seen)


async def test_a_reload_between_the_two_moments_keeps_both(http: aiohttp.ClientSession, served: Served, visit: Visits) -> None:
    async with recorded(http, served) as (house, recorder):
        page = await visit(house, "audience")
        await page.says(".entry.holding", page.words("audience.entry_ready"))
        await asyncio.sleep(1.5)
        await house.act("organiser", "hall:open")
        kept = f"sessionStorage.getItem('townhall.{house.code}.round')"
        planned = (await page.until(f"JSON.parse({kept} ?? 'null')"))["at"]
        await asyncio.sleep(1)
        await page.reload()
        await page.sees(".entry.holding")
        assert (await page.evaluate(f"JSON.parse({kept})"))["at"] == planned
        await arrived(page)
        moment = only([one for one in recorder.seen if one.asked(r"POST \S+/redeem ")]).asked(r"POST \S+/redeem ")[0]
        assert abs(moment - planned) < LATE_S
