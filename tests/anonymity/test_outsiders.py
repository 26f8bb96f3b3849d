"""What outsiders could fill or try: the room of those who may write, digests of texts, streams."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from loadtests.client import ticket as watching_ticket
from protocol.commands import PostMessage
from protocol.limits import LIMITS, Limit
from server.buckets import Buckets
from server.halls.execute import _digest
from tests.anonymity.meeting import CODE, Meeting, meeting
from tests.anonymity.test_canary import files

TEXT = "구내식당의 국이 짭니다."


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Meeting]:
    """A town hall that is open and lets people in one by one."""
    async with meeting(tmp_path) as found:
        await found.make(minimum_participants=1, round_s=0, round_people=1)
        await found.open()
        yield found


async def come_in(hall: Meeting, name: str) -> str:
    """A participant's ticket."""
    found = await hall.show(await hall.signed(name.encode()))
    await hall.admitted(1)
    return found


async def test_who_may_not_write_fills_no_room_of_those_who_may(hall: Meeting) -> None:
    honest = [await come_in(hall, f"person {number}") for number in range(5)]
    hall.node.gateway._floods = Buckets(10, 3_600)
    for _ in range(15):
        outsider = await watching_ticket(hall.session, hall.node.url, CODE)
        ack = await hall.send(outsider, "message:post", text=TEXT, asked=False)
        assert ack["error"]["code"] == "watching_only"
    for one in honest:
        assert (await hall.send(one, "message:post", text=TEXT, asked=False))["ok"]


async def test_what_is_kept_of_a_command_confirms_no_text(hall: Meeting) -> None:
    for number in range(3):
        assert (await hall.send(await come_in(hall, f"person {number}"), "message:post", text=TEXT, asked=False))["ok"]
    written = files(Path(hall.node.settings.data_dir) / "valkey")
    assert TEXT.encode() in written, "the search finds what is there"
    for asked in (True, False):
        guess = PostMessage(client_id="a-guess-of-a-text", text=TEXT, asked=asked)
        assert _digest(guess, b"") not in written


async def test_event_streams_are_bounded_as_sockets_are(hall: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "connections_per_address", Limit(3, "", "", "too_many_connections"))
    address = f"{hall.node.url}/api/v1/halls/{CODE}/audience/stream"
    async with contextlib.AsyncExitStack() as stack:
        statuses = []
        for _ in range(4):
            session = await stack.enter_async_context(aiohttp.ClientSession())
            response = await stack.enter_async_context(session.get(address))
            statuses.append(response.status)
        assert statuses == [200, 200, 200, 429]
        assert (await response.json())["error"]["code"] == "too_many_connections"
