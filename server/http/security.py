"""The headers of every answer, as a table. W-05 compares each route with it."""

from typing import Final
from urllib.parse import urlsplit

from protocol.setup import Video

COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    "X-Frame-Options": "DENY",
    "Server": "townhall",
}
"""On everything."""
CACHE: Final = {
    "page": "no-cache",
    "asset": "public, max-age=31536000, immutable",
    "api": "no-store",
}
API_CSP: Final = "default-src 'none'; frame-ancestors 'none'"


def page_csp(host: str, video: Video | None) -> str:
    """The policy of a page: nothing from anywhere else, but the town hall's own video where there is one."""
    frame = media = connect = ""
    if video is not None:
        parts = urlsplit(video.url)
        origin = f" {parts.scheme}://{parts.netloc}"
        frame = origin if video.kind == "iframe" else ""
        media = f"{origin} blob:" if video.kind == "hls" else ""
        connect = origin if video.kind == "hls" else ""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' ws://{host} wss://{host}{connect}",
            f"media-src 'self'{media}",
            "frame-src" + (frame or " 'none'"),
            "worker-src " + ("'self' blob:" if media else "'none'"),
            "manifest-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


def headers(kind: str, csp: str = API_CSP) -> dict[str, str]:
    """Of an answer of `kind`: `page`, `asset` or `api`."""
    return {**COMMON, "Cache-Control": CACHE[kind], "Content-Security-Policy": csp}
