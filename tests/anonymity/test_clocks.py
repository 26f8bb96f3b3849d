"""Two operators note whole seconds of signings and of all connections, with their sizes: 300 people, each way of coming."""

import dataclasses
import json
import math
import random
import re
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.browser_rules import BEFORE, RULES, Rules, Times, plan
from tests.anonymity.clock_attacks import CLOCK_ATTACKS, Study, matched
from tests.anonymity.clocks import OPENING, World
from tests.anonymity.comings import COMINGS

STATIC = Path(__file__).parents[2] / "static"
TOWN_HALLS = 4
"""Of each way, with chance of their own."""
MOST = 1.5
"""Times as many right guesses as chance gives, within the people who showed their tokens together."""
RACES = 0.02
"""Somebody says that they wait in the moment in which a round begins that they are in: the next one counts them, too."""
SURE = 20.0
"""Where chance gives so many, the count itself must keep to MOST; where it gives fewer, its interval."""


def least(right: int) -> float:
    """The lower end of the 95 % interval of what is to be expected where so many were counted (Poisson, exactly)."""
    if right == 0:
        return 0.0
    low, high = 0.0, float(right)
    for _ in range(40):
        mean = (low + high) / 2
        term, below = math.exp(-mean), 0.0
        for count in range(right):
            below += term
            term *= mean / (count + 1)
        low, high = (low, mean) if 1 - below > 0.025 else (mean, high)
    return low


class Tally:
    """`right[attack, group]`; `chance[group]`: what guessing at random within each round gives; `people[group]`."""

    def __init__(self) -> None:
        self.right: Counter[tuple[str, str]] = Counter()
        self.chance: dict[str, float] = {}
        self.people: Counter[str] = Counter()
        self.rounds: list[int] = []
        """How many showed their tokens in each round for all."""

    def smaller(self) -> float:
        """Part of the rounds for all in which fewer than five showed their tokens."""
        return sum(count < 5 for count in self.rounds) / len(self.rounds)

    def leaks(self) -> list[str]:
        """In words."""
        return [
            f"{attack}: {right} of {self.people[group]} {group}, by chance {self.chance[group]:.1f}"
            for (attack, group), right in self.right.items()
            if group != "few"  # who comes in with few is told so, and chooses it
            and (right if self.chance[group] >= SURE else least(right)) > MOST * self.chance[group]
        ]

    def told(self) -> list[str]:
        """The three best attacks on each group."""
        lines = []
        for group, people in self.people.items():
            best = sorted(((self.right[name, group], name) for name in CLOCK_ATTACKS), reverse=True)[:3]
            figures = ", ".join(f"{name} {right} ({least(right):.0f}+)" for right, name in best)
            lines.append(f"  {group:10} {people:5} people, by chance {self.chance[group]:5.1f} right; {figures}")
        return lines


def tried(way: str, rules: Rules, town_halls: int = TOWN_HALLS) -> Tally:
    """All attacks on so many town halls to which people come in this way."""
    tally = Tally()
    for seed in range(town_halls):
        world = World(rules, seed)
        COMINGS[way](world)
        world.run(OPENING + (23_500 if way == "few" else 4_500))
        together = Counter(world.together.values())
        for person, turn in world.together.items():
            group = person.split("-")[0]
            tally.chance[group] = tally.chance.get(group, 0.0) + 1 / together[turn]
            tally.people[group] += 1
        in_rounds = Counter(world.round_of.values())
        tally.rounds += [in_rounds[begin] for begin, _, few in world.seen.rounds if not few]
        study = Study(world.seen)
        for name, attack in CLOCK_ATTACKS.items():
            for person, tag in attack(study).items():
                if world.truth.get(person) == tag:
                    tally.right[name, person.split("-")[0]] += 1
    return tally


@pytest.mark.parametrize("way", COMINGS)
def test_no_clock_tells_who_is_who(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    tally = tried(way, RULES)
    with capsys.disabled():
        print(f"\n  {way}:", *tally.told(), sep="\n")
    assert not tally.leaks()
    assert tally.smaller() <= RACES, "somebody who waited for five was in a round with fewer"


@pytest.mark.parametrize(
    ("way", "group", "rules", "attack"),
    [
        ("lobby", "lobby", BEFORE, "opened_and_closed"),
        ("rush", "lobby", BEFORE, "opened_and_closed"),
        ("late", "late", BEFORE, "unbroken"),
        ("few", "late", BEFORE, "unbroken"),
        ("straggling", "late", BEFORE, "opened_and_closed"),
        ("returning", "returned", BEFORE, "back_from_the_issuer"),
        ("returning", "returned", replace(RULES, overlap_s=(0, 0)), "back_from_the_issuer"),
        ("straggling", "stray", replace(RULES, fresh="any"), ""),
        ("last", "last", replace(RULES, fresh="any"), "by_gap"),
    ],
)
def test_a_page_that_keeps_less_is_caught(
    way: str, group: str, rules: Rules, attack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = tried(way, rules, {"stray": 12, "last": 24}.get(group, 2))
    with capsys.disabled():
        print(f"\n  {way}:", *(line for line in tally.told() if line.split()[0] == group), sep="\n")
    assert least(max(tally.right[name, group] for name in CLOCK_ATTACKS)) > MOST * tally.chance[group]
    assert not attack or tally.right[attack, group] > MOST * tally.chance[group]


def test_who_waits_says_so_once_they_could_be_in_the_round() -> None:
    """Otherwise somebody is counted to a round that is none of theirs: it is smaller than five."""
    assert tried("late", replace(RULES, counted_s=0)).smaller() > RACES


def test_the_simulated_page_is_the_page() -> None:
    """Constants, and what both decide in 2,000 situations."""
    chance, asked, mine = random.Random(3), [], []
    for _ in range(2_000):
        begun, first = 1_000, chance.random() < 0.5
        length = 120 if first else 30
        number, few, opened = chance.randrange(1, 3), not first and chance.random() < 0.3, begun + chance.uniform(-300, 90)
        times = Times(
            now=max(opened, begun) + chance.choice([0.2, 1.5, chance.uniform(0, 130)]),
            signed_at=begun + chance.uniform(-400, 20),
            round=None if chance.random() < 0.05 else (number, begun, begun + length),
            round_s=0 if chance.random() < 0.02 else 120,
            few=few,
            willing=chance.random() < 0.5,
            opened_at=opened,
            here_before=chance.choice([0.0, opened - 30, opened - 90, opened - 4_000]),
            chosen=chance.choice([0, 0, 1, 2]),
        )
        chances = [chance.random() for _ in range(3)]
        fields = {field.name: getattr(times, field.name) for field in dataclasses.fields(times)}
        asked.append([{re.sub("_(.)", lambda match: match[1].upper(), name): value for name, value in fields.items()}, chances])
        decided = plan(times, iter(chances).__next__)
        mine.append(None if decided.show_s is None else [decided.show_s, decided.rotate_s, decided.again_s])
    script = Path(__file__).with_name("rounds.mjs")
    done = subprocess.run(
        ["node", script, STATIC], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True
    )
    page = json.loads(done.stdout)
    told = {"QUIET_S": 10, "ROTATE_S": 5, "SETTLE_S": 15, "RETURN_S": [60, 180], "AWAIT_S": [1, 20], "AGAIN_S": 15}
    assert {name: page["constants"][name] for name in told} == told
    ours = [RULES.quiet_s, RULES.rotate_s, RULES.settle_s, list(RULES.return_s), list(RULES.await_s), RULES.again_s]
    assert ours == list(told.values())
    assert sum(one is not None for one in mine) > 300
    for one, other, situation in zip(mine, page["answers"], asked, strict=True):
        assert one == pytest.approx(other, abs=1e-6), situation


def test_the_best_matching_is_the_best() -> None:
    assert sorted(matched([[4, 1, 3], [2, 0, 5], [3, 2, 2]])) == [(0, 1), (1, 0), (2, 2)]
    assert sorted(matched([[1, 0], [0, 9], [5, 5]])) == [(0, 1), (1, 0)]
    assert least(0) == 0 and 8 < least(16) < 10
