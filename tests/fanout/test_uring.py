"""Many sends by one call: all of the bytes to everybody, and who did not take them is named."""

import contextlib
import os
import random
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.fanout.uring import ENTRIES, Batch, Uring, open_uring


def granted() -> bool:
    """Whether this kernel says that it has what is asked for and gives it to us."""
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    switch = Path("/proc/sys/kernel/io_uring_disabled")
    return release >= (6, 1) and (not switch.exists() or switch.read_text("ascii").strip() == "0")


needs_uring = pytest.mark.skipif(
    not granted(), reason="this kernel has no io_uring, or grants none: server/fanout/rank.py goes on"
)


def fill(end: socket.socket) -> None:
    """Until it takes nothing."""
    with contextlib.suppress(BlockingIOError):
        while True:
            end.send(b"y")


@pytest.fixture
def uring() -> Iterator[Uring]:
    made = Uring()
    yield made
    made.close()


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(ENTRIES)]
    for ends in made:
        for end in ends:
            end.setblocking(False)
    yield made
    for ends in made:
        for end in ends:
            end.close()


@needs_uring
def test_batches_of_all_sizes_go_round_the_ring_and_arrive_whole(
    uring: Uring, pairs: list[tuple[socket.socket, socket.socket]]
) -> None:
    draw = random.Random(5)
    sent = dict.fromkeys(range(ENTRIES), b"")
    for turn in range(300):
        chosen = draw.sample(range(ENTRIES), draw.randint(1, ENTRIES))
        ready = b"%d:" % turn + draw.randbytes(draw.choice([1, 7, 400]))
        assert uring.send(Batch([pairs[place][0].fileno() for place in chosen]), ready) == []
        for place in chosen:
            sent[place] += ready
        if turn % 50 == 49:
            for place, (_, there) in enumerate(pairs):
                assert (there.recv(1 << 20) if sent[place] else b"") == sent[place]
            sent = dict.fromkeys(range(ENTRIES), b"")


@needs_uring
def test_one_batch_is_sent_again_with_other_bytes(uring: Uring, pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    batch = Batch([here.fileno() for here, _ in pairs])
    for ready in (b"one", b"", b"twenty-two", b"3" * 3_000):
        assert uring.send(batch, ready) == []
        for _, there in pairs:
            if ready:
                assert there.recv(4_096) == ready


@needs_uring
def test_who_takes_a_part_or_nothing_is_named_with_what_was_taken(uring: Uring) -> None:
    full, gone, well = ((socket.socketpair()) for _ in range(3))
    full[0].setblocking(False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        narrow = socket.create_connection(server.getsockname())
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        narrow.setblocking(False)
        reader, _ = server.accept()
    gone[1].close()
    closed = os.dup(well[0].fileno())
    os.close(closed)
    ready = b"x" * 400_000
    fill(full[0])
    short = dict(uring.send(Batch([full[0].fileno(), gone[0].fileno(), narrow.fileno(), closed]), ready))
    assert short[full[0].fileno()] == short[gone[0].fileno()] == short[closed] == 0
    taken = short[narrow.fileno()]
    assert 0 < taken < len(ready)
    got = 0
    while got < taken:
        got += len(reader.recv(65_536))
    assert got == taken
    assert uring.works
    assert uring.send(Batch([well[0].fileno()]), b"on") == []
    assert well[1].recv(9) == b"on"
    for end in (*full, gone[0], *well, narrow, reader):
        end.close()


@needs_uring
def test_a_ring_that_the_kernel_refuses_says_so_and_has_sent_nothing(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    uring = Uring()
    descriptors = [here.fileno() for here, _ in pairs]
    ring = next(int(found.name) for found in Path("/proc/self/fd").iterdir() if "io_uring" in _target(found))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, ring)
    os.close(nothing)
    assert uring.send(Batch(descriptors), b"lost?") == [(number, 0) for number in descriptors]
    assert not uring.works
    for _, there in pairs:
        with pytest.raises(BlockingIOError):
            there.recv(9)


def _target(found: Path) -> str:
    try:
        return os.readlink(found)
    except FileNotFoundError:  # the folder's own
        return ""


def test_where_it_is_not_to_be_had_there_is_none() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        refused = open_uring()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert refused is None


@needs_uring
def test_it_is_to_be_had_here() -> None:
    uring = open_uring()
    assert uring is not None
    uring.close()
    uring.close()
    assert not uring.works
