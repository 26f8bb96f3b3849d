"""Both audiences, Python's and C's, against a server that makes mistakes on purpose: no real one can be made to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from loadtests.audience.lines import Counted, Joined, Report, Window
from loadtests.audience.words import Words
from loadtests.child import Child
from loadtests.marks import mark
from loadtests.native import build
from protocol import wire
from server.fanout.ready_frame import ready_frame

RUN = "abcd"
AUDIENCES = pytest.mark.parametrize("audience", ["python", "native"])


def changed(after: int, seq: int, ids: Sequence[int]) -> bytes:
    """A frame with the messages `ids`, numbered as their id."""
    entries = [orjson.dumps({"k": "message", "id": id, "text": f"글 {mark(RUN, id, 1)}"}) for id in ids]
    return wire.packet("/audience", "view:changed", wire.changed(after, seq, entries))


HELLO = b'42/audience,["hall:joined",{"epoch":3,"seq":10,"resumed":false}]'
RESET = wire.packet("/audience", "view:reset", wire.reset(3, 10, [orjson.dumps({"k": "message", "id": 9, "text": "전"})]))
RIGHT = [changed(10, 12, [11, 12]), changed(12, 15, [13, 15])]


class Scripted:
    """Lets everybody in and sends `frames`; `bye` closes the first connection of each, to be resumed."""

    def __init__(self, frames: Sequence[bytes], bye: bytes = b"") -> None:
        self.frames = frames
        self.bye = bye
        self.asked: list[bytes] = []
        self.port = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + ready_frame(b'0{"sid":"x"}'))
            self.asked.append(await self._text(reader))
            writer.write(ready_frame(b'40/audience,{"sid":"y"}'))
            if b'"since"' in self.asked[-1]:
                writer.write(ready_frame(HELLO.replace(b"false", b"true").replace(b'"seq":10', b'"seq":15')))
            else:
                stream = b"".join(map(ready_frame, [HELLO, RESET, *self.frames]))
                # In two writes that cut a frame: it must be put together again.
                writer.write(stream[:-7])
                await writer.drain()
                await asyncio.sleep(0)
                writer.write(stream[-7:] + ready_frame(b"2"))
                assert await self._text(reader) == b"3"
                if self.bye:
                    writer.write(ready_frame(self.bye) + b"\x88\x00")
                    return
            await reader.read()

    async def _text(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(2)
        length = head[1] & 127
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        return (await reader.readexactly(4 + length))[4:]


@contextlib.asynccontextmanager
async def scripted(frames: Sequence[bytes], bye: bytes = b"") -> AsyncIterator[Scripted]:
    """It listens."""
    made = Scripted(frames, bye)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@contextlib.asynccontextmanager
async def watching(tmp_path: Path, audience: str, server: Scripted) -> AsyncIterator[Child]:
    """Three viewers."""
    (tmp_path / "tickets").write_text("one\ntwo\n")
    words = Words(host="127.0.0.1", port=server.port, viewers=3, rate=1e6, code="X", run=RUN, tickets=str(tmp_path / "tickets"))
    async with Child(words, build.audience() if audience == "native" else None) as child:
        yield child


async def heard(tmp_path: Path, audience: str, server: Scripted, wanted: int) -> tuple[Report, Counted]:
    """What three viewers report once `wanted` messages have arrived."""
    async with watching(tmp_path, audience, server) as child:
        await child.tell(f"count {wanted} 5")
        counted = await child.until(Counted)
        await child.tell("report")
        return await child.until(Report), counted


@AUDIENCES
async def test_what_is_right_is_found_right(tmp_path: Path, audience: str) -> None:
    async with scripted(RIGHT) as server:
        report, counted = await heard(tmp_path, audience, server, 12)
    assert (report.holes, report.doubles, report.disorders, report.resets) == (0, 0, 0, 0)
    assert {row[:3] for row in report.rows} == {(10, 15, 4)}
    assert (counted.messages, counted.frames) == (12, 6)
    assert sorted(orjson.loads(text.partition(b",")[2])["token"] for text in server.asked) == ["one", "one", "two"]


@AUDIENCES
@pytest.mark.parametrize(
    ("frames", "faults"),
    [
        ([RIGHT[0], changed(13, 15, [14, 15])], (1, 0, 0)),
        ([RIGHT[0], RIGHT[0], RIGHT[1]], (0, 1, 1)),
        ([RIGHT[0], changed(12, 15, [15, 13])], (0, 0, 1)),
        ([changed(10, 12, [12]), changed(12, 15, [11])], (0, 0, 1)),
    ],
)
async def test_what_is_wrong_is_found(tmp_path: Path, audience: str, frames: list[bytes], faults: tuple[int, int, int]) -> None:
    async with scripted(frames) as server:
        report, _ = await heard(tmp_path, audience, server, 3 * sum(frame.count(b'"message"') for frame in frames))
    assert (report.holes, report.doubles, report.disorders) == tuple(3 * fault for fault in faults)


async def test_both_add_up_to_the_same(tmp_path: Path) -> None:
    async with scripted(RIGHT) as server:
        found = [(await heard(tmp_path, audience, server, 12))[0].rows for audience in ("python", "native")]
    assert found[0] == found[1]


@AUDIENCES
async def test_whoever_is_told_to_come_back_resumes_where_it_was(tmp_path: Path, audience: str) -> None:
    bye = b'42/audience,["bye",{"code":3001,"reason":"draining","message":"","come_back_after_ms":30}]'
    async with scripted(RIGHT, bye) as server:
        async with watching(tmp_path, audience, server) as child:
            await child.until(Joined)
            report = Report(rows=[], holes=0, doubles=0, disorders=0, resets=0, joins=[], closings={})
            async with asyncio.timeout(20):
                while len(server.asked) < 6 or len(report.rows) < 3:
                    await child.tell("report")
                    report = await child.until(Report)
    assert report.closings == {"3001": 3}
    assert {row[:3] for row in report.rows} == {(10, 15, 4)}
    assert {text.partition(b'"since":')[2] for text in server.asked[3:]} == {b'{"epoch":3,"seq":15}}'}


@AUDIENCES
async def test_a_window_counts_afresh(tmp_path: Path, audience: str) -> None:
    async with scripted(RIGHT) as server:
        async with watching(tmp_path, audience, server) as child:
            await child.tell("count 12 5")
            assert (await child.until(Counted)).messages == 12
            await child.tell("window")
            await child.until(Window)
            await child.tell("count 1 0.01")
            assert (await child.until(Counted)).messages == 0
