"""Where a viewer should stand: said beside the frames, so that it disturbs neither them nor what they refer to."""

import pytest

from protocol.frames import CHANGED
from server.fanout.forms import STREAM, Form
from server.fanout.position import position
from tests.fanout.test_room import Log
from tests.fanout.watcher import ALONE, FOLLOWS, PLAIN, Watcher


@pytest.mark.parametrize("form", [PLAIN, FOLLOWS, ALONE])
async def test_it_is_where_the_viewer_stands_and_leaves_what_frames_refer_to_alone(form: Form) -> None:
    log = Log()
    watchers = [log.join(Watcher(form)) for _ in range(3)]
    for number in range(20):
        log.append(f"name {number % 7}")
        for _ in log.room.flush():
            pass
        for watcher in watchers[: number % 3]:
            watcher.write(position(watcher, log.epoch))
            assert watcher.news[-1] == (CHANGED, {"after": log.seq, "seq": log.seq, "entries": [], "epoch": 1})
    assert all(watcher.known == log.known and watcher.position == log.seq for watcher in watchers)


async def test_nothing_is_said_to_one_who_is_being_brought_to_the_present() -> None:
    log = Log()
    watcher = Watcher(PLAIN)
    assert position(watcher, 1) == b""
    log.join(watcher)
    assert position(watcher, 1)
    watcher.clog()
    assert position(watcher, 1) == b""
    watcher.drain()
    assert position(watcher, 1)


def test_in_a_stream_it_is_no_place_to_resume_from() -> None:
    watcher = Watcher(STREAM)
    watcher.seq = 7
    assert b"id:" not in position(watcher, 2)
    assert b'data: {"after":7,"seq":7,"entries":[],"epoch":2}\n\n' in position(watcher, 2)
