"""What the figures of an open poll tell of single votes: whoever votes with the others and sees all figures guesses no better."""

import math
import os
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgpack
import pytest

from protocol.limits import limit
from server.store.client import Store
from server.store.keys import Keys
from server.store.votes import Votes
from tests.store.bench import CODE

KEYS = Keys(CODE)
CHOICES = 3


class Box:
    """A poll whose figures are looked at each second of a clock that is turned by hand, as the nodes look.

    The store has its own, which may go on by a second between two looks.
    """

    def __init__(self, store: Store, poll: int, chance: random.Random) -> None:
        self.votes, self.poll, self.chance = Votes(store), poll, chance
        self.redis: Any = store.of(CODE)
        self.now = 0
        self.key = b""
        self.frames: list[Frame] = []

    async def open(self) -> None:
        key = await self.votes.key(CODE, self.poll)
        assert key is not None
        self.key = key
        await self.look()

    async def vote(self, choice: int, voter: bytes | None = None) -> None:
        assert await self.votes.put(CODE, self.poll, self.key, voter or os.urandom(16), choice, CHOICES) == "taken"

    async def look(self) -> None:
        told = await self.votes.tell(CODE, self.poll, CHOICES)
        if told is not None and (not self.frames or self.frames[-1].counts != told[2] or self.frames[-1].voters != told[1]):
            self.frames.append(Frame(self.now, told[1], told[2]))

    async def later(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            seconds, _ = await self.redis.time()
            since = self.now - (self.frames[-1].at if self.frames else 0)
            await self.redis.hset(KEYS.tally(self.poll), "told_at", seconds - since)
            await self.look()


class Frame(NamedTuple):
    """A figure, and when it was told."""

    at: int
    voters: int
    counts: Sequence[int]


class Vote(NamedTuple):
    """`own`: of the attackers."""

    at: int
    choice: int
    own: bool


def guesses(frames: Sequence[Frame], votes: Sequence[Vote], final: Frame | None = None) -> list[tuple[int, int]]:
    """(guess, truth) of each vote that was not theirs. They know when each came, what they voted themselves, and all figures:
    what a figure has more than the one before, and is not their own, is what others voted in between.
    """
    found = []
    told = [Frame(-1, 0, [0] * CHOICES), *frames, *([final] if final else [])]
    for before, after in pairwise(told):
        between = [vote for vote in votes if before.at < vote.at <= after.at]
        rest = [
            scaled(after, votes)[choice] - scaled(before, votes)[choice] - sum(v.own and v.choice == choice for v in between)
            for choice in range(CHOICES)
        ]
        likely = max(range(CHOICES), key=lambda choice: rest[choice])
        found += [(likely, vote.choice) for vote in between if not vote.own]
    return found


def scaled(frame: Frame, votes: Sequence[Vote]) -> list[float]:
    """Its counts for as many voters as there were."""
    there = sum(vote.at <= frame.at for vote in votes)
    return [count * there / frame.voters if frame.voters else 0.0 for count in frame.counts]


async def colluded(box: Box, votes: int = 20) -> list[Vote]:
    """Somebody votes, and two seconds pass, in which four who know each other vote as well."""
    found = []

    async def vote(own: bool) -> None:
        found.append(Vote(box.now, box.chance.randrange(CHOICES), own))
        await box.vote(found[-1].choice)

    for _ in range(votes):
        await vote(False)
        await box.later(1)
        for _ in range(4):
            await vote(True)
        await box.later(1)
    return found


def right(pairs: Sequence[tuple[int, int]]) -> int:
    return sum(guess == truth for guess, truth in pairs)


async def test_four_colluders_read_no_vote_off_the_figures(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    read: list[tuple[int, int]] = []
    for poll in range(1, 31):
        box = Box(store, poll, random.Random(poll))
        await box.open()
        votes = await colluded(box)
        assert [round(frame.at / 15) for frame in box.frames] == [1, 2], "by time, and by nothing that anybody does"
        assert all(frame.voters % 10 == 0 and all(count % 5 == 0 for count in frame.counts) for frame in box.frames)
        read += guesses(box.frames, votes)
    share, chance = right(read) / len(read), 1 / CHOICES
    with capsys.disabled():
        print(f"\n  single votes read off figures by four colluders: {share:.0%} of {len(read)}, by chance {chance:.0%}", end="")
    assert share < chance + 3 * math.sqrt(chance * (1 - chance) / len(read)) + 0.1, "a handful votes about as one of them did"


async def test_the_same_attack_reads_every_vote_where_each_fifth_moves_the_figure(store: Store) -> None:
    """As a build of before told them."""
    box = Box(store, 1, random.Random(5))
    await box.open()
    frames: list[Frame] = []
    votes = []
    for _ in range(20):
        for own in (False, True, True, True, True):
            box.now += 1
            votes.append(Vote(box.now, box.chance.randrange(CHOICES), own))
            if len(votes) % 5 == 0:
                counts = [sum(vote.choice == choice for vote in votes) for choice in range(CHOICES)]
                frames.append(Frame(box.now, len(votes), counts))
    assert right(guesses(frames, votes)) == 20


async def test_figures_keep_still_whatever_is_changed_and_however_often_they_are_asked_for(store: Store) -> None:
    box = Box(store, 1, random.Random(1))
    await box.open()
    people = [os.urandom(16) for _ in range(30)]
    for voter in people[:9]:
        await box.vote(0, voter)
    await box.later(40)
    assert box.frames == [], "nine"
    await box.vote(0, people[9])
    await box.later(1)
    assert [frame[1:] for frame in box.frames] == [(10, (10, 0, 0))]
    for voter in people[:19]:
        await box.vote(2, voter)
    await box.later(40)
    assert len(box.frames) == 1, "nine more, and ten who have changed their minds"
    await box.vote(2, people[19])
    await box.look()
    assert [frame[1:] for frame in box.frames[1:]] == [(20, (0, 0, 20))]
    for voter in people[20:]:
        await box.vote(2, voter)
    await box.later(13)
    assert len(box.frames) == 2, "ten more, in less than fifteen seconds"
    await box.later(2)
    assert [frame[1:] for frame in box.frames[2:]] == [(30, (0, 0, 30))]
    # A clock that is set back makes it wait once more, and not for ever.
    for _ in range(10):
        await box.vote(1)
    await box.redis.hincrby(KEYS.tally(1), "told_at", 1_000_000)
    await box.look()
    await box.look()
    assert len(box.frames) == 3
    assert abs(int(await box.redis.hget(KEYS.tally(1), "told_at")) - (await box.redis.time())[0]) <= 2


async def test_a_figure_is_coarse_and_adds_up_and_is_right_on_the_whole(store: Store) -> None:
    chance, off = random.Random(2), 0.0
    for poll in range(1, 61):
        exact = [chance.randrange(1, 4 ** chance.randrange(1, 6)) for _ in range(CHOICES)]
        voters = sum(exact) + 10
        exact[0] += 10
        await store.of(CODE).hset(KEYS.polls, str(poll), "open")
        await store.of(CODE).hset(KEYS.tally(poll), mapping=dict(enumerate(exact)) | {"told_at": 1})
        await store.of(CODE).zadd(KEYS.votes(poll), {os.urandom(17): 0 for _ in range(voters)})
        told = await Votes(store).tell(CODE, poll, CHOICES)
        assert told is not None
        _, rounded, counts = told
        assert rounded == sum(counts) == voters - voters % 10
        part = max(5, rounded / 20)
        parts = [count / part for count in counts]
        assert all(abs(one - round(one)) <= 1 / part for one in parts), "whole parts, but for whole voters"
        for count, true in zip(counts, exact, strict=True):
            assert abs(count - true * rounded / voters) < part + 1
            off += (count - true * rounded / voters) / part
    assert abs(off / 60) < 0.5, "by chance the one above or below: neither side is favoured"


async def test_what_is_told_is_told_to_all_nodes_and_no_more_once_the_box_is_sealed(store: Store) -> None:
    box, heard = Box(store, 4, random.Random(1)), store.where(CODE).pubsub()
    await heard.execute_command("SSUBSCRIBE", KEYS.gauges)
    await box.open()
    for _ in range(20):
        await box.vote(1)
    assert await box.votes.seal(CODE, 4, CHOICES) == [0, 20, 0]
    await box.later(30)
    assert box.frames == []
    await box.redis.hset(KEYS.polls, "4", "open")
    await box.look()
    assert [frame[1:] for frame in box.frames] == [(20, (0, 20, 0))]
    async for message in heard.listen():
        if message["type"] == "smessage":
            assert msgpack.unpackb(message["data"]) == {"poll": [4, 20, [0, 20, 0]]}
            break
    await heard.aclose()
    assert limit("poll_figures") == 5, "below which nothing is told once it is closed"


Told = Callable[[Sequence[int], float], tuple[int, ...]]


def told_of(exact: Sequence[int], by_chance: float) -> tuple[int, ...]:
    """As poll_tell.lua rounds."""
    voters = sum(exact)
    rounded, found, so_far = voters - voters % 10, list[int](), 0
    parts = min(20, rounded // 5)
    for count in exact:
        so_far += count
        found.append(math.floor(math.floor(so_far * parts / voters + by_chance) * rounded / parts) - sum(found))
    return tuple(found)


def likelihood(exact: Sequence[int], seen: Sequence[int]) -> float:
    return sum(told_of(exact, (step + 0.5) / 200) == tuple(seen) for step in range(200)) / 200


@pytest.mark.parametrize("voters", [10, 25, 60, 200])
def test_one_vote_between_the_last_figure_and_the_result_is_hardly_known_better_than_by_the_result(voters: int) -> None:
    """Whoever knows that one vote came in between, and whose, has the result and the figure; nobody can take the result away."""
    chance, known, guessed, certain, tries = random.Random(4), 0, 0, 0, 400
    for _ in range(tries):
        votes = [chance.randrange(CHOICES) for _ in range(voters + 1)]
        before, result = ([some.count(choice) for choice in range(CHOICES)] for some in (votes[:-1], votes))
        seen = told_of(before, chance.random())
        belief = [
            likelihood([count - (choice == other) for other, count in enumerate(result)], seen) * result[choice]
            if result[choice]
            else 0.0
            for choice in range(CHOICES)
        ]
        known += max(range(CHOICES), key=lambda choice: belief[choice]) == votes[-1]
        guessed += max(range(CHOICES), key=lambda choice: result[choice]) == votes[-1]
        certain += sum(one > 0 for one in belief) == 1
    assert known / tries < guessed / tries + 0.15
    assert certain / tries < 0.1
