"""What every browser asks that comes in, without a request object or a handler: the bytes of the entrance's answers.

What is answered here is what the routes of `server.http.join` and `server.http.redeem` would answer, byte for byte; what is in
any way unusual is not answered here.
"""

import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from protocol import wire
from protocol.frames import Ack
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from server.answers import accepted, refused, status
from server.front.answer import dated
from server.front.head import Head, keeps, usual
from server.http.address import Addresses, peer_of
from server.http.entrance import GOES_ON, Entrance, Told, What
from server.http.errors import internal
from server.http.replies import JSON, headers_of, spoken

_TARGET = re.compile(r"/api/v1/halls/([A-Za-z0-9]{1,32})(?:/(join|nonce|redeem))?")
_LENGTH = re.compile(r"[0-9]{1,6}")
_WHATS: dict[str | None, What] = {None: "card", "join": "join", "nonce": "nonce", "redeem": "redeem"}


@dataclass(frozen=True, slots=True)
class Asked:
    """`length`: bytes of the body that belongs to it. `forwarded`: X-Forwarded-For. `keeps`: whether the connection goes on."""

    what: What
    code: str
    lang: Language
    length: int
    forwarded: str
    keeps: bool


class Asks:
    """`wall`: unix seconds."""

    def __init__(self, entrance: Entrance, addresses: Addresses, wall: Callable[[], float] = time.time) -> None:
        self._entrance = entrance
        self._addresses = addresses
        self._wall = wall

    def takes(self, target: str) -> bool:
        """Whether there may be an answer for a request for `target`."""
        return _TARGET.fullmatch(target) is not None

    def asked(self, head: Head) -> Asked | None:
        """What is asked; None: somebody else must answer."""
        found = _TARGET.fullmatch(head.target)
        if found is None or not usual(head) or "content-encoding" in head.headers:
            return None
        what = _WHATS[found[2]]
        if head.method != ("GET" if what == "card" else "POST"):
            return None
        get = head.headers.get
        length = get("content-length", "0")
        if _LENGTH.fullmatch(length) is None or int(length) > (limit("frame_bytes") if what == "redeem" else 0):
            return None
        lang = spoken(get("accept-language", ""))
        return Asked(what, found[1], lang, int(length), get("x-forwarded-for", ""), what in GOES_ON and keeps(head))

    def answer(self, asked: Asked, body: bytes, transport: object) -> bytes | Coroutine[Any, Any, bytes]:
        """All that is to be written, or what to await for it. Never raises."""
        try:
            told: Told | Coroutine[Any, Any, Told] | None
            told = self._entrance.too_many(asked.what, lambda: self._addresses.key(peer_of(transport), asked.forwarded))
            if told is None:
                told = self._entrance.told(asked.what, asked.code, body)
        except Exception:
            told = internal(_route(asked.what))
        return self._ready(told, asked) if isinstance(told, dict | Refusal) else self._awaited(told, asked)

    async def _awaited(self, coming: Coroutine[Any, Any, Told], asked: Asked) -> bytes:
        told: Told
        try:
            told = await coming
        except Exception:
            told = internal(_route(asked.what))
        return self._ready(told, asked)

    def too_late(self, asked: Asked) -> bytes:
        """All that is to be written to somebody whose body has not come in time; then nothing more is read."""
        return self._whole(refused(Refusal("bad_request"), asked.lang), HTTPStatus.REQUEST_TIMEOUT, closes=False)

    def _ready(self, told: Told, asked: Asked) -> bytes:
        ack = refused(told, asked.lang) if isinstance(told, Refusal) else accepted(data=told)
        return self._whole(ack, status(ack), closes=not asked.keeps)

    def _whole(self, ack: Ack, code: int, *, closes: bool) -> bytes:
        body = wire.dumps(ack)
        retry_after = headers_of(ack).get("Retry-After", "") if ack.error is not None else ""
        head = b"%bContent-Length: %d\r\n" % (_head(code, retry_after), len(body))
        return dated(head, body, self._wall(), closes=closes)


def _route(what: What) -> str:
    return "/api/v1/halls/{code}" + ("" if what == "card" else f"/{what}")


@lru_cache(256)
def _head(code: int, retry_after: str) -> bytes:
    """The first lines of an answer. Headers stand in the order in which aiohttp writes them."""
    told = {**headers_of(Ack(ok=True)), **({"Retry-After": retry_after} if retry_after else {}), "Content-Type": JSON}
    lines = [f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join((*lines, "")).encode()
