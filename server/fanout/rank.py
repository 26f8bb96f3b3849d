"""Viewers who were sent the same up to the same flush: one after the other is written to, and none of them is looked at.

What is written to ten thousand in a row costs what the kernel takes for it, and a tenth of that. Where a connection is a
socket of the kernel's that has taken all it was given before, the bytes go to its descriptor, for a whole rank by one system
call where there is io_uring; its transport gets what the kernel did not take, and is told of every error.
"""

import asyncio
import os
from collections.abc import Iterable, Iterator

from server.fanout.uring import ENTRIES, Batch, Uring
from server.fanout.viewer import Viewer

MOST = ENTRIES
"""Viewers of a rank: written to within a millisecond, then others may have a turn."""
FEW = 4
"""So many are written to one by one: to lay out one call for them takes as long."""


class Rank:
    """`seq`, `flush`: position and number of the last flush that all were sent. `since`: number of the flush from which on they
    were sent each; 0: long enough not to matter."""

    __slots__ = ("_batch", "_direct", "_others", "flush", "seq", "since")

    def __init__(self, seq: int, flush: int, since: int) -> None:
        self.seq = seq
        self.flush = flush
        self.since = since
        self._batch: Batch | None = None
        """Of those in `_direct`; None: not made yet."""
        self._direct: dict[int, Viewer] = {}
        self._others: dict[Viewer, None] = {}

    def __len__(self) -> int:
        return len(self._direct) + len(self._others)

    def __iter__(self) -> Iterator[Viewer]:
        yield from self._direct.values()
        yield from self._others

    def add(self, viewer: Viewer) -> None:
        """It was sent what the others were sent. It must have taken all."""
        viewer.rank = self
        if viewer.descriptor >= 0:
            self._direct[viewer.descriptor] = viewer
            self._batch = None
        else:
            self._others[viewer] = None

    def remove(self, viewer: Viewer) -> None:
        """From now on it stands on its own, where it is."""
        viewer.rank = None
        viewer.seq = self.seq
        if viewer.descriptor >= 0:
            del self._direct[viewer.descriptor]
            self._batch = None
        else:
            del self._others[viewer]

    def write(self, ready: bytes, uring: Uring | None = None) -> None:
        """To all of them. Those who do not take it tell their room, and are gone from here."""
        if uring is not None and uring.works and len(self._direct) > FEW:
            if self._batch is None:
                self._batch = Batch(tuple(self._direct))
            short = uring.send(self._batch, ready)
        else:
            short = _one_by_one(self._direct, ready)
        for viewer, taken in [(self._direct[number], taken) for number, taken in short]:
            viewer.transport.write(ready[taken:])
        for viewer in tuple(self._others):
            viewer.transport.write(ready)


def _one_by_one(descriptors: Iterable[int], ready: bytes) -> list[tuple[int, int]]:
    """(descriptor, bytes taken) of those that did not take all."""
    size, short = len(ready), []
    write = os.write
    for number in descriptors:
        try:
            taken = write(number, ready)
        except OSError:
            taken = 0  # full, or broken: its transport finds out which
        if taken != size:
            short.append((number, taken))
    return short


def descriptor(transport: asyncio.BaseTransport) -> int:
    """Of the socket that `transport` writes to as it is given; -1: bytes must go through the transport."""
    socket = transport.get_extra_info("socket")
    if socket is None or transport.get_extra_info("sslcontext") is not None or os.name == "nt":
        return -1
    number: int = socket.fileno()
    return number
