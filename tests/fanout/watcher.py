"""A viewer in memory, as a browser would be: reads frames, inflates them with one window for its whole life, folds intervals."""

import zlib
from typing import Any

import orjson

from protocol.frames import CHANGED, RESET
from server.fanout.deflate import TAIL, Deflate
from server.fanout.forms import Form, socket_io_form
from server.fanout.room import Room
from server.fanout.viewer import Viewer

PLAIN = socket_io_form("/audience", None)
FOLLOWS = socket_io_form("/audience", Deflate(follows=True))
ALONE = socket_io_form("/audience", Deflate(follows=False))


class Watcher(Viewer):
    """`takes`: whether what is written leaves at once; else it is stuck from the first write on, as over a full socket."""

    def __init__(self, form: Form) -> None:
        super().__init__(self, form)
        self.room: Room | None = None
        self.takes = True
        self.left = False
        self.unread: list[bytes] = []
        self.news: list[tuple[str, Any]] = []
        self.position = -1
        self.known: dict[str, int] = {}
        self.bytes = 0
        self.byes: list[int] = []
        self._window = zlib.decompressobj(-15)
        self._keeps = form is not ALONE

    def write(self, data: bytes) -> None:
        """From the room."""
        assert not self.left
        if not self.takes:
            assert not self.unread, "nothing is written to one who does not read"
            if data:
                self.unread.append(data)
                assert self.room is not None
                self.room.stuck(self)
            return
        self._read(data)

    def flows(self) -> bool:
        return not self.unread

    def bye(self, code: int, come_back_after_ms: int | None) -> None:
        self.byes.append(code)

    def clog(self) -> None:
        """Something else that was written, an acknowledgement, does not leave."""
        self.takes = False
        if not self.unread:
            self.unread.append(b"")
            assert self.room is not None
            self.room.stuck(self)

    def leave(self) -> None:
        """The connection has ended, maybe in the middle of a flush."""
        assert self.room is not None
        self.room.leave(self)
        self.left = True

    def drain(self) -> None:
        """Read what waits, and go on."""
        self.takes = True
        waiting, self.unread = self.unread, []
        for data in waiting:
            self._read(data)
        assert self.room is not None
        if waiting:
            self.room.drained(self)

    def _read(self, data: bytes) -> None:
        self.bytes += len(data)
        at = 0
        while at < len(data):
            squeezed, length = data[at] & 0x40, data[at + 1]
            at += 2
            if length > 125:
                wide = 2 if length == 126 else 8
                length = int.from_bytes(data[at : at + wide], "big")
                at += wide
            payload = data[at : at + length]
            at += length
            if squeezed:
                window = self._window if self._keeps else zlib.decompressobj(-15)
                payload = window.decompress(payload + TAIL)
            self._fold(*orjson.loads(payload.partition(b",")[2]))

    def _fold(self, name: str, body: Any) -> None:
        self.news.append((name, body))
        if name == RESET:
            self.known = {entry["n"]: entry["v"] for entry in body["entries"]}
            self.position = body["seq"]
        elif name == CHANGED:
            assert body["after"] == self.position, "every entry once and in order"
            self.known.update((entry["n"], entry["v"]) for entry in body["entries"])
            self.position = body["seq"]
