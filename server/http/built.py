"""The built pages: read once at the start, served from memory, compressed beforehand."""

import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from aiohttp import web

from server.http.security import headers

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
BYTES_MAX = 32 * 1024**2
"""All pages and assets together."""
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Built:
    """A built file, plain and compressed."""

    kind: str
    plain: bytes
    br: bytes | None
    gz: bytes | None

    def response(self, request: web.Request, extra: dict[str, str]) -> web.Response:
        """The smallest form that the client takes."""
        accepted = request.headers.get("Accept-Encoding", "")
        for encoding, body in (("br", self.br), ("gzip", self.gz)):
            if body is not None and encoding in accepted:
                extra = {**extra, "Content-Encoding": encoding, "Vary": "Accept-Encoding"}
                return web.Response(body=body, content_type=self.kind, charset=self._charset(), headers=extra)
        return web.Response(body=self.plain, content_type=self.kind, charset=self._charset(), headers=extra)

    def _charset(self) -> str | None:
        return "utf-8" if self.kind.startswith("text/") else None


def folder() -> Path | None:
    """Where the built pages are; None: they were not built."""
    found = Path(str(files("server").joinpath("_pages")))
    return found if (found / "audience.html").exists() else None


def read(pages: Path) -> dict[str, Built]:
    """{path below the folder: file}."""
    found: dict[str, Built] = {}
    total = 0
    for path in sorted(pages.rglob("*")):
        if not path.is_file() or path.suffix in (".br", ".gz") or path.name.startswith("."):
            continue
        plain = path.read_bytes()
        total += len(plain)
        if total > BYTES_MAX:
            raise ValueError(f"the built pages are larger than {BYTES_MAX} bytes")
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        found[path.relative_to(pages).as_posix()] = Built(kind, plain, _beside(path, ".br"), _beside(path, ".gz"))
    return found


def _beside(path: Path, suffix: str) -> bytes | None:
    other = path.with_name(path.name + suffix)
    return other.read_bytes() if other.exists() else None


def assets(built: dict[str, Built]) -> list[web.RouteDef]:
    """`/assets/…` and `/favicon.svg`."""

    async def asset(request: web.Request) -> web.StreamResponse:
        found = built.get(f"assets/{request.match_info['name']}")
        if found is None:
            raise web.HTTPNotFound
        return found.response(request, headers("asset"))

    async def icon(request: web.Request) -> web.StreamResponse:
        found = built.get("favicon.svg")
        if found is None:
            raise web.HTTPNotFound
        return found.response(request, headers("page"))

    return [web.get("/favicon.svg", icon), web.get("/assets/{name}", asset)]
