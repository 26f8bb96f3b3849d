"""Somebody has copies of both folders, and of the store's memory, of every hour of a town hall's life, and after it."""

import asyncio
import hashlib
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loadtests.blinding import Wallet
from loadtests.entry import waits
from protocol import commands as c
from server.admission.redeem import participant_id
from tests.anonymity.attacker import Hoard, by_chance, interval, score
from tests.anonymity.copies import ALL_COPIES, ONE_COPY, Life, copied, in_common, place, take, tells_time
from tests.anonymity.meeting import CODE, let_in_together
from tests.anonymity.test_adversary import OPENING, TELL_S, Late, Virtual, in_batches, invited, turned
from tests.town import ORGANISER
from tests.waiting import until

EARLY, LOBBY, LATE = 20, 10, 14
"""Few enough for one page of a database: there the order of signing lay open."""
HOURS = 2
STEP_S = 5
UNLIKELY = 1e-6
"""So seldom does chance alone fail one attack: forty are tried, and tokens are drawn anew in each run."""


@dataclass(slots=True)
class Kept:
    """What only the browsers know."""

    wallets: dict[str, Wallet] = field(default_factory=dict)
    marks: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)


class Whole(Late):
    """A town hall whose people also come back, from other devices too, speak and support."""

    kept: Kept

    async def sign(self, at: float, person: str) -> Wallet:
        wallet = await super().sign(at, person)
        self.kept.wallets[person] = wallet
        self.kept.marks[person] = marks(wallet)
        return wallet

    async def waiting(self) -> None:
        """As above, with patience: hours pass in seconds, and how often somebody may ask is counted in real ones."""
        for person, (_, wallet) in self.holding.items():
            if self.clock.now - self.told.get(person, 0) < TELL_S:
                continue
            payload = waits(next(iter(wallet.waiting), None), few=person in self.willing)
            ack = await self.hall.send("", "round:await", by=self.by(person), **payload)
            if not ack["ok"]:
                await asyncio.sleep(ack["error"]["retry_after_ms"] / 1_000)
                continue
            self.told[person] = self.clock.now
            if ack["data"]["spent"]:
                wallet.waiting.pop(0)
            if ack["data"]["few"] and person in self.choosing:
                self.willing.add(person)

    async def again(self, person: str) -> None:
        """A ticket anew: on the same device or on another that the entry was brought to."""
        self.kept.tickets[person] = await self.hall.show(self.kept.wallets[person], by=self.by(person))

    async def speak(self) -> None:
        """Whoever was let in since the last time posts, and supports."""
        for person in sorted(self.truth, key=lambda _: self.chance.random()):
            if person in self.kept.posted:
                continue
            await self.again(person)
            ack = await self.hall.send(
                self.kept.tickets[person], "message:post", by=self.by(person), text=f"{len(self.kept.posted)}번째 글", asked=True
            )
            if not ack["ok"]:
                continue
            self.kept.posted.append(person)
            runtime = await self.hall.runtime()
            await until(lambda seq=ack["seq"], runtime=runtime: seq in runtime.hall.messages)
            for message in self.chance.sample(list(runtime.hall.messages), min(3, len(runtime.hall.messages))):
                await self.hall.send(self.kept.tickets[person], "question:support", by=self.by(person), message=message, on=True)


def together(guess: dict[str, bytes], truth: dict[str, bytes], batches: Sequence[Sequence[bytes]]) -> int:
    """How many are guessed to be somebody who showed a token in the same round as they."""
    number = {token: place for place, batch in enumerate(batches) for token in batch}
    return sum(number[token] == number[truth[person]] for person, token in guess.items() if person in truth and token in number)


def in_rounds(hoard: Hoard) -> list[list[bytes]]:
    """Tokens that were shown in the same round."""
    ends = [*hoard.rounds, math.inf][1:]
    return [[one.token for one in hoard.showings if begin <= one.at < end] for begin, end in zip(hoard.rounds, ends, strict=True)]


def at_most(guess: dict[str, bytes], truth: dict[str, bytes], batches: Sequence[Sequence[bytes]]) -> tuple[float, int]:
    """The same of random guesses: on average, and more than any of 5,000."""
    chance, tokens = random.Random(29), list(guess.values())
    found = []
    for _ in range(5_000):
        chance.shuffle(tokens)
        found.append(together(dict(zip(guess, tokens, strict=True)), truth, batches))
    return sum(found) / len(found), max(found) + 2


def marks(wallet: Wallet) -> tuple[bytes, ...]:
    """By which a row at the issuer can be known, whatever it binds a person to."""
    blinded = [wallet.ask(), *wallet.ask_waiting()]
    return (hashlib.sha256(b"".join(blinded)).digest(), hashlib.sha256(wallet.ask()).digest())


async def lived(folder: Path) -> tuple[Life, Whole, list[list[str]], float]:
    """A whole life: copies at each hour, at the end, after closing, and after issuing was closed too."""
    clock, chance, began = Virtual(OPENING - 26 * 3_600), random.Random(19), time.time()
    async with turned(folder, clock, EARLY + LOBBY + LATE) as (hall, sessions):
        early = [(OPENING - chance.uniform(3_600, 86_400), f"early-{n}") for n in range(EARLY)]
        lobby = [(OPENING - chance.uniform(5, 300), f"lobby-{EARLY + n}") for n in range(LOBBY)]
        late = [(OPENING + chance.uniform(130, HOURS * 3_600 - 2_400), f"late-{EARLY + LOBBY + n}") for n in range(LATE)]
        codes = await invited(hall, [person for _, person in (*early, *lobby, *late)])
        run = Whole(hall, clock, codes, sessions)
        run.kept = Kept()
        run.plan = sorted(early + lobby + late)
        run.choosing = {person for _, person in late if chance.random() < 0.15}
        life = Life()
        valkey = hall.node.valkey
        assert valkey is not None

        def copy(when: str) -> None:
            life.copies.append(take(folder, clock.now, when, valkey.pid))

        for hour in range(25, -1, -1):
            await run.turn(OPENING - hour * 3_600, 3_600 if hour else 600)
            copy(f"{hour} hours before")
        clock.now = OPENING
        await hall.open()
        for part in range(HOURS * 3):
            await run.turn(OPENING + (part + 1) * 1_200, STEP_S)
            await run.speak()
            if part % 3 == 2:
                copy(f"hour {part // 3 + 1}")
        await run.turn(OPENING + HOURS * 3_600 + 1_300, STEP_S)
        await run.speak()
        for person in list(run.truth)[:20]:  # they come back, from the same device or from another
            await run.again(person)
        copy("at the end")
        runtime = await hall.runtime()
        key = runtime.author_key
        assert key is not None
        tags = {
            token: hall.node.gateway.admission.participant(key, participant_id(key, token)).sender.actor.author or ""
            for token in run.truth.values()
        }
        whose = {tag: token for token, tag in tags.items()}
        life.batches = [[whose[tag] for tag in batch] for batch in await let_in_together(hall)]
        life.spoken = [whose[tag] for tag in dict.fromkeys(message.author for message in runtime.hall.messages.values())]
        life.tokens = {token: (token, tags[token].encode()) for token in run.truth.values()}
        life.rows = {person: run.kept.marks[person] for person in run.truth}
        await hall.do(ORGANISER, c.CloseHall(client_id="close-the-hall"))
        await until(lambda: hall.node.gateway.directory.untied(CODE))
        chat = folder / "chat"
        await until(lambda: not any(token in file.content for file in copied(chat).values() for token in life.tokens), 30)
        copy("after closing")
        await hall.issuer.issuances.close_issuing(hall.issuance)
        copy("after both were closed")
        return life, run, in_batches(run.hoard, run.truth), began


async def test_no_set_of_copies_tells_who_is_who(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    life, run, batches, began = await lived(tmp_path)
    full = [batch for batch in batches if len(batch) >= 5]
    hidden = {person for batch in full for person in batch}
    rounds = in_rounds(run.hoard)
    few = run.truth.keys() - hidden - {person for person in run.truth if not person.startswith("late")}
    lines, wrong = [], []

    def tell(name: str, guess: dict[str, bytes]) -> None:
        right, of = score(guess, run.truth), len(run.truth)
        late = score({person: token for person, token in guess.items() if person in hidden}, run.truth)
        low, high = interval(right, of)
        lines.append(
            f"  {name:50} {right:2} of {of} (95 % {low:.0%} to {high:.0%}; chance 1),"
            f" {late:2} of {len(hidden)} late (chance {len(full)})"
        )
        if right - score({p: t for p, t in guess.items() if p in few}, run.truth) > by_chance(of, UNLIKELY, 1 + len(full)):
            wrong.append(f"{name}: {right} of {of}")
        if late > by_chance(len(hidden), UNLIKELY, len(full)):
            wrong.append(f"{name}: {late} of {len(hidden)} late")

    for copy in life.copies:
        if not copy.when.endswith("before"):
            for name, attack in ONE_COPY.items():
                guess = attack(life, copy)
                tell(f"{name}, {copy.when}", guess)
                if guess:
                    right, (mean, most) = together(guess, run.truth, rounds), at_most(guess, run.truth, rounds)
                    lines[-1] += f"; in their round {right} (chance {mean:.1f}, at most {most})"
                    if right > most:
                        wrong.append(f"{name}, {copy.when}: {right} in their round")
    for name, attack_all in ALL_COPIES.items():
        tell(name, attack_all(life))
    times = [name for copy in life.copies for name in tells_time(copy, life.rows.values(), began - 3_600)]
    with capsys.disabled():
        print("", *lines, f"  batches of {[len(batch) for batch in batches]}", sep="\n")
    assert not wrong
    assert not times, "the time at which a file of rows was changed is that of the last signing"
    # The attacker has what there is: rows until issuing was closed, tokens until the town hall was.
    by_when = {copy.when: copy for copy in life.copies}
    ledger = b"".join(file.content for file in by_when["after closing"].issuer.values())
    assert all(place(ledger, values) >= 0 for values in life.rows.values())
    store = b"".join(file.content for file in by_when["at the end"].chat.values())
    assert all(place(store, (token,)) >= 0 for token in life.tokens)
    # And then it is gone.
    after = by_when["after closing"]
    chat = b"".join(file.content for file in after.chat.values())
    left = [sum(value in content for value in life.tokens) for content in (chat, after.store)]
    with capsys.disabled():
        print(f"  after closing, of {len(life.tokens)} tokens {left[0]} in the chat's files, {left[1]} in the store's memory")
    assert left[0] == 0
    ended = b"".join(file.content for file in by_when["after both were closed"].issuer.values())
    assert not [person for person, values in life.rows.items() if place(ended, values) >= 0]


async def test_the_two_folders_have_nothing_in_common_but_what_everybody_knows(tmp_path: Path) -> None:
    clock, chance = Virtual(OPENING - 7_200), random.Random(23)
    async with turned(tmp_path, clock, 36) as (hall, sessions):
        people = [(OPENING - chance.uniform(60, 3_600), f"early-{n}") for n in range(36)]
        run = Whole(hall, clock, await invited(hall, [person for _, person in people]), sessions)
        run.kept, run.plan = Kept(), sorted(people)
        await run.turn(OPENING, 600)
        clock.now = OPENING
        await hall.open()
        await run.turn(OPENING + 300, STEP_S)
        await run.speak()
        copy = take(tmp_path, clock.now, "open", None)
        assert len(run.truth) == 36
        public = hall.issuance.spki + hall.issuance.waiting_spki + hall.issuance.title.encode()
        async with hall.session.get(f"{hall.node.url}/api/v1/halls/{CODE}") as response:
            public += await response.read()
        shared = in_common([file.content for file in copy.issuer.values()], [file.content for file in copy.chat.values()], public)
        assert not shared, sorted(shared)[:5]
        # The search finds what is there.
        token = next(iter(run.truth.values()))
        assert in_common([b"before" + token + b"after"], [file.content for file in copy.chat.values()], public)
