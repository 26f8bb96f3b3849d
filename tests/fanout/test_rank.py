"""What is written to a rank over real sockets: all of it to everybody, whoever is full or gone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
import uvloop

from server.fanout.group import Group
from server.fanout.rank import FEW, MOST, Rank, descriptor
from server.fanout.uring import Uring, open_uring
from server.fanout.viewer import GONE, Viewer
from tests.fanout.watcher import PLAIN, Watcher
from tests.waiting import until


class Wired(asyncio.Protocol, Viewer):
    """A viewer behind a real transport that says at once when it is full, as the server's connections do."""

    def __init__(self) -> None:
        Viewer.__init__(self, GONE, PLAIN)
        self.wire: Any = None
        self.full = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.wire = self.transport = cast("asyncio.Transport", transport)
        self.wire.set_write_buffer_limits(high=0)
        self.descriptor = descriptor(transport)

    def pause_writing(self) -> None:
        self.full += 1
        if self.rank is not None:
            self.rank.remove(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self.rank is not None:
            self.rank.remove(self)


LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
WAYS = pytest.mark.parametrize("way", [lambda: None, open_uring], ids=["call by call", "io_uring"])
"""Where io_uring is not granted (tests/fanout/test_uring.py says so) both are the first."""
Way = Callable[[], Uring | None]
Loop = Callable[[], asyncio.AbstractEventLoop]


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[list[tuple[Wired, socket.socket]]]:
    """Viewers and the other ends, which nobody reads unless the test does."""
    pairs = []
    for _ in range(FEW + 3):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            here = socket.create_connection(server.getsockname())
            here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
            there, _ = server.accept()
        _, viewer = await asyncio.get_running_loop().create_connection(Wired, sock=here)
        there.setblocking(False)
        pairs.append((viewer, there))
    yield pairs
    for viewer, there in pairs:
        there.close()
        viewer.wire.abort()
    await until(lambda: all(viewer.lost for viewer, _ in pairs))


@contextlib.asynccontextmanager
async def made(way: Way) -> AsyncIterator[Uring | None]:
    """To write with."""
    uring = way()
    yield uring
    if uring is not None:
        assert uring.works
        uring.close()


async def read(there: socket.socket, count: int) -> bytes:
    """So many bytes."""
    got = b""
    while len(got) < count:
        got += await asyncio.get_running_loop().sock_recv(there, 65_536)
    return got


@LOOPS
@WAYS
def test_whoever_is_full_gets_the_rest_of_a_frame_later_and_nothing_in_between(loop: Loop, way: Way) -> None:
    async def play() -> None:
        async with connected() as pairs, made(way) as uring:
            rank = Rank(0, 0, 0)
            for viewer, _ in pairs:
                assert viewer.descriptor >= 0
                rank.add(viewer)
            frames = [bytes([number]) * 3_001 for number in range(1, 100)]
            for number, frame in enumerate(frames, 1):
                rank.seq = number
                rank.write(frame, uring)
                for _, there in pairs[1:]:
                    assert await read(there, len(frame)) == frame
            # The first one read nothing: it left the rank with a frame that had begun, knows its place, and got none after it.
            stuck, there = pairs[0]
            assert stuck.full == 1
            assert stuck.rank is None
            assert 0 < stuck.seq < len(frames)
            begun = b"".join(frames[: stuck.seq])
            assert await read(there, len(begun)) == begun
            assert len(rank) == len(pairs) - 1

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(play())


@LOOPS
@WAYS
def test_whoever_is_gone_costs_the_others_nothing(loop: Loop, way: Way) -> None:
    async def play() -> None:
        async with connected() as pairs, made(way) as uring:
            rank = Rank(0, 0, 0)
            for viewer, _ in pairs:
                rank.add(viewer)
            pairs[2][1].close()
            rank.write(b"one", uring)
            rank.write(b"two", uring)
            await until(lambda: pairs[2][0].lost)
            rank.write(b"three", uring)
            for viewer, there in pairs:
                if not viewer.lost:
                    assert await read(there, 11) == b"onetwothree"
            assert len(rank) == len(pairs) - 1

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(play())


def test_ranks_that_shrank_become_one() -> None:
    group = Group()
    viewers = [Watcher(PLAIN) for _ in range(3 * MOST)]
    for viewer in viewers:
        group.apart.add(viewer)
        group.fall_in(viewer, 7, 3, 0)
    assert [len(rank) for rank in group.ranks] == [MOST, MOST, MOST]
    left = [viewers[0], viewers[MOST], viewers[-1]]
    for viewer in viewers:
        if viewer not in left:
            group.discard(viewer)
    group.close_ranks(3)
    assert [list(rank) for rank in group.ranks] == [left]
    group.part(viewers[0])
    assert (viewers[0].seq, viewers[0].rank) == (7, None)
    assert viewers[0] in group.apart
    assert len(group) == 3
