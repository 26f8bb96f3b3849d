"""The front answers for the built pages what aiohttp's own routes answer, byte for byte, and hands on what it does not answer."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from protocol.setup import Video
from server.app import application
from server.front import front
from server.http import run
from server.http.built import preferred
from tests.server.serving import Server
from tests.town import SETUP
from tests.waiting import until

BUILT = Path("server/_pages")
SCRIPT = max(BUILT.glob("assets/*.js"), key=lambda path: path.stat().st_size).name
STYLE = next(BUILT.glob("assets/*.css")).name
ASKED = [
    "/",
    "/organiser",
    "/privacy",
    "/favicon.svg",
    f"/assets/{SCRIPT}",
    f"/assets/{STYLE}",
    "/t/TESTED",
    "/t/tested",
    "/t/NOTHERE",
    "/host/TESTED",
    "/director/TESTED",
    "/overlay/TESTED",
    "/overlay/TESTED?ticker=1",
    f"/assets/{SCRIPT}?v=1",
    f"/assets/{SCRIPT}.br",
    "/assets/none.js",
    "/assets/%2e%2e/join.html",
    "/join.html",
    "/healthz",
    "//",
]
SHAPES = [
    "",
    "Accept-Encoding: br, gzip\r\n",
    "Accept-Encoding: gzip, deflate\r\n",
    "Accept-Encoding: br;q=0.2, gzip;q=0.8\r\n",
    "Accept-Encoding: br;q=0, *\r\n",
    "Accept-Encoding: *;q=0, identity\r\n",
    "Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n",
    "Accept-Encoding: br;q=none\r\n",
    "Range: bytes=0-9\r\n",
    "Connection: keep-alive\r\n",
    "Connection: close\r\n",
    'If-None-Match: "another"\r\n',
    "If-None-Match: *\r\n",
    "Content-Length: 0\r\n",
    "User-Agent: x\r\nAccept: */*\r\nCookie: a=b\r\nOrigin: https://elsewhere.example.org\r\n",
]


class Peer:
    """Somebody on a bare socket who reads answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> "Peer":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def answer(self, method: str = "GET") -> bytes:
        """The next one, without the time of day."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        body = b"" if method == "HEAD" or length is None else await self.reader.readexactly(int(length[1]))
        assert len(re.findall(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", head)) == 1
        return re.sub(rb"\r\nDate: [^\r]*", b"", head) + body

    async def ask(self, path: str, more: str = "", method: str = "GET", host: str = "town.example.org") -> bytes:
        self.writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        return await self.answer(method)


@pytest.fixture
async def plain(server: Server) -> AsyncIterator[int]:
    """The port of the same routes behind aiohttp alone."""
    setup = msgspec.structs.replace(SETUP, video=Video(kind="iframe", url="https://video.example.org/embed/1"))
    await server.hall(setup=setup)
    runner = web.AppRunner(application(server.node), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@pytest.fixture
def taken(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets an item for each connection that the front hands on to aiohttp."""
    handed: list[int] = []
    hand_on = front.Front._to_http

    def counted(self: front.Front) -> None:
        handed.append(1)
        hand_on(self)

    monkeypatch.setattr(front.Front, "_to_http", counted)
    return handed


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("shape", SHAPES)
async def test_every_answer_is_that_of_the_routes(server: Server, plain: int, method: str, shape: str) -> None:
    for path in ASKED:
        async with Peer(server.node.port) as ours, Peer(plain) as theirs:
            assert await ours.ask(path, shape, method) == await theirs.ask(path, shape, method), path


async def test_what_a_client_holds_is_not_sent_again(server: Server, plain: int, taken: list[int]) -> None:
    for path in (f"/assets/{SCRIPT}", "/t/TESTED"):
        for encoding in ("", "br", "gzip"):
            shape = f"Accept-Encoding: {encoding}\r\n"
            async with Peer(server.node.port) as ours, Peer(plain) as theirs:
                whole = await ours.ask(path, shape)
                found = re.search(rb"\r\nETag: ([^\r]+)", whole)
                assert found is not None
                for seen in (found[1].decode(), f'W/{found[1].decode()}, "x"'):
                    nothing = await ours.ask(path, f"{shape}If-None-Match: {seen}\r\n")
                    assert nothing.startswith(b"HTTP/1.1 304 Not Modified\r\n") and nothing.endswith(b"\r\n\r\n")
                    assert nothing == await theirs.ask(path, f"{shape}If-None-Match: {seen}\r\n")
    assert not taken


async def test_another_policy_is_another_tag(server: Server, plain: int) -> None:
    async with Peer(server.node.port) as peer:
        tags = {
            re.search(rb"\r\nETag: ([^\r]+)", await peer.ask(path, host=host))[1]  # type: ignore[index]  # found or it fails
            for path, host in (("/t/TESTED", "a.example.org"), ("/t/TESTED", "b.example.org"), ("/host/TESTED", "a.example.org"))
        }
    assert len(tags) == 3


async def test_one_connection_carries_many_requests_in_order_however_they_are_cut(server: Server, plain: int) -> None:
    wanted = [f"/assets/{SCRIPT}", "/", "/t/TESTED", f"/assets/{STYLE}", "/favicon.svg"] * 4
    raw = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n".encode() for path in wanted)
    async with Peer(plain) as theirs:
        expected = [await theirs.ask(path, "Accept-Encoding: br\r\n", host="x") for path in wanted]
    for size in (len(raw), 1, 7, 100):
        async with Peer(server.node.port) as ours:
            for at in range(0, len(raw), size):
                ours.writer.write(raw[at : at + size])
                await ours.writer.drain()
            assert [await ours.answer() for _ in wanted] == expected


async def test_a_connection_that_asked_for_files_may_go_on_with_anything(server: Server, plain: int, taken: list[int]) -> None:
    async with Peer(server.node.port) as peer:
        raw = f"GET /assets/{SCRIPT} HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        peer.writer.write(raw + b"POST /api/v1/halls/TESTED/join HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert (await peer.answer()).startswith(b"HTTP/1.1 200 OK")
        assert b"townhall" in await peer.answer()
        assert b'"ticket"' in await peer.answer()
    assert len(taken) == 1
    async with Peer(server.node.port) as peer:
        await peer.ask("/")
        peer.writer.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert (await peer.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert len(taken) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x; script-src *\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\nA: b\n\nGET /privacy HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9_000 + b"\r\n\r\n",
        b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_is_unusual_is_not_answered_here(server: Server, plain: int, taken: list[int], raw: bytes) -> None:
    async with Peer(server.node.port) as peer:
        peer.writer.write(raw)
        await peer.reader.readline()
    assert len(taken) == 1


async def test_whoever_does_not_read_its_files_gathers_nothing_and_is_cut(
    server: Server, plain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "FILE_S", 0.5)
    answered, cut = 0, 0
    taken, cutting = front.Front._taken, front.Front.cut

    def counted(self: front.Front, end: int) -> bool:
        nonlocal answered
        answered += 1
        return taken(self, end)

    def counted_cut(self: front.Front) -> None:
        nonlocal cut
        cut += 1
        cutting(self)

    monkeypatch.setattr(front.Front, "_taken", counted)
    monkeypatch.setattr(front.Front, "cut", counted_cut)
    async with Peer(server.node.port) as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
        peer.writer.write(f"GET /assets/{SCRIPT} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 2_000)
        await until(lambda: cut == 1)
    assert 0 < answered < 2_000


async def test_a_connection_that_idles_between_two_files_is_closed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEADERS_S", 0.3)
    async with Peer(server.node.port) as peer:
        await peer.ask("/")
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(peer.reader.read(), 10) == b""


@pytest.mark.parametrize(
    ("accepted", "liked"),
    [
        ("", ()),
        ("br", ("br",)),
        ("gzip, deflate, br, zstd", ("br", "gzip")),
        ("gzip;q=1.0, br;q=0.5", ("gzip", "br")),
        ("BR ; Q=0.1 , identity", ("br",)),
        ("*", ("br", "gzip")),
        ("*;q=0.5, br;q=0", ("gzip",)),
        ("gzip;q=0", ()),
        ("abracadabra, gzippy", ()),
    ],
)
def test_a_client_gets_what_it_likes_best(accepted: str, liked: tuple[str, ...]) -> None:
    assert preferred(accepted) == liked
