"""The built pages without a request object, a task or a handler: whole answers, made once and written as they are.

What is answered here is what `server.http.built` and `server.http.pages` would answer, byte for byte; what is in any way
unusual is not answered here.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from protocol.setup import Video
from server.front.answer import dated
from server.front.head import Head, keeps, usual
from server.halls.runtime import Runtime
from server.http.built import Built, has
from server.http.pages import page_headers
from server.http.security import headers

ANSWERS_MAX = 512
"""Whole answers that are kept: about four for each built file. Those of pages differ by host and video."""
_ALONE = {"/": "join", "/organiser": "organiser", "/privacy": "privacy"}
_OF_A_HALL = re.compile(r"/(t|host|director|overlay)/([A-Za-z0-9]{1,32})")


@dataclass(slots=True)
class Whole:
    """An answer. Its bytes are made anew when the second of its date has passed: all who ask within one share them."""

    tag: str
    head: bytes
    body: bytes
    second: int = 0
    ready: bytes = field(default=b"", repr=False)

    def at(self, now: float) -> bytes:
        """All of it, at unix second `now`."""
        if int(now) != self.second:
            self.second = int(now)
            self.ready = dated(self.head, self.body, now)
        return self.ready


class Files:
    """`here(code)`: a town hall that is loaded. `wall`: unix seconds.

    Bounded: beside the built files (`built.BYTES_MAX`) at most ANSWERS_MAX answers, each a copy of one of them.
    """

    def __init__(
        self, built: Mapping[str, Built], here: Callable[[str], Runtime | None], wall: Callable[[], float] = time.time
    ) -> None:
        self._built = built
        self._here = here
        self._wall = wall
        self._answer = lru_cache(ANSWERS_MAX)(self._make)

    def takes(self, target: str) -> bool:
        """Whether there may be an answer for a request for `target`."""
        return target in _ALONE or target[1:] in self._built or _OF_A_HALL.fullmatch(target) is not None

    def answer(self, head: Head) -> tuple[bytes, bool] | None:
        """(all that is to be written, whether the connection goes on); None: somebody else must answer."""
        get = head.headers.get
        if head.method not in ("GET", "HEAD") or not usual(head) or "content-length" in head.headers:
            return None
        found = self._file(head.target, get("host", ""))
        if found is None:
            return None
        name, host, video = found
        encoding, _ = self._built[name].form(get("accept-encoding", ""))
        kind = "head" if head.method == "HEAD" else ""
        answer = self._answer(name, kind, encoding, host, video)
        if has(get("if-none-match", ""), answer.tag):
            answer = self._answer(name, "304", encoding, host, video)
        ready = answer.at(self._wall())
        if not keeps(head):
            return ready.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1), False
        return ready, True

    def _file(self, target: str, host: str) -> tuple[str, str, Video | None] | None:
        """(file, host, video), the host only where the answer differs by it."""
        if target in _ALONE:
            return self._page(_ALONE[target], host, None)
        if target.startswith("/assets/") or target == "/favicon.svg":
            return (target[1:], "", None) if target[1:] in self._built else None
        asked = _OF_A_HALL.fullmatch(target)
        if asked is None:
            return None
        if asked[1] != "t":
            return self._page(asked[1], host, None)
        runtime = self._here(asked[2].upper())
        if runtime is None or runtime.stopped:
            return None
        return self._page("audience", host, runtime.hall.setup.video)

    def _page(self, name: str, host: str, video: Video | None) -> tuple[str, str, Video | None] | None:
        return (f"{name}.html", host, video) if f"{name}.html" in self._built else None

    def _make(self, name: str, kind: str, encoding: str, host: str, video: Video | None) -> Whole:
        """`kind`: `head` or `304`, both without a body, or "". Headers stand in the order in which aiohttp writes them."""
        built = self._built[name]
        if host:
            common = page_headers(name.removesuffix(".html"), host, video)
        else:
            common = headers("page" if name == "favicon.svg" else "asset")
        _, body = built.form(encoding)
        told = built.headers(encoding, common, whole=kind != "304")
        tag = told["ETag"]
        if kind != "304":
            told["Content-Length"] = str(len(body))
        status = "304 Not Modified" if kind == "304" else "200 OK"
        lines = [f"HTTP/1.1 {status}", *(f"{header}: {value}" for header, value in told.items())]
        return Whole(tag, "\r\n".join((*lines, "")).encode(), b"" if kind else body)
