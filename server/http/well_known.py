"""What the served pages hash to, for whoever compares them with a checkout's build (`townhall verify-pages`)."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from protocol import wire
from protocol.frames import PROTOCOL
from server.http.built import Built, folder, read
from server.http.security import headers

PLACES = {
    "join.html": "/",
    "audience.html": "/t/VERIFY",
    "host.html": "/host/VERIFY",
    "director.html": "/director/VERIFY",
    "overlay.html": "/overlay/VERIFY",
    "organiser.html": "/organiser",
    "privacy.html": "/privacy",
    "admit.html": "/admit/VERIFY",
    "issuer.html": "/organiser",
}
"""Where a page is served; everything else is at its own path."""
ISSUERS = frozenset({"admit.html", "issuer.html"})
"""Pages that the issuer serves, not the chat."""


def hashes(built: Mapping[str, Built]) -> dict[str, str]:
    """{path: SHA-256} of every built file."""
    return {path: hashlib.sha256(file.plain).hexdigest() for path, file in sorted(built.items())}


def bundle(files: Mapping[str, str]) -> str:
    """One SHA-256 over all of them: of `HASH  PATH` lines in the order of paths, as `sha256sum` writes them."""
    return hashlib.sha256("".join(f"{files[path]}  {path}\n" for path in sorted(files)).encode()).hexdigest()


@lru_cache(1)
def pages_hash() -> str:
    """Of the pages that are built here; "" where none are. The report prints it."""
    found = folder()
    return bundle(hashes(read(found))) if found is not None else ""


def product() -> str:
    """Name and version of the product."""
    try:
        return f"townhall {version('townhall')}"
    except PackageNotFoundError:
        return "townhall"


def routes(built: Mapping[str, Built], serves: str) -> list[web.RouteDef]:
    """`GET /.well-known/townhall`. `serves`: `chat` or `issuer`."""
    files = hashes(built)
    told = wire.dumps(
        {"product": product(), "protocol": PROTOCOL, "serves": serves, "pages": {"sha256": bundle(files), "files": files}}
    )

    async def well_known(request: web.Request) -> web.StreamResponse:
        return web.Response(body=told, content_type="application/json", headers=headers("api"))

    return [web.get("/.well-known/townhall", well_known)]
