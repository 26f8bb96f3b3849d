"""Whatever happens between: every viewer has every entry once and in order, compressed or not, slow or not."""

import asyncio
import random
import sys
from collections.abc import Callable, Iterator

import orjson
import pytest

from protocol.frames import CHANGED, GAUGES, RESET
from protocol.limits import limit
from server.fanout.figures import figures
from server.fanout.flusher import SMALL, Flusher
from server.fanout.room import Room
from server.fanout.section import MOST
from tests.fanout.watcher import ALONE, FOLLOWS, PLAIN, Watcher
from tests.waiting import until


@pytest.fixture(autouse=True)
def failures(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """What was raised in a flush: the flusher logs it and goes on, the test does not."""
    raised: list[BaseException] = []

    class Failed:
        def exception(self, _: str) -> None:
            error = sys.exc_info()[1]
            assert error is not None
            raised.append(error)

    monkeypatch.setattr("server.fanout.flusher.log", Failed())
    yield raised
    assert raised == []


class Log:
    """Entries that set one of a few names; and a room on it."""

    def __init__(self, flusher: Flusher | None = None) -> None:
        self.epoch, self.seq = 1, 0
        self.known: dict[str, int] = {}
        self.flusher = flusher or Flusher()
        self.rendered = 0
        self.room = Room(self.snapshot, lambda: (self.epoch, self.seq), lambda: b'{"viewers":1}', self.flusher)

    def snapshot(self) -> list[bytes]:
        self.rendered += 1
        return [orjson.dumps({"n": name, "v": value}) for name, value in self.known.items()]

    def append(self, name: str, *, scrub: bool = False) -> None:
        self.seq += 1
        self.known[name] = self.seq
        fragment = orjson.dumps({"n": name, "v": self.seq})
        self.room.advance(self.seq, [(name, fragment)], scrub=(name,) if scrub else ())

    def join(self, watcher: Watcher, since: int | None = None) -> Watcher:
        watcher.room = self.room
        self.room.join(watcher, (self.epoch, since) if since is not None else None)
        return watcher


async def soon(what: Callable[[], bool]) -> None:
    """Wait turn by turn of the loop."""
    for _ in range(1_000):
        if what():
            return
        await asyncio.sleep(0)
    raise AssertionError(what)


@pytest.mark.parametrize("most", [MOST, 7])
@pytest.mark.parametrize("sliced", [False, True])
async def test_random_histories_reach_everybody_whole_and_in_order(
    monkeypatch: pytest.MonkeyPatch, sliced: bool, most: int
) -> None:
    monkeypatch.setattr("server.fanout.room.MOST", most)
    if sliced:
        monkeypatch.setattr("server.fanout.section.SLICE_S", 0.0)
        monkeypatch.setattr("server.fanout.section.SLICE_WRITES", 3)
        monkeypatch.setattr("server.fanout.flusher.SMALL", 4)
    for seed in range(60):
        chance = random.Random(seed)
        log = Log(Flusher(wait_max_s=0.002))
        inside: list[Watcher] = []
        gone: list[Watcher] = []
        for _ in range(120):
            match chance.choice(
                ["append"] * 6 + ["join", "leave", "stall", "clog", "drain", "wait", "wait", "wait", "gauges", "resume", "back"]
            ):
                case "append":
                    log.append(f"n{chance.randrange(9)}", scrub=chance.random() < 0.1)
                case "leave" if len(inside) > 9 and chance.random() < 0.2:
                    while len(inside) > 2:
                        inside.pop().leave()
                case "join" if len(inside) < SMALL + 20:
                    for _ in range(chance.choice([1, 1, 30])):
                        inside.append(log.join(Watcher(chance.choice([PLAIN, FOLLOWS, ALONE]))))
                case "leave" if inside:
                    gone.append(inside.pop(chance.randrange(len(inside))))
                    gone[-1].leave()
                case "clog" if inside:
                    chance.choice(inside).clog()
                case "stall" if inside:
                    chance.choice(inside).takes = False
                case "drain" if inside:
                    chance.choice(inside).drain()
                case "wait":
                    await asyncio.sleep(0)
                case "gauges":
                    log.room.gauges(b'{"viewers":2}')
                case "resume" if inside:
                    watcher = chance.choice(inside)
                    if watcher.flows() and watcher.takes:
                        log.room.resume(watcher, (log.epoch, watcher.position))
                case "back" if gone:
                    # The same person on a new connection, from where the old one was.
                    old = gone.pop()
                    new = Watcher(old.form)
                    new.position, new.known = old.position, old.known
                    inside.append(log.join(new, old.position))
        for watcher in inside:
            watcher.drain()
        await until(lambda: all(watcher.position == log.seq for watcher in inside))  # noqa: B023  # awaited within the turn
        for watcher in inside:
            assert watcher.known == log.known
        for watcher in inside:
            watcher.leave()
        assert log.room.viewers == 0


async def test_the_next_section_is_sent_what_came_while_the_one_before_was_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.fanout.room.MOST", 10)
    monkeypatch.setattr("server.fanout.flusher.SMALL", 0)
    log = Log(Flusher(wait_max_s=60.0))
    first, second = [[log.join(Watcher(PLAIN)) for _ in range(10)] for _ in range(2)]
    before = figures.entries
    log.append("one")
    await soon(lambda: all(watcher.position == 1 for watcher in first))
    log.append("two")
    assert all(watcher.position == 0 for watcher in second)
    await soon(lambda: all(watcher.position == 2 for watcher in second))
    assert [name for name, _ in second[0].news] == [RESET, GAUGES, CHANGED]
    await until(lambda: all(watcher.position == 2 for watcher in first))
    assert all(watcher.known == log.known for watcher in (*first, *second))
    assert figures.entries - before == 2  # each counted once


async def test_what_gathers_between_flushes_is_one_frame() -> None:
    log = Log()
    watcher = log.join(Watcher(PLAIN))
    for number in range(10):
        log.append(f"n{number}")
    log.room.gauges(b'{"viewers":7}')
    await until(lambda: watcher.position == 10)
    frames = [name for name, _ in watcher.news]
    assert frames == [RESET, GAUGES, CHANGED, GAUGES]


async def test_figures_go_with_the_next_news_of_a_large_room_or_by_themselves_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.fanout.flusher.SMALL", 0)
    flusher = Flusher(wait_max_s=0.3)
    log = Log(flusher)
    watcher = log.join(Watcher(PLAIN))
    flushes = figures.flushes
    log.room.gauges(b'{"viewers":7}')
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert figures.flushes == flushes
    log.append("n")
    await until(lambda: watcher.position == 1)
    assert [name for name, _ in watcher.news] == [RESET, GAUGES, CHANGED, GAUGES]
    assert figures.flushes == flushes + 1
    await asyncio.sleep(0.4)
    assert figures.flushes == flushes + 1
    log.room.gauges(b'{"viewers":8}')
    await until(lambda: len(watcher.news) == 5)
    assert watcher.news[-1] == (GAUGES, {"viewers": 8})


async def test_a_large_room_waits_a_moment_for_what_comes_with_the_first_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.fanout.flusher.SMALL", 0)
    monkeypatch.setattr("server.fanout.flusher.GATHER_S", 0.1)
    monkeypatch.setattr("server.fanout.flusher.GATHER_MAX_S", 0.2)
    log = Log()
    watchers = [log.join(Watcher(PLAIN)) for _ in range(2)]
    for number in range(10):
        log.append(f"n{number}")
        for _ in range(3):
            await asyncio.sleep(0)
    await until(lambda: all(watcher.position == 10 for watcher in watchers))
    assert [name for name, _ in watchers[0].news] == [RESET, GAUGES, CHANGED]


async def test_those_who_join_share_one_snapshot_for_a_while_even_while_the_log_grows() -> None:
    log = Log()
    for number in range(50):
        log.append(f"n{number}")
    watchers = []
    for number in range(20):
        watchers.append(log.join(Watcher(PLAIN)))
        log.append(f"m{number}")
    assert log.rendered == 1
    await until(lambda: all(watcher.known == log.known for watcher in watchers))


async def test_a_newcomer_never_gets_what_was_hidden_from_a_shared_snapshot() -> None:
    log = Log()
    log.append("secret")
    log.join(Watcher(PLAIN))
    del log.known["secret"]
    log.seq += 1
    log.room.advance(log.seq, [("other", b'{"n":"other","v":2}')], scrub=("secret",))
    log.known["other"] = 2
    late = log.join(Watcher(PLAIN))
    assert "secret" not in late.known
    assert late.known == log.known


async def test_a_slow_viewer_gets_nothing_more_then_what_it_missed_then_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    slow, other = log.join(Watcher(PLAIN)), log.join(Watcher(PLAIN))
    slow.takes = False
    for number in range(100):
        log.append(f"n{number}")
        await until(lambda: other.position == log.seq)
    assert len(slow.unread) == 1
    assert figures.slow == 1
    slow.drain()
    assert slow.known == other.known
    assert figures.slow == 0
    slow.takes = False
    log.append("n")
    monkeypatch.setattr("server.fanout.room.limit", lambda name: 0 if name == "slow_viewer_s" else limit(name))
    await until(lambda: 3008 in slow.byes)
    assert other.byes == []
    log.room.leave(slow)
    assert figures.slow == 0


async def test_short_messages_shrink_by_half_because_a_frame_may_refer_to_the_last_one() -> None:
    log = Log()
    plain, follows = log.join(Watcher(PLAIN)), log.join(Watcher(FOLLOWS))
    before = plain.bytes, follows.bytes
    texts = [
        "승진 심사 기준을 공개해 주십시오.",
        "출퇴근 버스를 늘려 주세요.",
        "구내식당 채식 식단은 언제 생기나요?",
        "예산이 부족합니다.",
    ]
    for number in range(200):
        log.seq += 1
        text, who = random.Random(number).choice(texts), [number, 7]
        message = {"k": "message", "n": f"n{number}", "v": log.seq, "text": text, "who": who, "at": 1_795_000_000}
        fragment = orjson.dumps(message)
        log.room.advance(log.seq, [(f"n{number}", fragment)])
        await until(lambda: plain.position == follows.position == log.seq)
    assert follows.bytes - before[1] < 0.5 * (plain.bytes - before[0])


async def test_a_large_room_is_written_in_slices_and_a_small_one_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.fanout.section.SLICE_S", 0.0)
    flusher = Flusher()
    large, small = Log(flusher), Log(flusher)
    crowd = [large.join(Watcher(PLAIN)) for _ in range(1_000)]
    host = small.join(Watcher(PLAIN))
    large.append("n")
    await soon(lambda: any(watcher.position == 1 for watcher in crowd))
    assert not all(watcher.position == 1 for watcher in crowd)
    small.append("n")
    late = large.join(Watcher(PLAIN))
    await soon(lambda: host.position == 1)
    assert not all(watcher.position == 1 for watcher in crowd)
    large.append("m")
    await until(lambda: all(watcher.position == 2 for watcher in [*crowd, late]))
