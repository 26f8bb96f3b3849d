"""One view and its viewers: who stands where gets what; who is slow is skipped and then caught up, and at last closed."""

import asyncio
from typing import Any

import orjson
import pytest

from protocol.limits import limit
from server.fanout import ring as ring_module
from server.fanout import room as room_module
from server.fanout.forms import SocketIoForm, StreamForm
from server.fanout.pace import WAIT_MAX_S, Pace
from server.fanout.ready_frame import ready_frame
from server.fanout.room import Room
from server.fanout.viewer import Viewer
from tests.waiting import until


class Pipe:
    """A transport that keeps what is written; `backlog` is what it says it has waiting."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.backlog = 0
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.backlog

    def is_closing(self) -> bool:
        return self.closed


class Hall:
    """A log of numbers, each with its square, and a room that shows them."""

    def __init__(self) -> None:
        self.epoch, self.seq = 1, 0
        self.snapshots = 0
        self.now = 0.0
        self.room = Room(self._snapshot, lambda: (self.epoch, self.seq), lambda: b'{"viewers":1}', lambda: self.now)
        self.byes: list[tuple[Viewer, int, int | None]] = []

    def _snapshot(self) -> list[bytes]:
        self.snapshots += 1
        return [orjson.dumps({"k": "n", "id": n}) for n in range(1, self.seq + 1)]

    def append(self, count: int = 1) -> None:
        for _ in range(count):
            self.seq += 1
            self.room.advance(self.seq, [(f"n:{self.seq}", orjson.dumps({"k": "n", "id": self.seq}))])

    def viewer(self) -> tuple[Viewer, Pipe]:
        pipe = Pipe()

        def close(code: int, come_back_after_ms: int | None) -> None:
            self.byes.append((viewer, code, come_back_after_ms))
            self.room.leave(viewer)

        viewer = Viewer(pipe, SocketIoForm("/audience"), close)
        return viewer, pipe


def news(pipe: Pipe) -> list[tuple[str, Any]]:
    """What was written, decoded: every frame whole (RFC 6455, 5.2)."""
    found = []
    for frame in pipe.written:
        assert frame[0] == 0x81
        head = {126: 4, 127: 10}.get(frame[1], 2)
        length = frame[1] if head == 2 else int.from_bytes(frame[2:head], "big")
        assert len(frame) == head + length
        name, body = orjson.loads(frame[head:].partition(b",")[2])
        found.append((name, body))
    return found


def ids(pipe: Pipe) -> list[int]:
    """Of all entries, in order, and only if the intervals join."""
    shown: list[int] = []
    at = None
    for name, body in news(pipe):
        if name == "view:reset":
            shown, at = [], body["seq"]
        elif name == "view:changed":
            assert body["after"] == at
            at = body["seq"]
        shown += [entry["id"] for entry in body.get("entries", ())]
    return shown


async def test_whoever_joins_gets_the_snapshot_and_what_follows() -> None:
    hall = Hall()
    hall.append(3)
    viewer, pipe = hall.viewer()
    hall.room.join(viewer, None)
    hall.append(2)
    await until(lambda: viewer.seq == 5)
    assert ids(pipe) == [1, 2, 3, 4, 5]
    assert [name for name, _ in news(pipe)] == ["view:reset", "gauges:changed", "view:changed"]


async def test_a_thousand_who_join_at_once_share_one_snapshot() -> None:
    hall = Hall()
    hall.append(3)
    pipes = []
    for _ in range(1_000):
        viewer, pipe = hall.viewer()
        hall.room.join(viewer, None)
        pipes.append(pipe)
    assert hall.snapshots == 1
    assert all(pipe.written[0] is pipes[0].written[0] for pipe in pipes)
    hall.append()
    await until(lambda: all(len(pipe.written) == 3 for pipe in pipes))
    assert all(pipe.written[2] is pipes[0].written[2] for pipe in pipes)


async def test_resuming_within_the_ring_brings_what_was_missed_and_beyond_it_the_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ring_module, "limit", lambda name: 5 if name == "ring_entries" else limit(name))
    hall = Hall()
    hall.append(20)
    for since, expected in (((1, 15), [16, 17, 18, 19, 20]), ((1, 18), [19, 20]), ((1, 20), [])):
        viewer, pipe = hall.viewer()
        assert hall.room.resumable(since)
        hall.room.join(viewer, since)
        assert "view:reset" not in [name for name, _ in news(pipe)]
        assert [entry["id"] for name, body in news(pipe) for entry in body.get("entries", ())] == expected
    for since in ((1, 14), (1, 0), (1, 21), (2, 20), (0, 20)):
        viewer, pipe = hall.viewer()
        assert not hall.room.resumable(since)
        hall.room.join(viewer, since)
        assert news(pipe)[0][0] == "view:reset"
        assert ids(pipe) == list(range(1, 21))


async def test_one_that_joins_between_two_flushes_misses_and_doubles_nothing() -> None:
    hall = Hall()
    first, pipe = hall.viewer()
    hall.room.join(first, None)
    hall.append(2)
    second, other = hall.viewer()
    hall.room.join(second, None)
    hall.append(2)
    await until(lambda: first.seq == second.seq == 4)
    assert ids(pipe) == ids(other) == [1, 2, 3, 4]


async def test_a_slow_viewer_is_skipped_and_later_gets_all_of_it_in_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "RETRY_SLOW_S", 0.01)
    hall = Hall()
    slow, pipe = hall.viewer()
    quick, other = hall.viewer()
    for viewer in (slow, quick):
        hall.room.join(viewer, None)
    pipe.backlog = limit("write_backlog_bytes") + 1
    written = len(pipe.written)
    for _ in range(5):
        hall.append()
        await until(lambda: quick.seq == hall.seq)
    hall.room.gauges(b'{"viewers":2}')
    assert len(pipe.written) == written
    pipe.backlog = 0
    await until(lambda: slow.seq == 5)
    assert ids(pipe) == ids(other) == [1, 2, 3, 4, 5]
    assert len(pipe.written) == written + 1


async def test_one_that_stays_slow_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "RETRY_SLOW_S", 0.01)
    hall = Hall()
    slow, pipe = hall.viewer()
    hall.room.join(slow, None)
    pipe.backlog = limit("write_backlog_bytes") + 1
    hall.append()
    await until(lambda: slow.slow_since is not None)
    hall.now += limit("slow_viewer_s") + 1
    await until(lambda: hall.byes)
    assert hall.byes[0][:2] == (slow, 3008)
    assert hall.byes[0][2] is not None
    assert hall.room.viewers == 0
    await asyncio.sleep(0)


async def test_a_gap_that_a_page_reports_is_filled_from_where_it_stands() -> None:
    hall = Hall()
    hall.append(5)
    viewer, pipe = hall.viewer()
    hall.room.join(viewer, None)
    hall.room.resume(viewer, (1, 3))
    assert news(pipe)[-1][1] == {"after": 3, "seq": 5, "entries": [{"k": "n", "id": 4}, {"k": "n", "id": 5}]}
    hall.room.resume(viewer, (9, 3))
    assert news(pipe)[-1][0] == "view:reset"


async def test_another_epoch_brings_everybody_the_snapshot() -> None:
    hall = Hall()
    hall.append(3)
    viewer, pipe = hall.viewer()
    hall.room.join(viewer, None)
    hall.epoch, hall.seq = 2, 1
    hall.room.reset()
    assert news(pipe)[-1] == ("view:reset", {"epoch": 2, "seq": 1, "entries": [{"k": "n", "id": 1}]})


async def test_nothing_is_written_to_who_is_closing() -> None:
    hall = Hall()
    viewer, pipe = hall.viewer()
    hall.room.join(viewer, None)
    written, pipe.closed = len(pipe.written), True
    hall.append()
    await until(lambda: viewer.seq == 1)
    assert len(pipe.written) == written


async def test_goodbyes_are_spread() -> None:
    hall = Hall()
    for _ in range(200):
        hall.room.join(hall.viewer()[0], None)
    hall.room.bye_all(3001)
    times = [wait for _, _, wait in hall.byes if wait is not None]
    assert len(times) == 200
    assert max(times) - min(times) > room_module.SPREAD_MS / 2
    hall.byes.clear()
    hall.room.join(hall.viewer()[0], None)
    hall.room.bye_all(3506)
    assert hall.byes[0][2] is None


def test_a_flush_rests_as_long_as_it_took_and_never_longer_than_the_bound() -> None:
    pace = Pace()
    assert pace.wait_s(5.0) == 0
    pace.flushed(5.0, 5.1)
    assert pace.wait_s(5.1) == pytest.approx(0.1)
    assert pace.wait_s(6.0) == 0
    pace.flushed(6.0, 16.0)
    assert pace.wait_s(16.0) == WAIT_MAX_S


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_ready_frame_is_a_whole_text_frame(length: int) -> None:
    frame = ready_frame(b"x" * length)
    assert frame[0] == 0x81
    assert frame.endswith(b"x" * length)
    head = len(frame) - length
    assert head == (2 if length < 126 else 4 if length < 65_536 else 10)
    assert (frame[1] if head == 2 else int.from_bytes(frame[2:head], "big")) == length


def test_the_stream_form_is_an_item_in_a_chunk() -> None:
    ready = StreamForm().ready("view:changed", b"{}", "7-3")
    size, _, rest = ready.partition(b"\r\n")
    item = rest[: int(size, 16)]
    assert item == b"id: 7-3\nevent: view:changed\ndata: {}\n\n"
    assert rest[len(item) :] == b"\r\n"
