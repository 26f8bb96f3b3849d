"""W-05: the headers of every route are those of the table, and nothing tells what the server is made of."""

import asyncio
import re
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from protocol.setup import Setup, Video
from server.app import application
from server.http.security import origin_of, page_csp
from tests.server.serving import Server
from tests.town import SETUP

PAGE = "page"
ASSET = "asset"
API = "api"
# Every route of the application: a way to call it → the kind of its headers.
TABLE: dict[tuple[str, str], tuple[str, str]] = {
    ("GET", "/"): ("/", PAGE),
    ("GET", "/t/{code}"): ("/t/TESTED", PAGE),
    ("GET", "/host/{code}"): ("/host/TESTED", PAGE),
    ("GET", "/director/{code}"): ("/director/TESTED", PAGE),
    ("GET", "/overlay/{code}"): ("/overlay/TESTED?ticker=1", PAGE),
    ("GET", "/organiser"): ("/organiser", PAGE),
    ("GET", "/privacy"): ("/privacy", PAGE),
    ("GET", "/favicon.svg"): ("/favicon.svg", PAGE),
    ("GET", "/assets/{name}"): ("/assets/ASSET", ASSET),
    ("GET", "/healthz"): ("/healthz", API),
    ("GET", "/readyz"): ("/readyz", API),
    ("GET", "/metrics"): ("/metrics", API),
    ("*", "/socket.io/"): ("/socket.io/?EIO=4&transport=polling", API),
    ("GET", "/api/v1/halls"): ("/api/v1/halls", API),
    ("POST", "/api/v1/halls"): ("/api/v1/halls", API),
    ("GET", "/api/v1/halls/{code}"): ("/api/v1/halls/TESTED", API),
    ("POST", "/api/v1/halls/{code}/join"): ("/api/v1/halls/TESTED/join", API),
    ("POST", "/api/v1/halls/{code}/{role}/ticket"): ("/api/v1/halls/TESTED/host/ticket", API),
    ("POST", "/api/v1/halls/{code}/nonce"): ("/api/v1/halls/TESTED/nonce", API),
    ("POST", "/api/v1/halls/{code}/redeem"): ("/api/v1/halls/TESTED/redeem", API),
    ("POST", "/api/v1/halls/{code}/{role}/grant"): ("/api/v1/halls/TESTED/host/grant", API),
    ("GET", "/api/v1/halls/{code}/audit.jsonl"): ("/api/v1/halls/TESTED/audit.jsonl", API),
    ("GET", "/.well-known/townhall"): ("/.well-known/townhall", API),
    ("POST", "/api/v1/halls/{code}/links"): ("/api/v1/halls/TESTED/links", API),
    ("GET", "/api/v1/halls/{code}/qr.svg"): ("/api/v1/halls/TESTED/qr.svg", API),
    ("GET", "/api/v1/halls/{code}/organiser"): ("/api/v1/halls/TESTED/organiser", API),
    ("POST", "/api/v1/halls/{code}/{role}/commands"): ("/api/v1/halls/TESTED/organiser/commands", API),
    ("GET", "/api/v1/halls/{code}/{role}/stream"): ("/api/v1/halls/TESTED/audience/stream", API),
    ("GET", "/api/v1/halls/{code}/export/{name}"): ("/api/v1/halls/TESTED/export/report.html", API),
    ("POST", "/api/v1/directors-csv"): ("/api/v1/directors-csv", API),
    ("POST", "/api/v1/qr"): ("/api/v1/qr", API),
    ("POST", "/api/v1/organiser/nonce"): ("/api/v1/organiser/nonce", API),
    ("POST", "/api/v1/organiser/ticket"): ("/api/v1/organiser/ticket", API),
    ("POST", "/api/v1/organiser/openings"): ("/api/v1/organiser/openings", API),
}
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
    "idle-detection=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    "X-Frame-Options": "DENY",
    "Server": "townhall",
}
API_CSP = "default-src 'none'; frame-ancestors 'none'"
CACHE = {PAGE: "no-cache", ASSET: "public, max-age=31536000, immutable", API: "no-store"}
FREE = {"Content-Type", "Content-Length", "Date", "Vary", "Content-Encoding", "Content-Disposition", "Transfer-Encoding"}
FREE |= {"Connection", "Retry-After", "X-Accel-Buffering", "Allow", "Etag"}


def names(app: web.Application) -> set[tuple[str, str]]:
    return {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource} - {
        ("HEAD", path) for _, path in TABLE
    }


async def test_the_table_names_every_route(server: Server) -> None:
    assert names(application(server.node)) == set(TABLE)


@pytest.mark.parametrize("token", ["", "key"])
async def test_every_route_answers_with_the_headers_of_the_table(server: Server, token: str) -> None:
    await server.hall()
    asset = next(path.name for path in Path("server/_pages/assets").glob("*.js"))
    headers = {"Authorization": f"Bearer {server.key}"} if token else {}
    for (method, _), (path, kind) in TABLE.items():
        asked = "GET" if method == "*" else method
        url = server.node.url + path.replace("ASSET", asset)
        async with server.session.request(asked, url, headers=headers) as response:
            found = {name: value for name, value in response.headers.items() if name not in FREE}
            expected = {**COMMON, "Cache-Control": CACHE[kind], "Content-Security-Policy": API_CSP}
            if kind == PAGE and path != "/favicon.svg":
                expected["Content-Security-Policy"] = page_csp(
                    f"127.0.0.1:{server.node.port}", own_styles=path.startswith("/overlay/")
                )
            if path.startswith("/t/"):
                expected["Permissions-Policy"] = COMMON["Permissions-Policy"].replace("camera=()", "camera=(self)")
            assert found == expected, path


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/none.js", "/assets/..%2f..%2fsettings.py", "/api/v1/halls/TESTED/export/x"]
)
async def test_what_is_not_there_has_the_same_headers(server: Server, path: str) -> None:
    await server.hall()
    async with server.session.get(server.node.url + path, headers={"Authorization": f"Bearer {server.key}"}) as response:
        assert response.status == 404
        found = {name: value for name, value in response.headers.items() if name not in FREE}
        assert found == {**COMMON, "Cache-Control": "no-store", "Content-Security-Policy": API_CSP}


@pytest.mark.parametrize(
    "request_", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET /%ff\xff HTTP/1.1\r\nHost: x\r\n\r\n"]
)
async def test_an_answer_to_what_is_not_http_names_no_version(server: Server, request_: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.node.port)
    writer.write(request_)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    assert b"Server: townhall\r\n" in head
    assert not re.search(rb"aiohttp|python", head, re.IGNORECASE)


# --- the policy of pages ---
def policy(video: Video | None, host: str = "town.example.org") -> dict[str, str]:
    return {part.split(" ")[0]: part.partition(" ")[2] for part in page_csp(host, video).split("; ")}


def test_a_page_may_ask_nobody_but_its_own_server() -> None:
    found = policy(None)
    assert found["default-src"] == "'none'" and found["frame-src"] == "'none'" and found["media-src"] == "'self'"
    assert found["connect-src"] == "'self' ws://town.example.org wss://town.example.org"
    assert found["script-src"] == found["style-src"] == "'self'"
    assert found["base-uri"] == found["form-action"] == found["frame-ancestors"] == "'none'"
    assert found["require-trusted-types-for"] == "'script'"


def test_a_video_opens_the_policy_for_its_own_origin_only() -> None:
    embedded = policy(Video(kind="iframe", url="https://www.youtube-nocookie.com/embed/abc?x=1"))
    assert embedded["frame-src"] == "https://www.youtube-nocookie.com"
    assert embedded["connect-src"] == policy(None)["connect-src"] and embedded["media-src"] == "'self'"
    streamed = policy(Video(kind="hls", url="https://live.example.org:8443/a/b.m3u8"))
    assert streamed["media-src"] == "'self' https://live.example.org:8443 blob:"
    assert streamed["connect-src"].endswith(" https://live.example.org:8443")
    assert streamed["frame-src"] == "'none'"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example.org; script-src *",
        "https://a.example.org;script-src%20*/x",
        "https://a b/",
        "https://[::1/",
        "https://a:99999/",
        "javascript:alert(1)",
        "https://'unsafe-inline'/",
        "https:///x",
    ],
)
def test_an_address_cannot_write_into_the_policy(url: str) -> None:
    origin = origin_of(url)
    assert re.fullmatch(r"(https://[a-z0-9.-]+)?", origin)
    assert policy(Video(kind="iframe", url=url))["script-src"] == "'self'"


@pytest.mark.parametrize("host", ["x; script-src *", "x y", "", "x,y", "x'"])
def test_a_host_header_cannot_write_into_the_policy(host: str) -> None:
    assert policy(None, host)["connect-src"] == "'self'"


def test_the_overlay_takes_the_styles_of_a_producer_and_still_no_script() -> None:
    found = {part.split(" ")[0]: part.partition(" ")[2] for part in page_csp("x", own_styles=True).split("; ")}
    assert found.pop("style-src") == "'self' 'unsafe-inline'"
    others = policy(None, "x")
    del others["style-src"], others["require-trusted-types-for"]
    assert found == others


async def test_only_the_audience_page_may_show_the_video(server: Server) -> None:
    setup = msgspec.structs.replace(SETUP, video=Video(kind="iframe", url="https://video.example.org/embed/1"))
    assert isinstance(setup, Setup)
    await server.hall(setup=setup)
    for path in ("/", "/t/TESTED", "/t/tested", "/host/TESTED", "/director/TESTED", "/overlay/TESTED", "/organiser"):
        async with server.session.get(server.node.url + path) as response:
            allowed = "video.example.org" in response.headers["Content-Security-Policy"]
        assert allowed == path.startswith("/t/"), path
