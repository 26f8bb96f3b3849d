"""One simulated employee who watches: joins, checks all it is sent, and comes back where it is told to."""

import re
import time
from typing import TYPE_CHECKING

import orjson

from loadtests.checker import Track
from loadtests.lean import DEFLATE, UPGRADE, LeanSocket

if TYPE_CHECKING:
    from loadtests.audience.crowd import Crowd

COME_BACK = re.compile(rb'"come_back_after_ms":(\d+)')
BUSY = (429, 503)
"""HTTP refusals after which a page tries again."""


class Viewer(LeanSocket):
    """A connection of number `number` in the crowd, with its track over all connections before."""

    __slots__ = ("_again_ms", "_begun", "_crowd", "number", "reading", "track", "was_cut")

    def __init__(self, crowd: "Crowd", number: int, track: Track, begun: float) -> None:
        super().__init__()
        self._crowd = crowd
        self._begun = begun
        self._again_ms: int | None = None
        self.number = number
        self.was_cut = False
        self.track = track
        self.reading = False
        """Whether it has joined: from then on it is counted."""

    def request(self) -> bytes:
        words = self._crowd.words
        more = DEFLATE if words.deflate else ""
        return UPGRADE.format(path=words.path, host=words.name or f"{words.host}:{words.port}", more=more).encode()

    def text(self, payload: bytes) -> None:
        crowd, track = self._crowd, self.track
        news = crowd.reader.read(payload)
        if news.kind == "other":
            return self._control(payload)
        crowd.frames += news.kind == "changed" and news.seq != news.after
        track.take(news)
        if not self.reading:
            self.reading = True
            crowd.joined(self, (time.monotonic() - self._begun) * 1e3)
        elif news.count:
            crowd.delivered(news)

    def _control(self, payload: bytes) -> None:
        crowd = self._crowd
        if payload.startswith(b"0{"):
            auth: dict[str, object] = {"code": crowd.words.code, "token": crowd.ticket(self.number)}
            if self.track.position >= 0:
                auth["since"] = {"epoch": crowd.epoch, "seq": self.track.position}
            self.send(b"40" + crowd.words.namespace.encode() + b"," + orjson.dumps(auth))
        elif payload.startswith(crowd.hello):
            body = orjson.loads(payload[len(crowd.hello) : -1])
            crowd.epoch = body["epoch"]
            if body["resumed"] and self.track.position == body["seq"] and not self.reading:
                self.reading = True
                crowd.joined(self, (time.monotonic() - self._begun) * 1e3)
        elif payload.startswith((crowd.bye, crowd.refusal)):
            crowd.closings[crowd.code_of(payload)] += 1
            found = COME_BACK.search(payload)
            self._again_ms = int(found[1]) if found else None
            if payload.startswith(crowd.refusal) and self.transport is not None:
                self.transport.close()

    def cut(self, again_ms: int) -> None:
        """Lose the connection, and come back after that time; how long it takes is counted from then on."""
        self._again_ms, self.was_cut = again_ms, True
        if self.transport is not None:
            self.transport.abort()

    def ended(self, status: int) -> None:
        again_ms = self._again_ms
        if status:
            self._crowd.closings[f"http {status}"] += 1
            if status in BUSY:
                again_ms = 1_000
        self._crowd.left(self, self._begun, again_ms)
