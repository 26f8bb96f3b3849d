"""The built pages: served from memory, in the smallest form that a client takes."""

import gzip
from pathlib import Path

import aiohttp
import pytest

from server.http import built
from tests.server.serving import Server, serving

BUILT = Path("server/_pages")


async def fetched(server: Server, path: str, encoding: str) -> tuple[dict[str, str], bytes]:
    """(headers, body as it came)."""
    headers = {"Accept-Encoding": encoding}
    async with aiohttp.ClientSession(auto_decompress=False, headers=headers) as session:
        async with session.get(server.node.url + path) as response:
            assert response.status == 200
            return dict(response.headers), await response.read()


@pytest.mark.parametrize("name", ["join", "audience", "host", "director", "overlay", "organiser"])
async def test_every_page_is_served_plain_and_compressed(server: Server, name: str) -> None:
    path = {"join": "/", "organiser": "/organiser", "audience": "/t/ANY4"}.get(name, f"/{name}/ANY4")
    plain = (BUILT / f"{name}.html").read_bytes()
    headers, body = await fetched(server, path, "identity")
    assert body == plain and "Content-Encoding" not in headers
    headers, body = await fetched(server, path, "gzip, deflate")
    assert headers["Content-Encoding"] == "gzip" and headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == plain


async def test_the_better_compression_is_preferred(server: Server) -> None:
    asset = max(BUILT.glob("assets/*.js"), key=lambda path: path.stat().st_size)
    headers, body = await fetched(server, f"/assets/{asset.name}", "gzip, deflate, br")
    assert headers["Content-Encoding"] == "br"
    assert body == asset.with_name(asset.name + ".br").read_bytes()
    assert len(body) < len(gzip.compress(asset.read_bytes()))


async def test_what_was_not_built_is_not_served(server: Server) -> None:
    for path in ("/assets/../settings.py", "/assets/%2e%2e/join.html", "/assets/x.js", "/join.html", "/assets/join.html.br"):
        async with server.session.get(server.node.url + path) as response:
            assert response.status == 404, path


async def test_a_server_without_pages_tells_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "folder", lambda: None)
    async with serving(tmp_path / "data") as server, server.session.get(server.node.url) as response:
        assert response.status == 503
        assert "make build" in await response.text()


def test_pages_beyond_all_measure_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "audience.html").write_bytes(b"x" * 1_000)
    monkeypatch.setattr(built, "BYTES_MAX", 999)
    with pytest.raises(ValueError, match="larger than 999 bytes"):
        built.read(tmp_path)
