"""The head of a request, parsed by llhttp (httptools). Nothing of it is kept once it is answered."""

from collections.abc import Mapping
from typing import NamedTuple

import httptools

from server.http.security import HOST

HEAD_MAX = 8_192
"""Bytes of a handshake's head; a browser sends about 600."""
_MORE = frozenset(("transfer-encoding", "expect", "upgrade"))


class Head(NamedTuple):
    """`headers`: by name in lower case; the values of one that is repeated stand behind each other (RFC 9110, 5.3)."""

    method: str
    version: str
    target: str
    headers: Mapping[str, str]


def usual(head: Head) -> bool:
    """Whether it asks for an answer and nothing more: HTTP/1.1, a host that is one, a body, if any, of a length that is told."""
    get = head.headers.get
    if head.version != "1.1" or HOST.fullmatch(get("host", "")) is None:
        return False
    return get("connection", "keep-alive").lower() in ("keep-alive", "close") and _MORE.isdisjoint(head.headers)


def keeps(head: Head) -> bool:
    """Whether the connection of a usual one goes on."""
    return head.headers.get("connection", "").lower() != "close"


class _Collector:
    """What llhttp calls."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: dict[str, str] = {}
        self.heads = 0

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        self.heads += 1


def parse(raw: bytes) -> Head | None:
    """The head that `raw` is, up to and with its empty line; None: it is none, or more than one."""
    found = _Collector()
    parser = httptools.HttpRequestParser(found)
    try:
        parser.feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        return None
    if found.heads != 1:
        return None
    return Head(parser.get_method().decode(), parser.get_http_version(), found.target.decode("latin-1"), found.headers)
