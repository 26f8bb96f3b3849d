"""Somebody holds all that both servers ever held, and tries to say who is who. The address of a connection is not among it."""

import asyncio
import contextlib
import hashlib
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loadtests.blinding import Blinded, Wallet
from protocol import commands as c
from protocol.credentials import SALT_BYTES
from tests.anonymity.attacker import ATTACKS, Guess, Hoard, Showing, Signing, by_chance, interval, score, unblinded
from tests.anonymity.meeting import CODE, Fast, Meeting, meeting
from tests.town import ORGANISER
from tests.waiting import until

PEOPLE = 300
MESSAGES = 2_000
TIMES = 20
"""How much faster than real time passes: a round of two minutes takes six seconds."""
AT_ONCE = 12


def token_id(wallet: Wallet) -> bytes:
    """As the chat remembers it."""
    return hashlib.sha256(b"TH1 spent\0" + CODE.encode() + b"\0" + wallet.prepared).digest()


async def copying(hall: Meeting, folder: Path, hoard: Hoard, wall: Fast) -> None:
    """A copy of all files, every second."""
    while True:
        files = {}
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file():
                    files[str(path.relative_to(folder))] = path.read_bytes()
        hoard.copies.append((wall(), files))
        await asyncio.sleep(1)


class Employee:
    """A browser that keeps to the rules; or one whose token goes to the issuer unblinded."""

    def __init__(self, hall: Meeting, name: str, *, broken: bool) -> None:
        self.hall = hall
        self.name = name
        self.wallet = hall.wallet()
        self.ticket = ""
        if broken:
            plain = unblinded(self.wallet.prepared, self.wallet.key.key_size, secrets.token_bytes(SALT_BYTES))
            self.wallet.under_way = Blinded(plain, 1)

    async def sign(self, hoard: Hoard, wall: Fast) -> None:
        issuances, person = self.hall.issuer.issuances, f"mail|{self.name}@example.org".encode()
        answer = await issuances.sign(self.hall.issuance, person, self.wallet.ask())
        assert isinstance(answer, bytes), answer
        hoard.signings.append(Signing(self.name, wall(), self.wallet.ask(), answer))
        self.wallet.take(answer)

    async def show(self, hoard: Hoard, wall: Fast, after_s: float) -> None:
        await asyncio.sleep(after_s / TIMES)
        self.ticket = await self.hall.show(self.wallet)
        wallet = self.wallet
        showing = Showing(token_id(wallet), wall(), wallet.prepared, wallet.signature, wallet.device_key)
        hoard.showings.append(showing)


@contextlib.asynccontextmanager
async def held(folder: Path, people: int, messages: int, *, broken: bool = False) -> AsyncIterator[tuple[Hoard, Guess]]:
    """A town hall that has taken place: what was held of it, and what nobody but the browsers knows."""
    wall, chance = Fast(TIMES), random.Random(7)
    async with meeting(folder, wall=wall, kinds=("invitation", "oidc")) as hall:
        loaded = hall.issuer.issuances._keys.load(CODE)
        assert loaded is not None
        hoard = Hoard(loaded[0])
        copies = asyncio.create_task(copying(hall, folder, hoard, wall))
        await hall.make(minimum_participants=min(30, people), round_s=120, round_people=5)
        employees = [Employee(hall, f"employee-{number}", broken=broken) for number in range(people)]
        chance.shuffle(employees)
        for employee in employees:
            await employee.sign(hoard, wall)
        await hall.open()
        limited = asyncio.Semaphore(AT_ONCE)

        async def show(employee: Employee) -> None:
            # The browser's own rule (static/src/admission/rounds.ts): a random moment of a round that began after its signing.
            delay = chance.random() * 110
            await asyncio.sleep(delay / TIMES)
            async with limited:
                await employee.show(hoard, wall, 0)

        await asyncio.gather(*map(show, employees))
        await hall.admitted(people, 60)
        await speak(hall, employees, messages, chance)
        hoard.logs = b"".join(content for _, files in hoard.copies[-1:] for content in files.values())
        await until(lambda: len(hoard.copies) >= 3)
        await asyncio.sleep(1.1)
        copies.cancel()
        yield hoard, {employee.name: token_id(employee.wallet) for employee in employees}


async def speak(hall: Meeting, employees: list[Employee], messages: int, chance: random.Random) -> None:
    """They post, and vote."""
    runtime = await hall.runtime()
    done = 0
    limited = asyncio.Semaphore(AT_ONCE)

    async def post(employee: Employee, number: int) -> None:
        nonlocal done
        async with limited:
            while True:
                ack = await hall.send(employee.ticket, "message:post", text=f"{number}번째 의견입니다.", asked=number % 40 == 0)
                if ack["ok"] or ack["error"]["code"] != "too_fast":
                    break
                await asyncio.sleep(ack["error"]["retry_after_ms"] / 1000)
            assert ack["ok"], ack
            done += 1

    await asyncio.gather(*(post(employees[n % len(employees)], n) for n in range(messages)))
    assert done == messages
    await until(lambda: len(runtime.hall.messages) == messages, 30)
    questions = [message.id for message in runtime.hall.messages.values() if message.fate]
    if questions:
        voters = chance.sample(employees, len(employees) // 3)
        acks = [await hall.send(one.ticket, "question:support", message=chance.choice(questions), on=True) for one in voters]
        assert all(ack["ok"] for ack in acks)


async def test_nobody_can_say_who_is_who(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with held(tmp_path, PEOPLE, MESSAGES) as (hoard, truth):
        assert len(hoard.signings) == len(hoard.showings) == len(truth) == PEOPLE
        # It is all there: the attacker is not kept from anything.
        last = hoard.copies[-1][1]
        assert any(name.endswith("ledger.sqlite") for name in last) and any(name.endswith(".key") for name in last)
        store = b"".join(content for name, content in last.items() if "valkey" in name)
        assert sum(token in store for token in truth.values()) == PEOPLE
        with capsys.disabled():
            print()
            for name, attack in ATTACKS.items():
                right = score(attack(hoard), truth)
                low, high = interval(right, PEOPLE)
                print(f"  {name:18} {right:3} of {PEOPLE} right, {right / PEOPLE:.1%} (95 % {low:.1%} to {high:.1%}); chance: 1")
                assert right <= by_chance(PEOPLE), name
        # No name, nothing of an address, and no signing on the chat's side; no token on the issuer's.
        chat = b"".join(content for name, content in last.items() if name.startswith("chat"))
        issuer = b"".join(content for name, content in last.items() if name.startswith("issuer"))
        for signing in hoard.signings:
            assert signing.blinded not in chat and signing.answer not in chat and signing.person.encode() not in chat + issuer
        for showing in hoard.showings:
            assert showing.device_key not in issuer and showing.signature not in issuer and showing.token not in issuer


async def test_a_browser_that_does_not_blind_is_found_out(tmp_path: Path) -> None:
    async with held(tmp_path, 30, 30, broken=True) as (hoard, truth):
        scores = {name: score(attack(hoard), truth) for name, attack in ATTACKS.items()}
        assert scores["by_equality"] == 30, scores
        assert scores["by_algebra"] == 30, scores
        assert any(right > by_chance(30) for right in scores.values())


# --- the simulation, on the real rules, with late-comers ---
EARLY = 980
LATE = 20
OPENING = 2_000_000_000.0


class Virtual:
    """A clock that is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def test_late_comers_are_lost_among_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 people of whom 20 come late, an hour in seconds; signings and showings happen in the real code, in this order."""
    clock, chance = Virtual(OPENING - 90_000), random.Random(11)
    async with meeting(tmp_path, wall=clock) as hall:
        await hall.make(minimum_participants=30, round_s=120, round_people=5)
        runtime = await hall.runtime()
        rounds, tokens = hall.node.rounds, hall.node.tokens
        await rounds.stop()  # this clock is turned by hand
        plan: list[tuple[float, str]] = []
        for number in range(EARLY):
            plan.append((OPENING - chance.uniform(60, 86_400), f"early-{number}"))
        for number in range(LATE):
            plan.append((OPENING + chance.uniform(130, 900), f"late-{number}"))
        plan.sort()
        signings: list[Signing] = []
        showings: list[Showing] = []
        truth: Guess = {}
        holding: dict[str, float] = {}
        due: list[tuple[float, str]] = []
        seen_round = 0

        async def turn(until_s: float, step_s: float) -> None:
            nonlocal seen_round
            while clock.now < until_s:
                clock.now += step_s
                while plan and plan[0][0] <= clock.now:
                    at, person = plan.pop(0)
                    signings.append(Signing(person, at, person.encode(), person.encode()))
                    holding[person] = at
                found = runtime.hall.round
                if found is not None and found.number != seen_round:
                    seen_round = found.number
                    for person, at in list(holding.items()):
                        if at < found.at:
                            due.append((found.at + chance.random() * (found.ends_at - found.at), person))
                            del holding[person]
                    due.sort()
                while due and due[0][0] <= clock.now:
                    at, person = due.pop(0)
                    token = secrets.token_bytes(32)
                    truth[person] = token
                    assert await tokens.show(CODE, token, token, token[:8].hex()) == "first"
                    showings.append(Showing(token, at, token, token, token))
                if runtime.hall.phase == "open":
                    for person in holding:
                        runtime.awaiting.add(person.encode())
                    seq = runtime.seq
                    await rounds.look(runtime)
                    await asyncio.sleep(0)
                    if (
                        runtime.seq == seq
                        and await hall.node.store.of(CODE).hget(f"th:{{{CODE}}}:head", "seq") != str(seq).encode()
                    ):
                        await until(lambda seq=seq: runtime.seq > seq)

        await turn(OPENING, 3_600)
        clock.now = OPENING
        await hall.do(ORGANISER, c.OpenHall(client_id="open-the-hall"))
        await until(lambda: runtime.hall.phase == "open")
        await turn(OPENING + 1_800, 5)
        assert len(truth) == EARLY + LATE and len(runtime.hall.admitted) == EARLY + LATE

        key = hall.issuer.issuances._keys.load(CODE)
        assert key is not None
        hoard = Hoard(key[0], signings, showings)
        batches = await batches_of(hall)
        with capsys.disabled():
            print()
            for name in ("by_order", "by_time"):
                guess = ATTACKS[name](hoard)
                right = score(guess, truth)
                late = score({person: token for person, token in guess.items() if person.startswith("late")}, truth)
                low, high = interval(right, EARLY + LATE)
                rate = f"{right / 1_000:.1%} (95 % {low:.1%} to {high:.1%})"
                print(f"  {name:9} {right} of 1,000 right, {rate}; late-comers {late} of {LATE}")
                assert right <= 10 and late <= 10
            late_tags = {truth[f"late-{n}"][:8].hex() for n in range(LATE)}
            sizes = [len(batch) for batch in batches if late_tags & set(batch)]
            print(f"  late-comers were let in together as {sizes}")
        assert sum(sizes) >= LATE and sum(1 for size in sizes if size < 5) <= 1


async def batches_of(hall: Meeting) -> list[tuple[str, ...]]:
    """Who was let in together, from the log."""
    from protocol.bus import unpack
    from protocol.entries import ParticipantsAdmitted
    from server.store.log import read_all

    found = []
    async for _, body, text in read_all(hall.node.store, CODE):
        entry = unpack(body, text)
        if isinstance(entry, ParticipantsAdmitted):
            assert list(entry.authors) == sorted(entry.authors)
            found.append(entry.authors)
    return found


def test_chance_is_what_it_says() -> None:
    assert by_chance(300) == 6
    trials = [sum(a == b for a, b in enumerate(random.Random(seed).sample(range(300), 300))) for seed in range(2_000)]
    assert 0.9 < sum(trials) / len(trials) < 1.1 and max(trials) <= by_chance(300) + 1
