"""The headers of every answer, as a table. W-05 compares each route with it."""

import re
from typing import Final
from urllib.parse import urlsplit

from protocol.setup import Video

UNUSED: Final = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)
"""Features of browsers that no page of ours uses, but the audience's the camera (pages.py); an embedded video may use none."""


def permissions(*used: str) -> str:
    """The policy: nothing of `UNUSED`, but `used` for the page itself, and for nothing that is embedded in it."""
    return ", ".join(f"{feature}={'(self)' if feature in used else '()'}" for feature in UNUSED)


SERVER: Final = "townhall"
"""Without a version, and without those of what it is made of."""
COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": permissions(),
    "X-Frame-Options": "DENY",
    "Server": SERVER,
}
"""On everything."""
CACHE: Final = {
    "page": "no-cache",
    "asset": "public, max-age=31536000, immutable",
    "api": "no-store",
}
HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
"""A host and a port (RFC 3986, 3.2.2), in the letters that mean nothing in a policy."""
API_CSP: Final = "default-src 'none'; frame-ancestors 'none'"


def page_csp(host: str, video: Video | None = None, *, own_styles: bool = False) -> str:
    """The policy of a page: nothing from anywhere else, but the town hall's own video on the page that plays it.

    `host`: as the request names it; written out for browsers in which 'self' does not cover WebSocket. `own_styles`: of
    a producer, for the overlay: OBS puts its "Custom CSS" into a `<style>` (obs-browser #189), until 2024 through
    innerHTML (#449). Styles can still fetch nothing from anywhere else.
    """
    frame = media = connect = ""
    origin = "" if video is None else origin_of(video.url)
    if video is not None and origin:
        frame = origin if video.kind == "iframe" else ""
        media = f" {origin} blob:" if video.kind == "hls" else ""
        connect = f" {origin}" if video.kind == "hls" else ""
    own = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'" + (" 'unsafe-inline'" if own_styles else ""),
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self'{own}{connect}",
            f"media-src 'self'{media}",
            "frame-src " + (frame or "'none'"),
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            *([] if own_styles else ["require-trusted-types-for 'script'"]),
        ]
    )


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; "" where it would be anything else in a policy than that."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        netloc = f"[{host}]" if ":" in host else host
        netloc += f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{netloc}" if parts.scheme in ("http", "https") and HOST.fullmatch(netloc) else ""


def headers(kind: str, csp: str = API_CSP) -> dict[str, str]:
    """Of an answer of `kind`: `page`, `asset` or `api`."""
    return {**COMMON, "Cache-Control": CACHE[kind], "Content-Security-Policy": csp}
