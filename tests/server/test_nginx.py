"""The nginx of docs/howto/nginx.md, as printed there, in front of a real server and a real issuer: TLS, WebSocket, the stream."""

import asyncio
import collections
import contextlib
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp.web_protocol import RequestHandler

from loadtests.ports import free_ports
from protocol.refusals import REFUSALS
from server.front.front import Front
from server.issuer.run import RunningIssuer
from server.issuer.run import running as issuer_running
from server.settings import Settings
from tests.server.serving import Server
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs/howto/nginx.md"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
"""`make test` installs it."""


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    """What is opened in a test and closed after it."""
    async with contextlib.AsyncExitStack() as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Proxy:
    """nginx in front of `server` and `issuer`; `session` believes its certificate."""

    url: str
    plain_url: str
    issuer: RunningIssuer
    issuer_url: str
    session: aiohttp.ClientSession
    trust: ssl.SSLContext
    folder: Path


def ours(config: str, name: str, served: int, told: int, listening: tuple[int, int], folder: Path) -> str:
    """What is printed for the server `name`, with our ports, certificate and files; nothing else is changed."""
    log = "townhall.log" if name == "town" else "townhall-issuer.log"
    for old, new in {
        f"127.0.0.1:{told}": f"127.0.0.1:{served}",
        "listen 80;": f"listen 127.0.0.1:{listening[0]};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{listening[1]} ssl http2;",
        f"/etc/ssl/{name}.example.org.pem": str(folder / "cert"),
        f"/etc/ssl/{name}.example.org.key": str(folder / "key"),
        f"/var/log/nginx/{log}": str(folder / f"{name}.log"),
        f"server_name {name}.example.org;": "server_name localhost;",
    }.items():
        assert old in config
        config = config.replace(old, new)
    return config


@pytest.fixture
async def proxy(server: Server, tmp_path: Path, stack: contextlib.AsyncExitStack) -> AsyncIterator[Proxy]:
    """Ended by its own pid."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    certificate = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    files: list[str | Path] = ["-keyout", folder / "key", "-out", folder / "cert"]
    subprocess.run(["openssl", *certificate.split(), *files], check=True, capture_output=True)
    port, plain, issuer_port, issuer_plain = free_ports(4)
    found = re.findall(r"```nginx\n(map .*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(found) == 1
    chat, begins, admit = found[0].partition("# The issuer:")
    issuer = await stack.enter_async_context(
        issuer_running(Settings(data_dir=str(tmp_path / "issuer"), port=0, issuer_public_url=f"https://localhost:{issuer_port}"))
    )
    config = ours(chat, "town", server.node.port, 8420, (plain, port), folder) + begins
    config += ours(admit, "admit", issuer.port, 8421, (issuer_plain, issuer_port), folder)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"daemon off; pid {folder}/pid; error_log {folder}/main.log; worker_processes 1;\n"
        f"events {{ worker_connections 600; }}\nhttp {{ {temporary}\n{config}\n}}\n")  # fmt: skip
    assert NGINX is not None, "nginx is not installed: tools/install_nginx.sh"
    process = await asyncio.create_subprocess_exec(NGINX, "-p", folder, "-c", folder / "nginx.conf")
    trust = ssl.create_default_context(cafile=str(folder / "cert"))
    url = f"https://localhost:{port}"

    async def listens() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz", ssl=trust) as response:
                return response.status == 200
        except aiohttp.ClientConnectorError:
            assert process.returncode is None, (folder / "main.log").read_text()
            return False

    try:
        await until(listens)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, force_close=True)) as session:
            yield Proxy(url, f"http://localhost:{plain}", issuer, f"https://localhost:{issuer_port}", session, trust, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_pages_come_over_tls_with_the_servers_headers(server: Server, proxy: Proxy) -> None:
    await server.hall()
    async with proxy.session.get(f"{proxy.url}/t/TESTED", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.status == 200 and response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "wss://localhost" in response.headers["Content-Security-Policy"]
        assert "Content-Security-Policy" in response.headers and response.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"nginx/|aiohttp|Python", str(response.headers))


async def test_the_issuer_has_an_origin_of_its_own(proxy: Proxy) -> None:
    headers = {"Authorization": f"Bearer {proxy.issuer.organiser_key}", "Origin": proxy.issuer_url}
    body = {"title": "직원 만남의 날", "chat_url": proxy.url, "kinds": ["open", "invitation"], "code": "TESTED"}
    async with proxy.session.post(f"{proxy.issuer_url}/api/v1/issuances", json=body, headers=headers) as response:
        assert (await response.json())["data"]["issuer"]["url"] == proxy.issuer_url
    people = "성명\n" + "\n".join(f"{number}번 직원 {'가' * 60}" for number in range(5_000))
    address = f"{proxy.issuer_url}/api/v1/issuances/TESTED/invitations?form=csv"
    async with proxy.session.post(address, data=people.encode(), headers=headers) as response:
        assert response.status == 200, "a file of people may be large, and passes"
    async with proxy.session.get(f"{proxy.issuer_url}/admit/TESTED") as response:
        assert response.status == 200
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    headers |= {"Origin": proxy.url}
    async with proxy.session.post(f"{proxy.issuer_url}/api/v1/issuances", json=body, headers=headers) as response:
        assert response.status == 403, "the chat's pages are strangers there"


async def test_plain_http_is_sent_to_tls(proxy: Proxy) -> None:
    async with proxy.session.get(f"{proxy.plain_url}/t/TESTED", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (301, "https://town.example.org/t/TESTED")


async def test_a_websocket_of_its_own_page_connects_and_a_strangers_does_not(server: Server, proxy: Proxy) -> None:
    await server.hall()
    ticket = await server.ticket()
    url = f"{proxy.url}/socket.io/?EIO=4&transport=websocket"
    # The Host that nginx passes has no port; a site on 443 has none either.
    async with proxy.session.ws_connect(url, origin="https://localhost") as ws:
        assert (await ws.receive_str(timeout=5)).startswith("0{")
        await ws.send_str(f'40/audience,{{"code":"TESTED","token":"{ticket}"}}')
        assert (await ws.receive_str(timeout=5)).startswith("40/audience,")
        assert '"hall:joined"' in await ws.receive_str(timeout=5)
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        async with proxy.session.ws_connect(url, origin="https://evil.example.org"):
            pass


async def test_the_stream_is_not_held_back(server: Server, proxy: Proxy) -> None:
    await server.hall()
    ticket = await server.ticket()
    headers = {"Authorization": f"Bearer {ticket}"}
    async with proxy.session.get(f"{proxy.url}/api/v1/halls/TESTED/audience/stream", headers=headers) as response:
        assert response.status == 200
        seen = b""
        async with asyncio.timeout(10):
            while b"event: view:reset" not in seen:
                seen += await response.content.readany()
            await server.must("TESTED", "audience", ticket, "message:post", text="흘러야 합니다")
            while "흘러야 합니다".encode() not in seen:
                seen += await response.content.readany()


async def test_nginx_writes_nothing_about_who_came(server: Server, proxy: Proxy) -> None:
    await server.hall()
    for url in (proxy.url, proxy.issuer_url):
        for path in ("/t/TESTED", "/nothing", "/api/v1/halls/NONE", "/admit/TESTED"):
            async with proxy.session.get(url + path, headers={"User-Agent": "canary-agent"}):
                pass
    written = b"".join(path.read_bytes() for path in proxy.folder.glob("*.log"))
    assert b"canary-agent" not in written and b"TESTED" not in written and b"client:" not in written


async def test_a_body_beyond_all_bounds_ends_at_the_proxy(proxy: Proxy) -> None:
    async with proxy.session.post(f"{proxy.url}/api/v1/halls", data=b"x" * 600_000) as response:
        assert response.status == 413


@pytest.fixture
def came(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What comes to the servers from here on, on new connections."""
    found: list[bytes] = []

    def watched(kind: type[Front] | type[RequestHandler]) -> None:
        take: Any = kind.data_received

        def seen(self: Any, data: bytes) -> None:
            found.append(data)
            take(self, data)

        monkeypatch.setattr(kind, "data_received", seen)

    watched(Front)
    watched(RequestHandler)
    return found


async def test_no_cookie_reaches_the_chat(server: Server, came: list[bytes], proxy: Proxy) -> None:
    await server.hall()
    headers = {"Cookie": "townhall-session=somebody"}
    for method, path in (("GET", "/t/TESTED"), ("POST", "/api/v1/halls/TESTED/nonce"), ("POST", "/api/v1/halls/TESTED/join")):
        async with proxy.session.request(method, proxy.url + path, headers=headers) as response:
            assert response.status == 200
    async with proxy.session.ws_connect(f"{proxy.url}/socket.io/?EIO=4&transport=websocket", headers=headers):
        pass
    whole = b"".join(came).lower()
    assert whole.count(b" http/1.1\r\n") >= 4 and b"cookie" not in whole and b"somebody" not in whole


@pytest.mark.parametrize("which", ["chat", "issuer"])
async def test_a_browsers_connection_is_not_kept_for_what_it_asks_later(proxy: Proxy, which: str) -> None:
    url = proxy.url if which == "chat" else proxy.issuer_url
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port, ssl=proxy.trust)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"}")
    began = time.monotonic()
    async with asyncio.timeout(15):
        await reader.read()
    assert 3 < time.monotonic() - began < 9
    writer.close()


async def test_one_address_that_does_nothing_but_ask_is_slowed_at_the_edge(server: Server, proxy: Proxy) -> None:
    await server.hall()
    link = (await server.new_link("host"))["url"].partition("#")[2]
    statuses: collections.Counter[int] = collections.Counter()
    told = b""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=proxy.trust)) as laptop:

        async def ask() -> None:
            nonlocal told
            async with laptop.post(f"{proxy.url}/api/v1/halls/TESTED/join") as response:
                statuses[response.status] += 1
                told = await response.read() if response.status == 429 else told

        for _ in range(28):
            await asyncio.gather(*(ask() for _ in range(100)))
        assert statuses[200] >= 2_000, "an office that comes in at once"
        assert statuses[429] > 100, "and what is beyond"
        error = orjson.loads(told)["error"]
        assert error["code"] in REFUSALS and error["retry_after_ms"] > 0, "a page understands it and comes again"
        async with laptop.post(
            f"{proxy.url}/api/v1/halls/TESTED/host/ticket", headers={"Authorization": f"Bearer {link}"}
        ) as response:
            assert response.status == 200, "a right link comes in, even from there"
    written = b"".join(path.read_bytes() for path in proxy.folder.glob("*.log"))
    assert b"client:" not in written and b"127.0.0.1" not in written
