"""Supports as whoever reads the store's files meets them: no order, nothing that two questions share, and nothing once closed."""

import asyncio
import math
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store import handles
from server.store.client import Store, StoreRefused
from server.store.gauges import VOTERS_MAX, SupportGauges
from server.store.keys import Keys
from server.store.secrets import get_or_create
from server.store.votes import Votes, ballot
from tests.store.bench import CODE
from tests.store.plain import base, plain, rewrite
from tests.waiting import until

KEYS = Keys(CODE)


def people(count: int) -> list[bytes]:
    """Opaque keys of so many voters."""
    return [os.urandom(handles.BYTES) for _ in range(count)]


# --- what is counted ---
async def test_each_counts_once_in_a_question_and_once_in_those_that_were_merged(store: Store) -> None:
    gauges, voters = SupportGauges(store), people(9)
    for voter in voters[:6]:
        assert await gauges.set_support(CODE, 7, voter, True)
    assert await gauges.set_support(CODE, 7, voters[0], True) is False
    assert await gauges.set_support(CODE, 7, voters[0], False)
    assert await gauges.set_support(CODE, 7, voters[8], False) is False
    await asyncio.gather(*(gauges.set_support(CODE, 8, voter, True) for voter in voters[4:] * 20))
    assert await gauges.count_union(CODE, [7]) == 5
    assert await gauges.count_union(CODE, [7, 8]) == 8
    assert await gauges.counts(CODE, {7: (7, 8), 8: (8,), 9: (9,), 10: (10, 9)}) == {7: 8, 8: 5, 9: 0, 10: 0}


async def test_one_node_more_has_the_same_key(store: Store) -> None:
    one, other = SupportGauges(store), SupportGauges(store)
    (voter,) = people(1)
    changed = await asyncio.gather(*(gauges.set_support(CODE, 7, voter, True) for gauges in (one, other)))
    assert sorted(map(bool, changed)) == [False, True]
    assert await other.count_union(CODE, [7, 8]) == 1


async def test_there_is_room_for_so_many(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.gauges.VOTERS_MAX", 3)
    assert VOTERS_MAX == 65_536
    gauges = SupportGauges(store)
    answers = await asyncio.gather(*(gauges.set_support(CODE, 7, voter, True) for voter in people(5)), return_exceptions=True)
    assert sorted(map(str, answers)) == ["True"] * 3 + ["too many voters"] * 2
    assert sum(isinstance(answer, StoreRefused) for answer in answers) == 2


async def test_a_store_that_became_an_older_copy_with_another_key_counts_nobody_twice(store: Store) -> None:
    gauges, (voter, other) = SupportGauges(store), people(2)
    assert await gauges.set_support(CODE, 7, voter, True)
    redis = store.of(CODE)
    await redis.delete(KEYS.support(7), KEYS.supports, KEYS.secrets)
    assert await SupportGauges(store).set_support(CODE, 7, voter, True)
    assert await gauges.set_support(CODE, 7, voter, True) is False, "the node that has the key before it asks for the new one"
    assert await gauges.set_support(CODE, 8, other, True) and await gauges.count_union(CODE, [7, 8]) == 2


Steps = list[tuple[int, int, bool]]


@given(
    steps=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 6), st.booleans()), max_size=40),
    groups=st.lists(st.permutations(range(1, 7)).flatmap(lambda six: st.integers(1, 6).map(lambda n: six[:n])), max_size=4),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_figure_is_the_union_whatever_is_merged_and_parted(running: "Running", steps: Steps, groups: list[list[int]]) -> None:
    running.run(lambda store: _union_is_right(store, f"T{os.urandom(4).hex().upper()}", steps, groups))


async def _union_is_right(store: Store, code: str, steps: Steps, groups: list[list[int]]) -> None:
    gauges, voters = SupportGauges(store), people(12)
    expected: dict[int, set[int]] = {message: set() for message in range(1, 7)}
    asked = [(message,) for message in range(1, 7)] + [tuple(group) for group in groups]
    for at, (voter, message, on) in enumerate(steps):
        changed = await gauges.set_support(code, message, voters[voter], on)
        assert changed == ((voter in expected[message]) != on)
        (expected[message].add if on else expected[message].discard)(voter)
        if at % 10 == 9:
            found = await asyncio.gather(*(gauges.count_union(code, group) for group in asked))
            assert found == [len(set().union(*(expected[message] for message in group))) for group in asked]
    questions = {group[0]: group for group in asked}
    figures = {question: len(set().union(*(expected[message] for message in group))) for question, group in questions.items()}
    assert await gauges.counts(code, questions) == figures
    kept = await gauges.drop(code, questions, range(1, 7))
    assert kept == {question: figure for question, figure in figures.items() if figure}
    assert await SupportGauges(store).counts(code, questions) == figures


class Running:
    """A store, and the loop that it is asked on: for tests that are called again and again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: Store) -> None:
        self._loop = loop
        self._store = store

    def run(self, work: Callable[[Store], Awaitable[None]]) -> None:
        self._loop.run_until_complete(asyncio.wait_for(work(self._store), 60))


@pytest.fixture
def running(tmp_path: Path) -> Any:
    loop = asyncio.new_event_loop()
    opened = plain(tmp_path / "valkey")
    yield Running(loop, loop.run_until_complete(opened.__aenter__()))
    loop.run_until_complete(opened.__aexit__(None, None, None))
    loop.close()


# --- what whoever has the files reads before closing ---
async def places(store: Store, messages: Sequence[int], code: str = CODE) -> dict[int, set[object]]:
    """What stands for somebody in each question: members of a set, or bits."""
    redis, found = store.of(code), dict[int, set[object]]()
    for message in messages:
        name = Keys(code).support(message)
        match await redis.type(name):
            case b"zset":
                found[message] = set(await redis.zrange(name, 0, -1))
            case b"string":
                bits = await redis.get(name)
                found[message] = {place for place in range(8 * len(bits)) if bits[place // 8] >> 7 - place % 8 & 1}
            case b"none":
                found[message] = set()
            case other:
                raise AssertionError(other)
    return found


def profiles(found: dict[int, set[object]]) -> list[frozenset[int]]:
    """What each who supported more than one question has supported, as it is read off their places."""
    several = {place for places in found.values() for place in places}
    read = (frozenset(message for message, places in found.items() if place in places) for place in several)
    return [profile for profile in read if len(profile) > 1]


async def supported_by(support: Callable[[int, bytes], Awaitable[object]], messages: Sequence[int]) -> list[frozenset[int]]:
    """Forty people who each support four of twelve questions."""
    chance = random.Random(7)
    truth = []
    for voter in people(40):
        chosen = chance.sample(messages, 4)
        truth.append(frozenset(chosen))
        for message in chosen:
            await support(message, voter)
    return truth


async def test_before_closing_nothing_of_one_voter_is_the_same_in_two_questions(store: Store) -> None:
    gauges, messages = SupportGauges(store), range(10, 22)
    await supported_by(lambda message, voter: gauges.set_support(CODE, message, voter, True), messages)
    found = await places(store, messages)
    assert sum(map(len, found.values())) == 160
    assert profiles(found) == []
    # Nor does any part of one, for as many bytes as chance would not make alike.
    parts = [
        {handle[at : at + 6] for handle in handles_ if isinstance(handle, bytes) for at in range(11)}
        for handles_ in found.values()
    ]
    assert not any(one & other for one, other in combinations(parts, 2))


async def test_the_same_attack_reads_every_profile_of_places_in_bitmaps(store: Store) -> None:
    """As a build of before kept them."""
    redis, messages, slots = store.of(CODE), range(10, 22), dict[bytes, int]()

    async def bit(message: int, voter: bytes) -> None:
        await redis.setbit(KEYS.support(message), slots.setdefault(voter, random.Random(voter).randrange(1_024)), 1)

    truth = await supported_by(bit, messages)
    read = profiles(await places(store, messages))
    assert sum(profile in read for profile in truth) >= 38, "but for two who drew one place"


# --- order ---
def concordance(content: bytes, in_order: Sequence[bytes]) -> tuple[float, float]:
    """Share of pairs that stand in `content` as they came, and how many standard deviations from chance that is (Kendall).

    Of pieces of six bytes: the beginning of each.
    """
    where = [content.find(one[:6]) for one in in_order]
    assert min(where) >= 0, "all of them are there"
    pairs = list(combinations(where, 2))
    share = sum(first < second for first, second in pairs) / len(pairs)
    count = len(in_order)
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return share, abs(2 * share - 1) * len(pairs) / deviation


Fill = Callable[[Store, list[bytes]], Awaitable[tuple[str, list[bytes]]]]
"""Has people do something in order; the key that was filled, and what stands there for each, in that order."""


async def supports(store: Store, voters: list[bytes]) -> tuple[str, list[bytes]]:
    gauges = SupportGauges(store)
    for voter in voters:
        assert await gauges.set_support(CODE, 7, voter, True)
    key = await get_or_create(store, CODE, "support")
    return KEYS.support(7), [handles.handle(key, 7, voter) for voter in voters]


async def votes(store: Store, voters: list[bytes]) -> tuple[str, list[bytes]]:
    found = Votes(store)
    key = await found.key(CODE, 5)
    assert key is not None
    for number, voter in enumerate(voters):
        # Everybody changes their mind once, some of them at once.
        assert await found.put(CODE, 5, key, voter, number % 3, 3) == "taken"
        assert await found.put(CODE, 5, key, voter, (number + number % 2) % 3, 3) == "taken"
    return KEYS.votes(5), [ballot(key, voter) for voter in voters]


async def a_hash(store: Store, voters: list[bytes]) -> tuple[str, list[bytes]]:
    """As a build of before kept both."""
    for number, voter in enumerate(voters):
        await store.of(CODE).hset("th:{TESTED}:slots", voter, number % 3)
    return "th:{TESTED}:slots", voters


async def in_files(store: Store, folder: Path, fill: Fill, count: int) -> tuple[bytes, float, float]:
    """(encoding, deviations in DUMP, deviations in the rewritten file)."""
    name, in_order = await fill(store, people(count))
    redis = store.of(CODE)
    await rewrite(store)
    encoding: bytes = await redis.object("ENCODING", name)
    dumped = concordance(await redis.dump(name), in_order)
    return encoding, dumped[1], concordance(base(folder), in_order)[1]


@pytest.mark.parametrize("count", [30, 120, 300])
@pytest.mark.parametrize("fill", [supports, votes])
async def test_no_file_keeps_the_order_in_which_people_came(tmp_path: Path, fill: Fill, count: int) -> None:
    async with plain(tmp_path / "valkey") as store:
        encoding, dumped, rewritten = await in_files(store, tmp_path / "valkey", fill, count)
    assert encoding == (b"listpack" if count <= 128 else b"skiplist")
    assert dumped < 4 and rewritten < 4, "no better than chance"


@pytest.mark.parametrize("count", [30, 120, 300])
async def test_the_same_attack_finds_the_order_that_a_hash_keeps(tmp_path: Path, count: int) -> None:
    async with plain(tmp_path / "valkey") as store:
        encoding, dumped, rewritten = await in_files(store, tmp_path / "valkey", a_hash, count)
    assert encoding == b"listpack" and dumped > 7 and rewritten > 7


# --- the end ---
async def nothing_left(store: Store, messages: Sequence[int]) -> bool:
    redis = store.of(CODE)
    left = await redis.exists(*map(KEYS.support, messages), *KEYS.older_supports)
    return not left and not await redis.hexists(KEYS.secrets, "support") and not await redis.hexists(KEYS.supports, "mark")


async def test_closing_leaves_the_figures_and_nothing_else_also_of_questions_that_were_removed(store: Store) -> None:
    gauges, late = SupportGauges(store), SupportGauges(store)
    voters = people(6)
    for message in (7, 8, 9):
        for voter in voters[: message - 4]:
            await gauges.set_support(CODE, message, voter, True)
    assert await late.set_support(CODE, 7, voters[5], True)
    figures = await gauges.drop(CODE, {7: (7, 8), 8: (8,)}, [7, 8, 9])
    assert figures == {7: 5, 8: 4}
    assert await nothing_left(store, [7, 8, 9])
    # A node that is late writes nothing any more, and makes no key.
    for gauges in (late, SupportGauges(store)):
        assert await gauges.set_support(CODE, 7, voters[0], True) is None
        assert await gauges.counts(CODE, {7: (7, 8), 8: (8,), 9: (9,)}) == {7: 5, 8: 4, 9: 0}
    assert await nothing_left(store, [7, 8, 9])
    # Again, as each node does and each load: by then nobody could count them anew.
    assert await SupportGauges(store).drop(CODE, {7: (7, 8), 8: (8,)}, [7, 8, 9]) == figures


@pytest.mark.parametrize("breaks_at", range(1, 8))
async def test_a_closing_that_breaks_off_anywhere_is_finished_with_the_same_figures(store: Store, breaks_at: int) -> None:
    gauges, voters = SupportGauges(store), people(6)
    for message in (7, 8):
        for voter in voters[: message - 4]:
            await gauges.set_support(CODE, message, voter, True)
    steps = 0

    class Gone(Exception):
        pass

    class Breaking:
        """The store, whose client is gone after so many steps."""

        def where(self, code: str) -> Any:
            step()
            return store.where(code)

        def of(self, code: str) -> Any:
            step()
            return store.of(code)

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == breaks_at:
            raise Gone

    breaking: Any = Breaking()
    with pytest.raises(Gone):
        await SupportGauges(breaking).drop(CODE, {7: (7, 8), 8: (8,)}, [7, 8])
    assert await SupportGauges(store).drop(CODE, {7: (7, 8), 8: (8,)}, [7, 8]) == {7: 4, 8: 4}
    assert await nothing_left(store, [7, 8])


async def test_what_a_build_of_before_kept_is_dropped_and_said(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    redis, (voter,) = store.of(CODE), people(1)
    for message in (7, 8):
        await redis.setbit(KEYS.support(message), 77, 1)
    await redis.hset(KEYS.older_supports[0], voter, 77)
    gauges = SupportGauges(store)
    await gauges.drop_older(CODE, [7, 8])
    assert "supports_of_an_older_build_dropped" in capsys.readouterr().out
    assert await redis.exists(KEYS.support(7), KEYS.support(8), KEYS.older_supports[0]) == 0
    assert await gauges.set_support(CODE, 7, voter, True)
    await gauges.drop_older(CODE, [7, 8])
    assert await gauges.count_union(CODE, [7]) == 1, "what is kept in the present form stays"
    assert await gauges.drop(CODE, {7: (7,)}, [7, 8]) == {7: 1}
    await until(lambda: nothing_left(store, [7, 8]))
