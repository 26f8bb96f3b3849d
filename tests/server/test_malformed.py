"""Requests that are none, or that the library refuses by itself: each answer has all headers, and none of the request."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from server import event_loop
from server.app import application
from server.http import run, stream
from server.http.security import API_CSP, COMMON
from tests.issuer.serving import issuing
from tests.server.serving import Server, serving
from tests.waiting import until

CANARY = b"canary7391"
END = b"\r\n\r\n"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/halls HTTP/1.1\r\nHost: x\r\n"
TLS = bytes.fromhex("1603010200010001fc0303") + CANARY * 40
MALFORMED = {
    "no HTTP": CANARY + END,
    "TLS bytes": TLS,
    "a method that is none": b"G@T /canary7391 HTTP/1.1\r\nHost: x" + END,
    "an unknown method": b"CANARY7391 /healthz HTTP/1.1\r\nHost: x" + END,
    "a small method": b"get /canary7391 HTTP/1.1\r\nHost: x" + END,
    "CONNECT": b"CONNECT canary7391:443 HTTP/1.1\r\nHost: x" + END,
    "TRACE": b"TRACE /healthz HTTP/1.1\r\nHost: x\r\nX-A: " + CANARY + END,
    "a long target": b"GET /" + CANARY * 900 + b" HTTP/1.1\r\nHost: x" + END,
    "a very long target": b"GET /" + CANARY * 20_000 + b" HTTP/1.1\r\nHost: x" + END,
    "a long header": HEAD + b"X-A: " + CANARY * 2_000 + END,
    "a long header name": HEAD + CANARY * 2_000 + b": x" + END,
    "many headers": HEAD + b"".join(b"X-%d: canary7391\r\n" % n for n in range(5_000)) + b"\r\n",
    "a header without a colon": HEAD + CANARY + END,
    "a header name with a blank": HEAD + b"X canary7391: 1" + END,
    "a control character": HEAD + b"X-A: canary7391\x00\x01" + END,
    "a folded header": HEAD + b"X-A: a\r\n canary7391" + END,
    "a bad Host": b"GET /nothing HTTP/1.1\r\nHost: canary7391 x/<script>" + END,
    "two Hosts": b"GET /nothing HTTP/1.1\r\nHost: canary7391\r\nHost: b" + END,
    "no Host": b"GET /nothing HTTP/1.1\r\nX-A: canary7391" + END,
    "bytes in a target": b"GET /\xff\xfecanary7391 HTTP/1.1\r\nHost: x" + END,
    "a blank in a target": b"GET /a canary7391 HTTP/1.1\r\nHost: x" + END,
    "a target of another host": b"GET http://canary7391/nothing HTTP/1.1\r\nHost: x" + END,
    "a target that is none": b"GET canary7391 HTTP/1.1\r\nHost: x" + END,
    "HTTP/3.7": b"GET /canary7391 HTTP/3.7\r\nHost: x" + END,
    "HTTP/0.9": b"GET /canary7391\r\n\r\n",
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\ncanary7391",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\ncanary7391",
    "a length that is none": POST + b"Content-Length: canary7391" + END,
    "a negative length": POST + b"Content-Length: -5" + END,
    "a wide length": POST + b"Content-Length: \xef\xbc\x95" + END,
    "an unknown coding": POST + b"Transfer-Encoding: canary7391" + END,
    "a chunk that is none": POST + b"Transfer-Encoding: chunked\r\n\r\ncanary7391\r\n",
    "an expectation": HEAD + b"Expect: canary7391" + END,
    "an expectation with bytes": HEAD + b"Expect: 100\xff" + END,
    "an expectation, to be posted": POST + b"Content-Length: 2\r\nExpect: 100-canary7391\r\n\r\n{}",
    "a percent sign": b"GET /%zz%canary7391 HTTP/1.1\r\nHost: x" + END,
    "a line end alone": b"GET /canary7391 HTTP/1.1\nHost: x\n\n",
}


@pytest.fixture(scope="module", params=["front", "aiohttp", "issuer"])
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def port(which: str, tmp_path: Path) -> AsyncIterator[int]:
    """Of the chat as it listens, of its routes behind the library alone, or of the issuer."""
    async with contextlib.AsyncExitStack() as stack:
        if which == "issuer":
            yield (await stack.enter_async_context(issuing(tmp_path / "data"))).issuer.port
            return
        server = await stack.enter_async_context(serving(tmp_path / "data"))
        if which == "front":
            yield server.node.port
            return
        runner = await run.set_up(application(server.node))
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield int(runner.addresses[0][1])


async def answers(port: int, sent: bytes) -> list[bytes]:
    """Heads and bodies that come back, until the server closes or says no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(sent)
        async with asyncio.timeout(1.5):
            while data := await reader.read(65_536):
                found += data
    writer.transport.abort()
    return [b"HTTP/1.1 " + one for one in re.split(rb"HTTP/1\.[01] ", found)[1:]]


async def test_whatever_comes_is_answered_with_all_headers_and_without_its_words(port: int) -> None:
    wanted = {**COMMON, "Cache-Control": "no-store", "Content-Security-Policy": API_CSP}
    with capture_logs() as logs:
        told = dict(zip(MALFORMED, await asyncio.gather(*(answers(port, sent) for sent in MALFORMED.values())), strict=True))
    assert sum(bool(found) for found in told.values()) >= len(MALFORMED) - 4, {name for name, found in told.items() if not found}
    for name, found in told.items():
        for one in found:
            head, _, body = one.partition(END)
            lines = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
            assert {header: lines.get(header) for header in wanted} == wanted, (name, head)
            assert not head.startswith(b"HTTP/1.1 5"), (name, head)
            assert CANARY not in one.lower() and b"\xff" not in one, (name, one)
            assert not re.search(rb"aiohttp|python|llhttp|traceback", one, re.IGNORECASE), (name, one)
            assert len(body) < 400, (name, body)
    assert [entry for entry in logs if entry["log_level"] in ("error", "warning")] == []


async def test_a_command_that_is_no_word_is_an_unknown_one(server: Server) -> None:
    await server.hall()
    ticket = await server.ticket()
    for name in (["x"], {"a": 1}, 7, None, True, "²", ""):
        for role, token in (("audience", ticket), ("organiser", server.key)):
            body = {"command": name, "payload": {}}
            status, ack = await server.ask("POST", f"/api/v1/halls/TESTED/{role}/commands", token, json=body)
            assert (status, ack["error"]["code"]) == (400, "unknown_command"), name


@pytest.mark.parametrize("since", ["²-1", "1-²", "１-１", "٣-٣", "-", "1-", "-1", "+1-1", " 1-1", "1_0-1", "9" * 40 + "-1"])
async def test_a_position_that_is_none_means_from_the_beginning(server: Server, since: str) -> None:
    await server.hall()
    ticket = await server.ticket()
    url = f"{server.node.url}/api/v1/halls/TESTED/audience/stream"
    for token, status in (("", 401), (ticket, 200)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with server.session.get(url, params={"since": since}, headers=headers) as response:
            assert response.status == status


@pytest.mark.parametrize("due", ["２０２６-１２-０１", "2026-13-99", "2026-02-30", "²⁰²⁶-12-01"])
async def test_a_date_that_is_none_is_refused(server: Server, due: str) -> None:
    await server.hall()
    ticket, host = await server.ticket(), await server.link("host")
    ack = await server.must("TESTED", "audience", ticket, "message:post", text="언제요?", asked=True)
    status, told = await server.send("TESTED", "host", host, "question:defer", message=ack["seq"], due=due)
    assert status in (400, 422), told


@pytest.mark.parametrize("abruptly", [True, False])
@pytest.mark.parametrize("posting", [True, False])
def test_a_stream_whose_reader_goes_away_is_no_error_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abruptly: bool, posting: bool
) -> None:
    monkeypatch.setattr(stream, "KEEPALIVE_S", 0.2)

    async def departures() -> int:
        async with serving(tmp_path / "data") as server:
            await server.hall()
            ticket = await server.ticket()
            head = f"GET /api/v1/halls/TESTED/audience/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ticket}\r\n\r\n"
            lines = [await asyncio.open_connection("127.0.0.1", server.node.port) for _ in range(5)]
            for reader, writer in lines:
                writer.write(head.encode())
                await reader.readuntil(b"gauges:changed")
            runtime = await server.node.gateway.directory.get("TESTED")
            assert runtime is not None
            room = runtime.room("audience")
            assert room.viewers == 5
            for _, writer in lines:
                writer.transport.abort() if abruptly else writer.close()
            if posting:
                await server.must("TESTED", "audience", ticket, "message:post", text="누가 아직 있습니까?")
            await until(lambda: room.viewers == 0, 20)
        return 0

    with capture_logs() as logs:
        event_loop.run(departures())  # the loop that serves: its transports raise where others are silent
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []
