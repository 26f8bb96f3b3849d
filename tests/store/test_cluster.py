"""The log on a real cluster of three: who holds what, one server's silence, a failover, a slot that moves."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from redis.exceptions import RedisError

from server.store import log as store_log
from server.store import secrets
from server.store.appender import Append, Appended, NewEntry
from server.store.client import StoreUnavailable, connect
from server.store.erase import Eraser
from server.store.gauges import Presence, SupportGauges
from server.store.keys import Keys
from server.store.votes import Votes
from tests.store.bench import Bench, Heard
from tests.store.real_cluster import RealCluster
from tests.waiting import until

TIMEOUT_S = 2.0
"""Shorter than in life, so that a server that was stopped is noticed soon; longer than a busy machine takes."""
ROOT = Path(__file__).parents[2]


class Two:
    """Two nodes' shares of the log on one cluster."""

    def __init__(self, cluster: RealCluster, a: Bench, b: Bench) -> None:
        self.cluster = cluster
        self.a = a
        self.b = b
        self.codes = [cluster.code_on(n) for n in range(3)]
        """A town hall on each server."""

    async def post(self, bench: Bench, code: str, text: str) -> Appended:
        answer = await bench.appender.append(Append(code, (NewEntry(text.encode(), text),), text.encode(), text.encode()))
        assert isinstance(answer, Appended), answer
        return answer

    async def post_until_taken(self, bench: Bench, code: str, text: str) -> Appended:
        """Again with the same client id, as a page does."""

        async def taken() -> Appended | None:
            try:
                return await self.post(bench, code, text)
            except StoreUnavailable:
                return None

        found: Appended = await until(taken, 40)
        return found

    async def follow(self, bench: Bench, code: str) -> Heard:
        heard = Heard()
        await bench.follower.follow(code, heard)
        return heard


async def two(cluster: RealCluster) -> AsyncIterator[Two]:
    await cluster.start()
    try:
        benches = [Bench(await connect(cluster.url, timeout_s=TIMEOUT_S)) for _ in range(2)]
        for bench in benches:
            await bench.start()
        yield Two(cluster, *benches)
        for bench in benches:
            await bench.stop()
            await bench.store.close()
    finally:
        await cluster.stop()


@pytest.fixture
async def on_three(tmp_path: Path) -> AsyncIterator[Two]:
    async for found in two(RealCluster(tmp_path)):
        yield found


@pytest.fixture
async def with_replicas(tmp_path: Path) -> AsyncIterator[Two]:
    async for found in two(RealCluster(tmp_path, replicas=True)):
        yield found


async def test_town_halls_are_spread_and_each_is_heard_by_the_other_node(on_three: Two) -> None:
    heard = {}
    for code in on_three.codes:
        await store_log.register(on_three.a.store, code)
        await on_three.post(on_three.a, code, "첫 글")
        heard[code] = await on_three.follow(on_three.b, code)
    for number in range(20):
        await asyncio.gather(*(on_three.post(on_three.a, code, f"글 {number}") for code in on_three.codes))
    expected = ["첫 글", *(f"글 {number}" for number in range(20))]
    for code in on_three.codes:
        await until(lambda code=code: [text for _, _, text in heard[code].entries_] == expected)
    for n, master in enumerate(on_three.cluster.masters):
        assert await master.client.exists(Keys(on_three.codes[n]).log) == 1
    assert await store_log.hall_codes(on_three.b.store) == sorted(on_three.codes)


async def test_everything_that_is_kept_beside_the_log_works_there_too(on_three: Two) -> None:
    store = on_three.a.store
    for code in on_three.codes:
        gauges = SupportGauges(store)
        heard = await on_three.follow(on_three.b, code)
        for voter in range(5):
            assert await gauges.set_support(code, 1, b"voter %10d" % voter, True)
        assert await gauges.set_support(code, 2, b"voter %10d" % 9, True)
        assert await gauges.count_union(code, [1, 2]) == 6
        await gauges.publish(code, {1: 6})
        await until(lambda heard=heard: heard.gauges_)
        assert await Presence(store, "a").tell(code, 3) == 3
        assert await Presence(on_three.b.store, "b").tell(code, 4) == 7
        assert await secrets.get_or_create(store, code, "k") == await secrets.get_or_create(on_three.b.store, code, "k")
        assert await gauges.drop(code, {1: (1, 2), 2: (2,)}, [1, 2]) == {1: 6, 2: 1}
        assert await SupportGauges(on_three.b.store).counts(code, {1: (1, 2), 2: (2,)}) == {1: 6, 2: 1}
        assert await gauges.set_support(code, 1, b"voter %10d" % 9, True) is None
        votes, others = Votes(store), Votes(on_three.b.store)
        key = await votes.key(code, 7)
        assert key is not None and key == await others.key(code, 7)
        # Six voters, of whom each votes at both nodes at once.
        taken = await asyncio.gather(*(v.put(code, 7, key, b"v%d" % n, 1, 2) for n in range(6) for v in (votes, others)))
        assert set(taken) == {"taken"}
        assert await votes.tell(code, 7, 2) is None
        assert await others.seal(code, 7, 2) == [0, 6]
        await votes.drop(code, [7])
        assert await others.boxes(code, [7, 8]) == ["dropped", None]


async def test_erasing_rewrites_the_file_of_the_server_that_held_the_text(on_three: Two) -> None:
    code, secret = on_three.codes[1], "영원히-지워질-글-2b7d"
    await on_three.post(on_three.a, code, "남는 글")
    await on_three.a.appender.append(Append(code, (NewEntry(b"body", secret),), None, b""))
    folder = on_three.cluster.masters[1].folder

    def in_files() -> bool:
        return any(secret.encode() in path.read_bytes() for path in folder.rglob("*.aof"))

    assert in_files()
    eraser = Eraser(on_three.a.store)
    await eraser.erase(code, [2])
    await eraser.stop()
    assert not in_files()


async def test_a_server_that_falls_silent_makes_only_its_own_town_halls_unhealthy(on_three: Two) -> None:
    a, silent = on_three.a, on_three.cluster.masters[2]
    for code in on_three.codes:
        await on_three.post(a, code, "먼저")
        await on_three.follow(a, code)
    await until(lambda: a.follower.deaf() == [])
    silent.signal(signal.SIGSTOP)
    await until(lambda: a.follower.deaf() == [on_three.codes[2]], 20)
    assert a.follower.healthy
    for code in on_three.codes[:2]:
        await on_three.post(a, code, "다른 곳은 그대로")
    with pytest.raises(StoreUnavailable):
        await on_three.post(a, on_three.codes[2], "안 들어간다")
    silent.signal(signal.SIGCONT)
    await until(lambda: a.follower.deaf() == [], 20)
    await on_three.post_until_taken(a, on_three.codes[2], "다시 된다")


async def test_a_failover_raises_the_epoch_and_keeps_what_was_replicated(with_replicas: Two) -> None:
    code, dying = with_replicas.codes[0], with_replicas.cluster.masters[0]
    acknowledged = [await with_replicas.post(with_replicas.a, code, f"글 {n}") for n in range(30)]
    await until(dying.replicated, 20)
    heard = [await with_replicas.follow(bench, code) for bench in (with_replicas.a, with_replicas.b)]
    await dying.kill()
    later = await with_replicas.post_until_taken(with_replicas.a, code, "새 서버의 첫 글")
    assert later.epoch > acknowledged[-1].epoch
    assert later.first_seq == 31
    await until(lambda: all(one.seq == 31 and len(one.epochs) > 1 for one in heard), 30)
    assert [text for _, _, text in heard[1].entries_] == [f"글 {n}" for n in range(30)] + ["새 서버의 첫 글"]
    again = await with_replicas.post(with_replicas.b, code, "글 7")
    assert again.repeated
    assert again.first_seq == acknowledged[7].first_seq
    await until(lambda: with_replicas.b.follower.deaf() == [], 20)
    live = await with_replicas.post(with_replicas.a, code, "이어서")
    await until(lambda: heard[1].seq == live.last_seq)


async def test_a_slot_that_moves_takes_its_town_hall_along(on_three: Two) -> None:
    code, cluster = on_three.codes[0], on_three.cluster
    other = on_three.codes[1]
    for one in (code, other):
        await on_three.post(on_three.a, one, "이사 전")
    heard = await on_three.follow(on_three.b, code)
    await move_slot(cluster, code, 0, 2)
    moved = await on_three.post_until_taken(on_three.a, code, "이사 후")
    assert moved.first_seq == 2
    await until(lambda: heard.seq == 2)
    assert await cluster.masters[2].client.exists(Keys(code).log) == 1
    await until(lambda: on_three.b.follower.deaf() == [], 20)
    assert on_three.a.store.where(code).name == f"127.0.0.1:{cluster.masters[2].port}"
    await on_three.post(on_three.a, other, "그대로")
    watched = on_three.b.follower._halls[code].shard
    assert watched is on_three.b.store.where(code)


async def move_slot(cluster: RealCluster, code: str, source: int, target: int) -> None:
    """As `valkey-cli --cluster reshard` does, key by key."""
    from redis.crc import key_slot

    slot, old, new = key_slot(code.encode()), cluster.masters[source], cluster.masters[target]
    await new.ask(f"CLUSTER SETSLOT {slot} IMPORTING {await old.id()}")
    await old.ask(f"CLUSTER SETSLOT {slot} MIGRATING {await new.id()}")
    while keys := await old.client.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
        await old.client.execute_command("MIGRATE", "127.0.0.1", new.port, "", 0, 5_000, "KEYS", *keys)
    for member in (new, old, *cluster.masters):
        await member.ask(f"CLUSTER SETSLOT {slot} NODE {await new.id()}")


async def test_the_user_of_the_manual_may_do_what_is_needed_and_no_more(on_three: Two) -> None:
    manual = (ROOT / "docs/howto/cluster.md").read_text("utf-8")
    rules = re.search(r"^user townhall on >PASSWORD (.+)$", manual, re.MULTILINE)
    assert rules is not None
    for master in on_three.cluster.masters:
        await master.ask(f"ACL SETUSER townhall reset on >p@ss/word {rules[1]}")
    store = await connect(on_three.cluster.url.replace("://", f"://townhall:{quote('p@ss/word', safe='')}@"), timeout_s=TIMEOUT_S)
    bench = Bench(store)
    await bench.start()
    for code in on_three.codes:
        heard = await on_three.follow(bench, code)
        await store_log.register(store, code)
        for text in ("하나", "둘"):
            await on_three.post(bench, code, text)
        await until(lambda heard=heard: heard.seq == 2)
        eraser = Eraser(store)
        await eraser.erase(code, [1])
        await eraser.stop()
        assert await SupportGauges(store).set_support(code, 2, b"a voter of 16 by", True)
        assert await Presence(store, "n").tell(code, 1) == 1
        for words in ("CONFIG GET *", "FLUSHALL", "KEYS *", "CLUSTER RESET", "SHUTDOWN"):
            with pytest.raises(RedisError):
                await store.of(code).execute_command(*words.split())
    await until(lambda: bench.follower.deaf() == [])
    await bench.stop()
    await store.close()


async def test_a_cluster_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(StoreUnavailable, match="no server of the cluster answers"):
        await connect("redis+cluster://127.0.0.1:1,127.0.0.1:2", timeout_s=0.5)
    with pytest.raises(ValueError):
        await connect("redis+cluster://nowhere")
