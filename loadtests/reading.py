"""From the bytes of a frame to News. What many viewers are sent is read once."""

import re
import zlib
from collections import deque

import orjson

from loadtests.checker import News
from loadtests.marks import pattern, read
from protocol.frames import CHANGED, RESET

KEPT = 8
"""Frames that are remembered: those that different viewers are being sent at the same time."""
OTHER = News("other")


class Reader:
    """`namespace`: of the view, as `/audience`. `run`: whose marks are looked for."""

    def __init__(self, namespace: str, run: str) -> None:
        self._changed = f'42{namespace},["{CHANGED}",'.encode()
        self._reset = f'42{namespace},["{RESET}",'.encode()
        self._pattern: re.Pattern[str] = pattern(run)
        self._known: deque[tuple[bytes, News]] = deque(maxlen=KEPT)

    def read(self, payload: bytes) -> News:
        """`payload` of a text frame. Equal payloads give the same object."""
        for known, news in self._known:
            if known == payload:
                return news
        news = self._parse(payload)
        if news is not OTHER:
            self._known.appendleft((payload, news))
        return news

    def _parse(self, text: bytes) -> News:
        if text.startswith(self._changed):
            body = orjson.loads(text[len(self._changed) : -1])
            return News("changed", body["after"], body["seq"], self._marks(body["entries"]))
        if text.startswith(self._reset):
            # What a snapshot shows is no delivery: it may leave older messages out, and a viewer counts from here.
            return News("reset", seq=orjson.loads(text[len(self._reset) : -1])["seq"])
        return OTHER

    def _marks(self, entries: list[dict[str, object]]) -> tuple[tuple[int, int, int], ...]:
        found = []
        for entry in entries:
            text, id = entry.get("text"), entry.get("id")
            if entry.get("k") == "message" and isinstance(text, str) and isinstance(id, int):
                found += [(id, *read(one)) for one in self._pattern.finditer(text)]
        return tuple(found)


class Inflate:
    """Undoes permessage-deflate (RFC 7692, 7.2.2) for one connection, as a browser does: what came before may be referred
    to. `most`: bytes of one message."""

    __slots__ = ("_machine", "_most")

    def __init__(self, most: int = 1 << 22) -> None:
        self._machine = zlib.decompressobj(wbits=-15)
        self._most = most

    def __call__(self, payload: bytes) -> bytes:
        """Raises ValueError if it is not deflate, or larger."""
        try:
            text = self._machine.decompress(payload + b"\x00\x00\xff\xff", self._most)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if self._machine.unconsumed_tail:
            raise ValueError("inflates without end")
        return text
