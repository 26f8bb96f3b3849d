"""The built pages: read once at the start, served from memory, compressed beforehand."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
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

    @property
    def content_type(self) -> str:
        """Of all its forms."""
        return f"{self.kind}; charset=utf-8" if self.kind.startswith("text/") else self.kind

    def form(self, accepted: str) -> tuple[str, bytes]:
        """(encoding, body): the smallest form that a client takes. `accepted`: Accept-Encoding."""
        for encoding in preferred(accepted):
            body = self.br if encoding == "br" else self.gz
            if body is not None:
                return encoding, body
        return "", self.plain

    def headers(self, encoding: str, common: Mapping[str, str], *, whole: bool = True) -> dict[str, str]:
        """Of an answer with the form `encoding`; not `whole`: of one that only says that nothing has changed (304).

        The tag is also that of the headers, so that a page whose policy has changed is fetched again.
        """
        tag = hashlib.sha256("\n".join((encoding, *common.values(), "")).encode() + self.plain).hexdigest()[:24]
        found = {**common, "ETag": f'"{tag}"'}
        if self.br is not None or self.gz is not None:
            found["Vary"] = "Accept-Encoding"
        if encoding and whole:
            found["Content-Encoding"] = encoding
        if whole:
            found["Content-Type"] = self.content_type
        return found

    def response(self, request: web.Request, common: Mapping[str, str]) -> web.Response:
        """The smallest form that the client takes, or that it has it already."""
        encoding, body = self.form(", ".join(request.headers.getall("Accept-Encoding", ())))
        found = self.headers(encoding, common)
        if has(", ".join(request.headers.getall("If-None-Match", ())), found["ETag"]):
            return web.Response(status=304, headers=self.headers(encoding, common, whole=False))
        return web.Response(body=body, headers=found)


@lru_cache(64)
def preferred(accepted: str) -> tuple[str, ...]:
    """Those of `br` and `gzip` that a client takes, the one it likes best first (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        name, _, weight = parameters.partition("=")
        try:
            weights[coding.strip()] = float(weight) if name.strip() == "q" else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    liked = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in ("br", "gzip")}
    return tuple(sorted((coding for coding in liked if liked[coding] > 0), key=lambda coding: -liked[coding]))


def has(seen: str, tag: str) -> bool:
    """Whether a client that sends If-None-Match `seen` holds what `tag` names (RFC 9110, 13.1.2: compared weakly)."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in seen.split(",")) if seen else False


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


def assets(built: Mapping[str, Built]) -> list[web.RouteDef]:
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
