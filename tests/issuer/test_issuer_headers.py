"""W-05 at the issuer: every route answers with the headers of the same table, and no page of another origin makes it act."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.http.security import COMMON
from tests.issuer.serving import Served, blinded, issuing
from tests.server.command import started

PAGE, API = "no-cache", "no-store"
ROUTES = {
    ("GET", "/admit/TESTED"): PAGE,
    ("GET", "/organiser"): PAGE,
    ("GET", "/api/v1/eligibility"): API,
    ("GET", "/favicon.svg"): PAGE,
    ("GET", "/healthz"): API,
    ("GET", "/.well-known/townhall"): API,
    ("GET", "/api/v1/issuances"): API,
    ("POST", "/api/v1/issuances"): API,
    ("GET", "/api/v1/issuances/TESTED"): API,
    ("GET", "/api/v1/issuances/TESTED/organiser"): API,
    ("POST", "/api/v1/issuances/TESTED/sign"): API,
    ("POST", "/api/v1/issuances/TESTED/invitations"): API,
    ("GET", "/api/v1/issuances/TESTED/invitations"): API,
    ("POST", "/api/v1/issuances/TESTED/close"): API,
    ("POST", "/api/v1/organiser/nonce"): API,
    ("POST", "/api/v1/organiser/ticket"): API,
    ("POST", "/api/v1/organiser/openings"): API,
    ("GET", "/oidc/login?code=TESTED"): API,
    ("GET", "/oidc/callback?state=TESTED.x"): API,
    ("GET", "/nowhere"): API,
    ("DELETE", "/api/v1/issuances"): API,
}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    # A provider where nobody listens: signing in begins, and is told that it failed.
    async with issuing(tmp_path / "data", oidc_issuer="http://127.0.0.1:9", oidc_client_id="x") as found:
        await found.issuance("open", "invitation", "oidc")
        yield found


@pytest.mark.parametrize("key", [False, True])
async def test_every_route_answers_with_the_headers_of_the_table(served: Served, key: bool) -> None:
    headers = {"Authorization": f"Bearer {served.issuer.organiser_key}"} if key else {}
    for (method, path), cache in ROUTES.items():
        async with served.session.request(method, served.issuer.url + path, headers=headers, allow_redirects=False) as response:
            found = response.headers
            assert {name: found.get(name) for name in COMMON} == COMMON, (method, path)
            assert found["Cache-Control"] == cache, (method, path)
            policy = found["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, (method, path)
            assert "unsafe" not in policy or "invitations" in path, (method, path)
            assert not [name for name in found if name.lower().startswith("access-control-")]
            assert len(found.getall("Server")) == 1 and "aiohttp" not in str(found)


async def test_an_answer_to_what_is_not_http_names_no_version(tmp_path: Path) -> None:
    async with started("issuer", "--port", "0", folder=tmp_path) as command:
        address = urlsplit(await command.says("issuer: "))
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"NOT HTTP\r\n\r\n")
        head, _, _ = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
        writer.close()
    assert b"Server: townhall" in head.splitlines()
    assert not re.search(rb"aiohttp|python", head, re.IGNORECASE)


async def test_its_pages_may_run_only_what_is_ours_and_frame_nothing(served: Served) -> None:
    for path in ("/admit/TESTED", "/organiser"):
        async with served.session.get(served.issuer.url + path) as response:
            policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy and "frame-src 'none'" in policy and "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_page_of_another_origin_makes_it_do_nothing(served: Served, origin: str) -> None:
    headers = {"Origin": origin, "Authorization": f"Bearer {served.issuer.organiser_key}"}
    for (method, path), _ in ROUTES.items():
        if method == "POST":
            async with served.session.post(served.issuer.url + path, headers=headers, json={}) as response:
                assert response.status == 403, path
    _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/organiser", served.issuer.organiser_key)
    assert ack["data"]["open"] and ack["data"]["issued"] == 0


@pytest.mark.parametrize(("host", "status"), [("evil.example", 403), ("evil.example:80", 403), ("127.0.0.1:8421", 200)])
async def test_a_name_that_was_led_here_makes_no_origin_ours(served: Served, host: str, status: int) -> None:
    """Not even one that the browser took for the same origin (DNS rebinding)."""
    headers = {"Origin": f"http://{host}", "Host": host, "Authorization": f"Bearer {served.issuer.organiser_key}"}
    url = f"{served.issuer.url}/api/v1/issuances/TESTED/close"
    async with served.session.post(url, headers=headers) as response:
        assert response.status == status


async def test_the_chats_key_opens_nothing_at_the_issuer(served: Served, tmp_path: Path) -> None:
    from server.secret import load

    chats = load(tmp_path / "data" / "secret").key("organiser").hex()
    for path in ("/api/v1/issuances", "/api/v1/eligibility"):
        assert (await served.ask("GET", path, chats))[0] == 401, path


async def test_an_organiser_learns_how_many_and_never_who(served: Served) -> None:
    proof = base64.urlsafe_b64encode(b"b" * 24).decode()
    assert (await served.sign("open", proof, blinded()))[0] == 200
    _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/organiser", served.issuer.organiser_key)
    assert ack["data"]["issued"] == 1
    assert proof not in str(ack)
