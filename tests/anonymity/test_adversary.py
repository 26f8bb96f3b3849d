"""Somebody holds all that both servers ever held, and tries to say who is who. The address of a connection is not among it."""

import asyncio
import contextlib
import csv
import hashlib
import io
import math
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from loadtests.blinding import Blinded, Wallet
from loadtests.client import ticket as watching_ticket
from loadtests.entry import get_signed, waits
from protocol.credentials import SALT_BYTES
from server.admission.redeem import participant_id
from server.issuer.key_files import KeyFiles
from server.store.keys import Keys
from tests.anonymity.apart import Apart, apart, asked
from tests.anonymity.attacker import ATTACKS, Guess, Hoard, Showing, Signing, by_chance, interval, score, unblinded
from tests.anonymity.meeting import CODE, Chat, Fast, Meeting, let_in_together, meeting
from tests.anonymity.test_canary import allowed
from tests.issuer.provider import walk
from tests.waiting import until

PEOPLE = 300
MESSAGES = 2_000
TIMES = 20
"""How much faster than real time passes: a round of two minutes takes six seconds."""
AT_ONCE = 12
RUN = secrets.token_hex(8)


def token_id(wallet: Wallet) -> bytes:
    """As the chat remembers it."""
    return hashlib.sha256(b"TH1 spent\0" + CODE.encode() + b"\0" + wallet.prepared).digest()


class Copies:
    """Copies of all files, `every_s` real seconds; what did not change is kept once."""

    def __init__(self, folder: Path, hoard: Hoard, wall: Fast) -> None:
        self._folder, self._hoard, self._wall = folder, hoard, wall
        self._known: dict[str, tuple[tuple[int, int], bytes]] = {}
        self.every_s = 1.0

    def once(self) -> None:
        """As they are now."""
        files = {}
        for path in self._folder.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file():
                    name, stat = str(path.relative_to(self._folder)), path.stat()
                    mark = (stat.st_mtime_ns, stat.st_size)
                    if name not in self._known or self._known[name][0] != mark:
                        self._known[name] = (mark, path.read_bytes())
                    files[name] = self._known[name][1]
        self._hoard.copies.append((self._wall(), files))

    async def take(self) -> None:
        """Again and again."""
        while True:
            self.once()
            await asyncio.sleep(self.every_s)


class Employee:
    """A browser that keeps to the rules; or one whose token goes to the issuer unblinded."""

    def __init__(self, number: int, house: Apart, *, broken: bool) -> None:
        self.house, self.chat = house, house.chat
        self.name = f"employee-{RUN}-{number:03}"
        self.mail = f"{self.name}@town.example.org"
        self.agent = f"Agent/{RUN}-{number:03}"
        self.address = f"127.{20 + number // 200}.{97 + number % 100}.{10 + number % 200}"
        self.code = ""
        self.jar = aiohttp.CookieJar(unsafe=True)
        self.wallet = self.chat.wallet()
        self.ticket = ""
        self.cookies: set[str] = set()
        self.open: list[aiohttp.ClientSession] = []
        self.for_chat = self.browser()
        if broken:
            plain = unblinded(self.wallet.prepared, self.wallet.key.key_size, secrets.token_bytes(SALT_BYTES))
            self.wallet.under_way = Blinded(plain, 1)

    def browser(self, jar: aiohttp.CookieJar | None = None, **headers: str) -> aiohttp.ClientSession:
        """From their own address. Nothing but the wallet goes from one origin to another."""
        connector = aiohttp.TCPConnector(local_addr=(self.address, 0))
        kept = aiohttp.DummyCookieJar() if jar is None else jar
        headers["User-Agent"] = self.agent
        self.open.append(aiohttp.ClientSession(connector=connector, cookie_jar=kept, headers=headers))
        return self.open[-1]

    async def sign(self, hoard: Hoard, wall: Fast) -> None:
        """By the invitation that was sent, or at the provider; over HTTP, at the issuer's process."""
        if not self.code:
            back = await walk(self.browser(self.jar), f"{self.house.issuer_url}/oidc/login?code={CODE}", self.name)
            assert back.endswith("oidc=signed"), back
            self.cookies = {cookie.value for cookie in self.jar if len(cookie.value) >= 16}
            assert any(cookie.key == "townhall-session" for cookie in self.jar)
        page = self.browser(self.jar, Origin=self.house.issuer_url)
        kind = "invitation" if self.code else "oidc"
        answer = await get_signed(page, self.house.issuer_url, self.wallet, kind, self.code)
        told = [self.name, self.mail, self.agent, *self.cookies, *([self.code] if self.code else [])]
        hoard.signings.append(Signing(self.name, wall(), self.wallet.ask(), answer, tuple(map(str.encode, told))))

    async def show(self, hoard: Hoard, wall: Fast) -> None:
        """At the chat, on a fresh connection and without a cookie."""
        self.ticket = await self.chat.show(self.wallet, by=self.for_chat)
        wallet, node = self.wallet, self.chat.node
        key = (await self.chat.runtime()).author_key
        assert key is not None
        tag = node.gateway.admission.participant(key, participant_id(key, token_id(wallet))).sender.actor.author
        assert tag is not None
        showing = Showing(token_id(wallet), wall(), wallet.prepared, wallet.signature, wallet.device_key, tag)
        hoard.showings.append(showing)

    async def close(self) -> None:
        """Leave."""
        for session in self.open:
            await session.close()


@contextlib.asynccontextmanager
async def held(
    folder: Path, people: int, messages: int, *, broken: bool = False
) -> AsyncIterator[tuple[Hoard, Guess, list[Employee], bytes]]:
    """A town hall that has taken place: what was held of it, what nobody but the browsers knows, who they were, its exports.

    Half of them come by invitations, half by single sign-on.
    """
    wall, chance = Fast(TIMES), random.Random(7)
    async with apart(folder, wall) as house, contextlib.AsyncExitStack() as stack:
        chat = house.chat
        loaded = KeyFiles(folder / "issuer" / "keys").load(CODE)
        assert loaded is not None
        hoard = Hoard(loaded[0])
        copies = Copies(folder, hoard, wall)
        looking = asyncio.create_task(copies.take())
        await chat.make(minimum_participants=min(30, people), round_s=120, round_people=5)
        employees = [Employee(number, house, broken=broken) for number in range(people)]
        for employee in employees:
            stack.push_async_callback(employee.close)
        invited = employees[: people // 2]
        codes = await house.invite([(employee.name, employee.mail) for employee in invited])
        for employee in invited:
            employee.code = codes[employee.mail]
        limited = asyncio.Semaphore(AT_ONCE)

        async def sign(employee: Employee) -> None:
            async with limited:
                await employee.sign(hoard, wall)

        async def show(employee: Employee) -> None:
            # The browser's own rule (static/src/admission/rounds.ts): a random moment of a round that began after its signing;
            # here of its first 80 s, since this clock runs fast and whoever comes after the round is not let in.
            await asyncio.sleep(chance.random() * 80 / TIMES)
            async with limited:
                await employee.show(hoard, wall)

        chance.shuffle(employees)
        await asyncio.gather(*map(sign, employees))
        await chat.open()
        copies.every_s = 1 / TIMES
        await asyncio.gather(*map(show, employees))
        await chat.admitted(people, 60)
        copies.every_s = 1.0
        chance.shuffle(employees)
        await speak(chat, employees, messages, chance)
        runtime = await chat.runtime()
        assert runtime.hall.round is not None
        hoard.rounds = [runtime.hall.round.at]
        hoard.spoken = list(dict.fromkeys(message.author for message in runtime.hall.messages.values()))
        exports = await everything_exported(chat)
        looking.cancel()
        copies.once()
        hoard.logs = b"".join((folder / "logs" / name).read_bytes() for name in ("issuer", "chat"))
        yield hoard, {employee.name: token_id(employee.wallet) for employee in employees}, employees, exports


async def everything_exported(chat: Chat) -> bytes:
    """What the organiser can take away, and what the server tells of itself."""
    key = {"Authorization": f"Bearer {chat.node.links.organiser_key}"}
    ours = ("export/record.jsonl", "export/questions.csv", "export/polls.csv", "export/report.html", "audit.jsonl", "organiser")
    found = b""
    for path in (*(f"/api/v1/halls/{CODE}/{name}" for name in ours), "/healthz", "/readyz", "/metrics"):
        async with chat.session.get(chat.node.url + path, headers=key) as response:
            found += await response.read()
    return found


async def speak(chat: Chat, employees: list[Employee], messages: int, chance: random.Random) -> None:
    """They post, and vote."""
    runtime = await chat.runtime()
    done = 0
    limited = asyncio.Semaphore(AT_ONCE)

    async def post(one: Employee, number: int) -> None:
        nonlocal done
        text = f"{number}번째 의견입니다."
        async with limited:
            while True:
                ack = await chat.send(one.ticket, "message:post", by=one.for_chat, text=text, asked=number % 40 == 0)
                # As a page does: again while the refusal says that it can help (`too_fast`, `chat_flooded`).
                if ack["ok"] or not ack["error"]["temporary"]:
                    break
                await asyncio.sleep(ack["error"]["retry_after_ms"] / 1000)
            assert ack["ok"], ack
            done += 1

    await asyncio.gather(*(post(employees[n % len(employees)], n) for n in range(messages)))
    assert done == messages
    await until(lambda: len(runtime.hall.messages) == messages, 30)
    questions = [message.id for message in runtime.hall.messages.values() if message.fate]
    voters = chance.sample(employees, len(employees) // 3)
    acks = [
        await chat.send(one.ticket, "question:support", by=one.for_chat, message=chance.choice(questions), on=True)
        for one in voters
    ]
    assert all(ack["ok"] for ack in acks)


def tried(hoard: Hoard, truth: Guess) -> dict[str, int]:
    """Right guesses of each attack, told."""
    scores = {name: score(attack(hoard), truth) for name, attack in ATTACKS.items()}
    of = len(truth)
    print()
    for name, right in scores.items():
        low, high = interval(right, of)
        print(f"  {name:18} {right:3} of {of} right, {right / of:.1%} (95 % {low:.1%} to {high:.1%}); chance: 1")
    return scores


async def test_nobody_can_say_who_is_who(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with held(tmp_path, PEOPLE, MESSAGES) as (hoard, truth, employees, exports):
        assert len(hoard.signings) == len(hoard.showings) == len(hoard.spoken) == len(truth) == PEOPLE
        # It is all there: the attacker is not kept from anything.
        last = hoard.copies[-1][1]
        assert {name.split("/")[0] for name in last} == {"chat", "issuer", "logs", "settings"}
        assert any(name.endswith("ledger.sqlite") for name in last) and any(name.endswith(".key") for name in last)
        store = b"".join(content for name, content in last.items() if "valkey" in name)
        assert sum(token in store for token in truth.values()) == PEOPLE
        with capfd.disabled():
            scores = tried(hoard, truth)
        for name, right in scores.items():
            assert right <= by_chance(PEOPLE), name
        # No name, nothing of an address, and no signing on the chat's side; no token on the issuer's.
        places = {side: b"".join(raw for name, raw in last.items() if name.startswith(side)) for side in ("chat", "issuer")}
        for signing in hoard.signings:
            assert signing.blinded not in places["chat"] and signing.answer not in places["chat"]
        for showing in hoard.showings:
            for value in (showing.device_key, showing.signature, showing.token):
                assert value not in places["issuer"]
        nowhere(
            {
                "chat's data folder": places["chat"],
                "issuer's data folder": places["issuer"],
                "logs": hoard.logs,
                "exports": exports,
            },
            employees,
        )


def nowhere(places: dict[str, bytes], employees: list[Employee]) -> None:
    """Nothing that somebody came with stands where the documentation does not say so (as the canary, A-06)."""
    table = allowed()
    for place, content in places.items():
        for one in employees:
            for what, value in (
                ("name", one.name),
                ("e-mail address", one.mail),
                ("OIDC subject", one.name),
                ("invitation code", one.code),
                ("network address", one.address),
                ("user agent", one.agent),
                *(("cookie", cookie) for cookie in one.cookies),
                ("ticket", one.ticket),
            ):
                assert table[what][place] or not value or value.encode() not in content, f"{what} stands in the {place}"
    # The search finds what is there.
    assert "번째 의견입니다.".encode() in places["exports"]


async def test_a_browser_that_does_not_blind_is_found_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with held(tmp_path, 30, 60, broken=True) as (hoard, truth, _, _):
        with capfd.disabled():
            scores = tried(hoard, truth)
        assert scores["by_equality"] == 30, scores
        assert scores["by_algebra"] == 30, scores
        assert any(right > by_chance(30) for right in scores.values())


# --- a thousand people of whom twenty come late, and then so many more that chance and leak can be told apart ---
BY_TIME = ("by_order", "by_time", "by_round", "by_who_is_left", "by_large_round")
EARLY = 980
EARLY_FEW = 60
LATE = 20
LATER = 180
OPENING = 2_000_000_000.0
LATE_FROM, LATE_UNTIL = 130, 900
"""Seconds after opening within which LATE come; LATER follow as densely."""
STEP_S = 5
TELL_S = 20
"""How often a waiting browser says so (static/src/pages/audience/enter.ts says it more often)."""
PER_ADDRESS = 200


class Virtual:
    """A clock that is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Late:
    """A meeting whose clock is turned by hand: everybody is signed and shows a token over HTTP, when it is their turn."""

    def __init__(self, hall: Meeting, clock: Virtual, codes: dict[str, str], sessions: list[aiohttp.ClientSession]) -> None:
        self.hall, self.clock, self.codes, self.sessions = hall, clock, codes, sessions
        self.chance = random.Random(11)
        self.plan: list[tuple[float, str]] = []
        self.holding: dict[str, tuple[float, Wallet]] = {}
        self.due: list[tuple[float, str, Wallet]] = []
        self.watching: dict[str, str] = {}
        self.told: dict[str, float] = {}
        self.choosing: set[str] = set()
        """Who will come in with few, once they are asked."""
        self.willing: set[str] = set()
        """Who was asked, and will."""
        self.truth: Guess = {}
        loaded = hall.issuer.issuances._keys.load(CODE)
        assert loaded is not None
        self.hoard = Hoard(loaded[0])

    def by(self, person: str) -> aiohttp.ClientSession:
        """Their way: addresses are bounded in what they may ask."""
        return self.sessions[int(person.split("-")[1]) // PER_ADDRESS]

    async def sign(self, at: float, person: str) -> Wallet:
        wallet = self.hall.wallet()
        answer = await get_signed(self.by(person), self.hall.issuer.url, wallet, "invitation", self.codes[person])
        self.hoard.signings.append(Signing(person, at, wallet.ask(), answer))
        return wallet

    async def show(self, at: float, person: str, wallet: Wallet) -> None:
        await self.hall.show(wallet, by=self.by(person), few=person in self.willing)
        self.watching.pop(person, None)
        self.truth[person] = token_id(wallet)
        showing = Showing(token_id(wallet), at, wallet.prepared, wallet.signature, wallet.device_key)
        self.hoard.showings.append(showing)

    async def waiting(self) -> None:
        """Whoever holds an entry and has no round watches, and says that they wait."""
        for person, (_, wallet) in self.holding.items():
            if person not in self.watching:
                self.watching[person] = await watching_ticket(self.by(person), self.hall.node.url, CODE)
            if self.clock.now - self.told.get(person, 0) >= TELL_S:
                self.told[person] = self.clock.now
                payload = waits(next(iter(wallet.waiting), None), few=person in self.willing)
                ack = await self.hall.send(self.watching[person], "round:await", by=self.by(person), **payload)
                assert ack["ok"], ack
                if ack["data"]["spent"]:
                    wallet.waiting.pop(0)
                if ack["data"]["few"] and person in self.choosing:
                    self.willing.add(person)

    async def turn(self, until_s: float, step_s: float) -> None:
        """Let time pass."""
        runtime, rounds = await self.hall.runtime(), self.hall.node.rounds
        while self.clock.now < until_s:
            self.clock.now += step_s
            here = [one for one in self.plan if one[0] <= self.clock.now]
            del self.plan[: len(here)]
            wallets = await asyncio.gather(*(self.sign(*one) for one in here))
            # In the order of the plan, so that chance falls the same way in each run.
            self.holding |= {person: (at, wallet) for (at, person), wallet in zip(here, wallets, strict=True)}
            found = runtime.hall.round
            if found is not None and self.hoard.rounds[-1:] != [found.at]:
                self.hoard.rounds.append(found.at)
                self.hoard.few |= {found.at} if found.few else set()
                # The browser's own rule, as above.
                for person, (at, wallet) in list(self.holding.items()):
                    if at < found.at and (person in self.willing or not found.few):
                        del self.holding[person]
                        self.due.append((found.at + self.chance.random() * (found.ends_at - found.at), person, wallet))
                self.due.sort(key=lambda one: one[0])
            now_due = [one for one in self.due if one[0] <= self.clock.now]
            del self.due[: len(now_due)]
            await asyncio.gather(*(self.show(*one) for one in now_due))
            if runtime.hall.phase == "open":
                await self.waiting()
                seq = runtime.seq
                await rounds.look(runtime)
                await asyncio.sleep(0)
                head = await self.hall.node.store.of(CODE).hget(Keys(CODE).head, "seq")
                if runtime.seq == seq and head != str(seq).encode():
                    await until(lambda seq=seq: runtime.seq > seq)

    def scores(self, name: str, whose: str) -> tuple[int, int]:
        """(right guesses, of how many) among those whose name begins so."""
        guess = {person: token for person, token in ATTACKS[name](self.hoard).items() if person.startswith(whose)}
        return score(guess, self.truth), sum(person.startswith(whose) for person in self.truth)


def told(name: str, right: int, of: int, chance: str) -> str:
    """A line."""
    low, high = interval(right, of)
    return f"  {name:40} {right:3} of {of:4} right, {right / of:5.1%} (95 % {low:.1%} to {high:.1%}); chance: {chance}"


@contextlib.asynccontextmanager
async def turned(folder: Path, clock: Virtual, people: int) -> AsyncIterator[tuple[Meeting, list[aiohttp.ClientSession]]]:
    """A meeting whose clock is turned by hand, in draft, and ways for so many people."""
    async with meeting(folder, wall=clock, kinds=("invitation",)) as hall, contextlib.AsyncExitStack() as stack:
        await hall.make(minimum_participants=30, round_s=120, round_people=5)
        await hall.node.rounds.stop()
        # As in meeting.py: the disk is not what is tested.
        await hall.issuer.issuances.on_ledger(lambda ledger: ledger.connection.execute("PRAGMA synchronous = OFF").close())
        sessions = []
        for number in range(-(-people // PER_ADDRESS)):
            connector = aiohttp.TCPConnector(local_addr=(f"127.30.0.{number + 1}", 0))
            sessions.append(await stack.enter_async_context(aiohttp.ClientSession(connector=connector)))
        yield hall, sessions


async def test_late_comers_are_lost_among_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real signatures at the issuer's interface, real tokens at the chat's; hours pass in seconds."""
    clock = Virtual(OPENING - 90_000)
    async with turned(tmp_path, clock, EARLY + LATE + LATER) as (hall, sessions):
        chance = random.Random(13)
        early = [(OPENING - chance.uniform(60, 86_400), f"early-{number}") for number in range(EARLY)]
        late = [(OPENING + chance.uniform(LATE_FROM, LATE_UNTIL), f"late-{EARLY + number}") for number in range(LATE)]
        ends = LATE_UNTIL + (LATE_UNTIL - LATE_FROM) * LATER / LATE
        later = [(OPENING + chance.uniform(LATE_UNTIL, ends), f"later-{EARLY + LATE + number}") for number in range(LATER)]
        people = [person for _, person in (*early, *late, *later)]
        codes = await invited(hall, people)
        run = Late(hall, clock, codes, sessions)
        run.plan = sorted(early + late)
        await run.turn(OPENING, 3_600)
        clock.now = OPENING
        await hall.open()
        runtime = await hall.runtime()
        await run.turn(OPENING + LATE_UNTIL + 600, STEP_S)
        assert len(run.truth) == EARLY + LATE - len(run.holding) == len(runtime.hall.admitted) and len(run.holding) < 5
        lines, wrong = [], []
        for name in ("by_order", "by_time", "by_round"):
            right, of = run.scores(name, "")
            lines.append(told(f"{name}, everybody", right, of, "1"))
            wrong += [f"{name}: {right} of everybody"] if right > of // 100 else []

        # Twenty are too few to tell a leak from chance: more come, in the same way.
        run.plan = sorted((at + 600, person) for at, person in later)
        await run.turn(OPENING + ends + 1_300, STEP_S)
        assert len(run.truth) == EARLY + LATE + LATER - len(run.holding) == len(runtime.hall.admitted)
        assert len(run.holding) < 5 and not run.hoard.few
        batches = in_batches(run.hoard, run.truth)
        full = {person for batch in batches for person in batch}
        number = len(batches)
        for name in BY_TIME:
            guess = ATTACKS[name](run.hoard)
            right = score({person: token for person, token in guess.items() if person in full}, run.truth)
            lines.append(told(f"{name}, late in full batches", right, len(full), f"{number} (one a batch)"))
            wrong += [f"{name}: {right} of {len(full)} late"] if right > by_chance(len(full), groups=number) else []
        sizes = [len(batch) for batch in batches]
        with capsys.disabled():
            print("", *lines, f"  late-comers showed their tokens together as {sizes}", sep="\n")
        assert not wrong
        assert number / len(full) <= 1 / 5, "chance itself is better than one in five"
        assert min(sizes) >= 5 and min(len(batch) for batch in await let_in_together(hall)) >= 5, (
            "nobody chose to come in with few"
        )


SELDOM_S = 110
"""A late-comer every so often, on average: fewer than five within five minutes, mostly."""
SELDOM = 300
CHOOSING = 1 / 4
"""Part of them who come in with few, once they are asked."""


async def test_late_comers_who_wait_for_five_are_lost_among_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Some come in with few, and are found; that must not help to find those who wait."""
    clock = Virtual(OPENING - 4_000)
    async with turned(tmp_path, clock, EARLY_FEW + SELDOM) as (hall, sessions):
        chance = random.Random(17)
        early = [(OPENING - chance.uniform(60, 3_600), f"early-{number}") for number in range(EARLY_FEW)]
        late = [
            (OPENING + chance.uniform(LATE_FROM, SELDOM * SELDOM_S), f"late-{EARLY_FEW + number}") for number in range(SELDOM)
        ]
        codes = await invited(hall, [person for _, person in (*early, *late)])
        run = Late(hall, clock, codes, sessions)
        run.plan = sorted(early + late)
        run.choosing = {person for _, person in late if chance.random() < CHOOSING}
        await run.turn(OPENING, 600)
        clock.now = OPENING
        await hall.open()
        await run.turn(OPENING + SELDOM * SELDOM_S + 1_300, STEP_S)
        runtime = await hall.runtime()
        assert len(run.truth) == EARLY_FEW + SELDOM - len(run.holding) == len(runtime.hall.admitted)
        assert len(run.holding) < 5
        batches = in_batches(run.hoard, run.truth)
        full = [batch for batch in batches if len(batch) >= 5]
        few = {person for batch in batches if len(batch) < 5 for person in batch}
        waited = {person for batch in full for person in batch}
        assert few <= run.willing and len(few) >= 20 and len(waited) >= 200
        lines, wrong = [], []
        for name in BY_TIME:
            guess = ATTACKS[name](run.hoard)
            for what, whose in (("who waited for five", waited), ("who came in with few", few)):
                right = score({person: token for person, token in guess.items() if person in whose}, run.truth)
                lines.append(told(f"{name}, {what}", right, len(whose), f"{len(full)} (one a batch)" if whose is waited else "-"))
                if whose is waited and right > by_chance(len(waited), groups=len(full)):
                    wrong.append(f"{name}: {right} of {len(waited)} who waited")
        sizes = [len(batch) for batch in batches]
        with capsys.disabled():
            print("", *lines, f"  late-comers showed their tokens together as {sizes}", sep="\n")
        assert not wrong
        assert len(full) / len(waited) <= 1 / 5, "chance itself is better than one in five"
        # Nobody is let in with few who did not say so.
        key = runtime.author_key
        assert key is not None
        participant = hall.node.gateway.admission.participant
        tags = {
            participant(key, participant_id(key, run.truth[person])).sender.actor.author
            for person in run.willing & run.truth.keys()
        }
        for batch in await let_in_together(hall):
            assert len(batch) >= 5 or set(batch) <= tags


async def invited(hall: Meeting, people: list[str]) -> dict[str, str]:
    """{person: code of their invitation}"""
    key = hall.issuer.organiser_key
    raw = await asked(
        hall.session, hall.issuer.url, f"issuances/{CODE}/invitations?form=csv", key, "name\n" + "\n".join(people) + "\n"
    )
    return {row["name"]: row["code"] for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))}


def in_batches(hoard: Hoard, truth: Guess) -> list[list[str]]:
    """Who of the late-comers showed their token in the same round."""
    whose = {token: person for person, token in truth.items()}
    ends = [*hoard.rounds, math.inf][1:]
    rounds = [
        [whose[one.token] for one in hoard.showings if begin <= one.at < end]
        for begin, end in zip(hoard.rounds, ends, strict=True)
    ]
    return [batch for batch in rounds if any(person.startswith("late") for person in batch)]


def test_chance_is_what_it_says() -> None:
    assert by_chance(300) == 6
    trials = [sum(a == b for a, b in enumerate(random.Random(seed).sample(range(300), 300))) for seed in range(2_000)]
    assert 0.9 < sum(trials) / len(trials) < 1.1 and max(trials) <= by_chance(300) + 1


def test_the_attacker_finds_what_is_there() -> None:
    """Order, time, words and lines that tell, made by hand: no attack is blind."""
    key = rsa.generate_private_key(65_537, 1_024)
    hoard, truth, lines = Hoard(key), Guess(), []
    for number in range(20):
        person, token, tag = f"person-{number:02}", bytes([number]) * 32, f"{number:016x}"
        truth[person] = token
        hoard.signings.append(Signing(person, 10.0 * number, b"%d" % number, b"-", (person.encode(), token)))
        hoard.showings.append(Showing(token, 10.0 * number + 1, token, bytes(128), token, tag))
        hoard.spoken.append(tag)
        lines += [f'{{"event": "signed", "who": "{person}"}}', f'{{"event": "shown", "token": "{token.hex()}"}}']
    hoard.logs = "\n".join(lines).encode()
    for name in ("by_order", "by_time", "by_equality", "by_first_words", "by_logs"):
        assert score(ATTACKS[name](hoard), truth) == 20, name
