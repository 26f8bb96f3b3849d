"""The page can be checked: what a server serves is compared with what is built here, byte by byte."""

from pathlib import Path

import orjson
import pytest
from aiohttp import web

from server.http.built import folder, read
from server.http.well_known import PLACES, bundle, hashes, pages_hash
from server.verify_pages import CannotVerify, compare
from tests.issuer.serving import issuing
from tests.server.command import ran, started
from tests.server.serving import Server


async def test_a_servers_pages_are_those_that_are_built_here(server: Server) -> None:
    found = await compare(server.node.url)
    assert found.same and found.files > 20 and found.ours == pages_hash()


async def test_the_issuers_pages_too(tmp_path: Path) -> None:
    async with issuing(tmp_path / "data") as served:
        found = await compare(served.issuer.url)
    assert found.same


async def test_the_hash_is_told_at_a_known_place(server: Server) -> None:
    async with server.session.get(f"{server.node.url}/.well-known/townhall") as response:
        told = await response.json()
    assert told["serves"] == "chat" and told["product"].startswith("townhall") and told["pages"]["sha256"] == pages_hash()
    assert told["pages"]["files"]["audience.html"] and bundle(told["pages"]["files"]) == told["pages"]["sha256"]


async def test_the_report_prints_the_hash_of_the_pages_and_of_the_audit(server: Server) -> None:
    await server.hall()
    async with server.session.get(
        f"{server.node.url}/api/v1/halls/TESTED/export/report.html", headers={"Authorization": f"Bearer {server.key}"}
    ) as response:
        report = await response.text()
    _, ack = await server.ask("GET", "/api/v1/halls/TESTED/organiser", server.key)
    assert pages_hash() in report and ack["data"]["audit"] in report and len(ack["data"]["audit"]) == 64


@pytest.fixture
async def liar() -> object:
    """A server that says of itself what is right, and serves one page with a line more."""
    pages = folder()
    assert pages is not None
    built = read(pages)
    files = hashes(built)
    app = web.Application()

    async def told(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps({"serves": "chat", "pages": {"sha256": bundle(files), "files": files}}))

    def serve(path: str) -> object:
        async def one(_: web.Request) -> web.Response:
            more = b"<!-- more -->" if path == "audience.html" else b""
            return web.Response(body=built[path].plain + more)

        return one

    app.router.add_get("/.well-known/townhall", told)
    for path in built:
        place = PLACES.get(path, f"/{path}")
        if path not in ("admit.html", "issuer.html"):
            app.router.add_get(place, serve(path))  # type: ignore[arg-type]  # a handler
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_an_altered_page_is_named_whatever_the_server_says(liar: str) -> None:
    found = await compare(liar)
    assert found.differ == ("audience.html",) and not found.same and found.ours == found.theirs


@pytest.mark.parametrize("url", ["", "ftp://x", "127.0.0.1", "http://127.0.0.1:9"])
async def test_what_cannot_be_asked_is_told(url: str) -> None:
    with pytest.raises(CannotVerify):
        await compare(url)


async def test_from_the_command_line(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", folder=tmp_path) as served:
        url = await served.says("listening on ")
        code, out, _ = await ran("verify-pages", url, folder=tmp_path)
        assert (code, out.splitlines()[-1].split(":")[0]) == (0, "The same")
        (tmp_path / "directors.csv").write_text("부서명,담당자\n기획조정실,한도윤\n")
        await ran("create", "--title", "x", "--directors", "directors.csv", "--code", "NOV24", "--who", "link", folder=tmp_path)
        _, audit, _ = await ran("audit", "NOV24", folder=tmp_path)
        (tmp_path / "audit.jsonl").write_text(audit)
        code, out, _ = await ran("audit", "NOV24", "--check", "audit.jsonl", folder=tmp_path)
        assert code == 0 and out.startswith("The audit holds")
        (tmp_path / "audit.jsonl").write_text("\n".join(audit.splitlines()[:2]))
        code, out, _ = await ran("audit", "NOV24", "--check", "audit.jsonl", folder=tmp_path)
        assert (code, out) == (1, "The audit does not hold from entry 3 on.\n")
    code, _, errors = await ran("verify-pages", url, folder=tmp_path)
    assert code == 1 and "does not answer" in errors
