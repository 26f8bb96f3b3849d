"""The log on a real Valkey: order, repeats, guards, epochs, gauges, erasing."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from server.store import log as store_log
from server.store import secrets
from server.store.appender import (
    Append,
    Appended,
    Appender,
    Busy,
    ClientIdReused,
    Conflict,
    NewEntry,
    Rate,
    TooFast,
    Unseen,
)
from server.store.client import Store, StoreUnavailable, connect
from server.store.embedded import DataFolderBusy, EmbeddedValkey
from server.store.erase import Eraser
from server.store.gauges import Presence
from server.store.keys import Keys
from tests.store.bench import CODE, Bench
from tests.waiting import until


async def test_fifty_writers_leave_no_gap_no_double_and_one_order(bench: Bench) -> None:
    others = [Bench(bench.store) for _ in range(2)]
    for other in others:
        await other.start()
    await bench.append("first")
    heard = [await one.follow() for one in (bench, *others)]
    results: dict[str, Appended] = {}

    async def write(writer: int) -> None:
        chance = random.Random(writer)
        appender = chance.choice([bench, *others])
        for number in range(200):
            key = f"w{writer}-{number}"
            answer = await appender.append(key, key=key, text=f"글 {key}")
            assert isinstance(answer, Appended)
            assert not answer.repeated
            results[key] = answer
            if number % 10 == 0:
                again = await chance.choice([bench, *others]).append(key, key=key, text=f"글 {key}")
                assert isinstance(again, Appended)
                assert again.repeated
                assert (again.first_seq, again.result) == (answer.first_seq, answer.result)

    await asyncio.gather(*(write(writer) for writer in range(50)))
    await until(lambda: all(one.seq == 10_001 for one in heard))
    stored = [entry async for entry in store_log.read_all(bench.store, CODE)]
    assert [seq for seq, _, _ in stored] == list(range(1, 10_002))
    assert all(one.entries_ == stored for one in heard)
    assert sorted(answer.first_seq for answer in results.values()) == list(range(2, 10_002))
    for other in others:
        await other.stop()


async def test_the_same_client_id_with_another_text_is_an_error_of_its_own(bench: Bench) -> None:
    assert isinstance(await bench.append("one", key="k"), Appended)
    assert isinstance(await bench.append("two", key="k"), ClientIdReused)
    assert isinstance(await bench.appender.seen(CODE, b"k", b"one"), Appended)
    assert isinstance(await bench.appender.seen(CODE, b"other", b"one"), Unseen)


async def test_a_guard_that_differs_writes_nothing(bench: Bench) -> None:
    first = await bench.append("desk", raise_desk=True)
    assert isinstance(first, Appended)
    ours, theirs = await asyncio.gather(
        bench.append("ours", need_desk=first.last_seq, raise_desk=True),
        bench.append("theirs", need_desk=first.last_seq, raise_desk=True),
    )
    assert {type(ours), type(theirs)} == {Appended, Conflict}
    conflict = ours if isinstance(ours, Conflict) else theirs
    assert isinstance(conflict, Conflict)
    assert (conflict.head, conflict.desk) == (2, 2)
    head = await store_log.head(bench.store, CODE)
    assert head is not None
    assert head.seq == 2


async def test_a_gate_that_was_raised_lets_no_later_message_in(bench: Bench) -> None:
    assert isinstance(await bench.append("post", need_gate=0), Appended)
    assert isinstance(await bench.append("close", raise_gate=True), Appended)
    assert isinstance(await bench.append("late", need_gate=0), Conflict)


async def test_entries_are_appended_together_or_not_at_all(bench: Bench) -> None:
    await bench.append("x", raise_desk=True)
    pair = (NewEntry(b"a", None), NewEntry(b"b", "글"))
    assert isinstance(await bench.appender.append(Append(CODE, pair, None, b"", need_desk=7)), Conflict)
    done = await bench.appender.append(Append(CODE, pair, None, b"", need_desk=1))
    assert isinstance(done, Appended)
    assert (done.first_seq, done.last_seq) == (2, 3)


async def test_a_batch_too_large_to_publish_is_read_from_the_stream(bench: Bench) -> None:
    await bench.append("x")
    heard = await bench.follow()
    text = "가" * 4_000
    await asyncio.gather(*(bench.append(f"big{n}", text=text) for n in range(20)))
    await until(lambda: heard.seq == 21)
    assert heard.entries_[-1][2] == text


async def test_the_appender_is_bounded(store: Store) -> None:
    appender = Appender(store, max_waiting=3)
    tasks = [asyncio.create_task(appender.append(Append(CODE, (NewEntry(b"x", None),), None, b""))) for _ in range(5)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(answer, Busy) for answer in answers) == 2
    await appender.stop()


async def test_what_waits_behind_a_silent_store_is_refused_with_it_and_was_not_sent(valkey: EmbeddedValkey, bench: Bench) -> None:
    await bench.append("first")
    texts = [f"글 {number}" for number in range(200)]
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        waiting = [asyncio.create_task(bench.append(text, key=text)) for text in texts]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)
        # Not one more step with its own wait for each 64 of them.
        assert all(one.done() for one in waiting)
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    errors = [one.exception() for one in waiting]
    assert all(isinstance(error, StoreUnavailable) for error in errors)
    unsent = [text for text, error in zip(texts, errors, strict=True) if not error.outcome_unknown]  # type: ignore[union-attr]  # asserted
    assert 0 < len(unsent) < len(texts)
    assert bench.appender.waiting == 0
    stored = {body.decode() async for _, body, _ in store_log.read_all(bench.store, CODE)}
    assert stored.isdisjoint(unsent)
    again = [await bench.append(text, key=text) for text in texts]
    assert all(isinstance(answer, Appended) for answer in again)
    assert [seq async for seq, _, _ in store_log.read_all(bench.store, CODE)] == list(range(1, len(texts) + 2))


async def test_the_store_replaced_by_an_older_copy_of_itself_raises_the_epoch(tmp_path: Path) -> None:
    import shutil

    data = tmp_path / "data"
    valkey = EmbeddedValkey(data)
    await valkey.start()
    bench = Bench(await connect(valkey.url))
    await bench.start()
    for n in range(5):
        await bench.append(f"old{n}", text=f"예전 {n}")
    heard = await bench.follow()
    await valkey.stop()
    shutil.copytree(data / "valkey", tmp_path / "copy")
    again = EmbeddedValkey(data)
    await again.start()
    await until(lambda: bench.follower.healthy)
    for n in range(5):
        await bench.append(f"lost{n}", text=f"사라질 {n}")
    await until(lambda: heard.seq == 10)
    seen = heard.epochs[-1]
    await again.stop()
    shutil.rmtree(data / "valkey")
    shutil.copytree(tmp_path / "copy", data / "valkey")
    third = EmbeddedValkey(data)
    await third.start()
    await until(lambda: len(heard.epochs) > 1 and heard.epochs[-1] > seen and heard.seq == 5)
    answer = await bench.append("new", text="새 글")
    assert isinstance(answer, Appended)
    await until(lambda: heard.seq == 6)
    assert answer.epoch == heard.epochs[-1]
    assert [text for _, _, text in heard.entries_] == [f"예전 {n}" for n in range(5)] + ["새 글"]
    await bench.stop()
    await bench.store.close()
    await third.stop()


async def test_a_gap_that_the_stream_cannot_fill_stops_only_that_town_hall(bench: Bench) -> None:
    await bench.append("one")
    await bench.append("two")
    await bench.store.of(CODE).xdel(Keys(CODE).log, "1-0")
    heard = await bench.follow()
    assert heard.stopped is not None
    assert "1 is missing" in heard.stopped


async def test_a_follower_whose_connection_is_cut_catches_up_also_when_nothing_follows(bench: Bench) -> None:
    await bench.append("one")
    heard = await bench.follow()
    await until(lambda: bench.follower.healthy)
    # The connection is lost, and what is published meanwhile is published to nobody.
    watch = next(iter(bench.follower._watches.values()))
    await watch.ear._pubsub.connection.disconnect()
    await bench.append("the very last", text="마지막")
    await until(lambda: heard.seq == 2)
    assert heard.entries_[-1][2] == "마지막"


async def test_presence_is_the_sum_of_the_nodes(store: Store) -> None:
    assert await Presence(store, "a").tell(CODE, 5) == 5
    assert await Presence(store, "b").tell(CODE, 6) == 11
    assert await Presence(store, "a").tell(CODE, 1) == 7


async def test_a_secret_is_the_same_for_all_until_it_is_destroyed(store: Store) -> None:
    first, second = await asyncio.gather(secrets.get_or_create(store, CODE, "k"), secrets.get_or_create(store, CODE, "k"))
    assert first == second
    await secrets.forget(store, CODE, "k")
    assert await secrets.get_or_create(store, CODE, "k") != first


async def test_erased_text_is_nowhere(valkey: EmbeddedValkey, bench: Bench, tmp_path: Path) -> None:
    secret = "영원히-지워질-글-7f3a9c"
    await bench.append("one", text=secret)
    await bench.append("two", text="남는 글")
    heard = await bench.follow()
    eraser = Eraser(bench.store)
    await eraser.erase(CODE, [1])
    await eraser.stop()
    assert [text for _, _, text in await store_log.read(bench.store, CODE, 0)] == [None, "남는 글"]
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any("남는 글".encode() in path.read_bytes() for path in files)
    assert not any(secret.encode() in path.read_bytes() for path in files)
    dumps = [await bench.store.of(CODE).dump(key) for key in (Keys(CODE).log, Keys(CODE).texts)]
    assert not any(secret.encode() in dump for dump in dumps)
    assert heard.seq == 2


async def test_the_program_may_not_do_what_it_has_no_need_of(store: Store) -> None:
    for words in (
        "CONFIG GET *",
        "FLUSHALL",
        "FLUSHDB",
        "MONITOR",
        "KEYS *",
        "DEBUG SLEEP 0",
        "MODULE LIST",
        "SHUTDOWN",
        "ACL LIST",
    ):
        with pytest.raises(RedisError):
            await store.of(CODE).execute_command(*words.split())
    with pytest.raises(RedisError):
        await store.of(CODE).set("elsewhere", "1")


async def test_no_tcp_port_and_a_private_socket(valkey: EmbeddedValkey) -> None:
    assert valkey.socket.stat().st_mode & 0o777 == 0o700
    inodes = set()
    for line in Path(f"/proc/{valkey.pid}/net/tcp").read_text().splitlines()[1:]:
        inodes.add(line.split()[9])
    own = {link.readlink().name for link in Path(f"/proc/{valkey.pid}/fd").iterdir() if link.is_symlink()}
    assert not any(f"socket:[{inode}]" in own for inode in inodes)
    assert "townhall:" not in repr(valkey)


async def test_a_second_server_on_the_folder_is_refused(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    with pytest.raises(DataFolderBusy, match="Another townhall server"):
        await EmbeddedValkey(tmp_path / "data").start()


async def test_a_folder_with_a_very_long_name_works_too(tmp_path: Path) -> None:
    found = EmbeddedValkey(tmp_path / ("한글폴더" * 12))
    await found.start()
    assert len(str(found.socket)) < 108
    await found.stop()


async def test_no_store_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await connect(f"unix://{tmp_path}/nothing.sock")
    assert not caught.value.outcome_unknown
    with pytest.raises(ValueError, match="no address of a store"):
        await connect("mysql://x")


async def test_one_sender_has_one_bucket_on_all_nodes(bench: Bench) -> None:
    other = Bench(bench.store)
    rate = Rate(b"sender", 5, 10)
    answers = [await one.append(f"m{n}", key=f"k{n}", rate=rate) for n, one in enumerate([bench, other] * 4)]
    assert [type(answer) for answer in answers] == [Appended] * 5 + [TooFast] * 3
    assert answers[-1] in (TooFast(1), TooFast(2))
    again = await other.append("m0", key="k0", rate=rate)
    assert isinstance(again, Appended)
    assert again.repeated
    assert isinstance(await other.append("theirs", rate=Rate(b"somebody else", 5, 10)), Appended)
    assert 0 < await bench.store.of(CODE).ttl(Keys(CODE).rate(b"sender")) <= 11


async def test_a_store_whose_clock_was_set_back_does_not_hold_a_sender_up(bench: Bench) -> None:
    rate = Rate(b"sender", 5, 10)
    await bench.append("x", rate=rate)
    now, _ = await bench.store.of(CODE).time()
    await bench.store.of(CODE).set(Keys(CODE).rate(b"sender"), now + 3_600)
    assert isinstance(await bench.append("y", rate=rate), Appended)


async def test_a_node_that_has_fallen_silent_counts_no_longer(store: Store) -> None:
    await Presence(store, "gone").tell(CODE, 5)
    now, _ = await store.of(CODE).time()
    await store.of(CODE).hset(Keys(CODE).presence, "gone", f"5:{now - 11}")
    assert await Presence(store, "here").tell(CODE, 6) == 6
    assert list(await store.of(CODE).hkeys(Keys(CODE).presence)) == [b"here"]
