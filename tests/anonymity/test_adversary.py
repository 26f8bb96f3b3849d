"""Somebody holds all that both servers ever held, and tries to say who is who. The address of a connection is not among it."""

import asyncio
import contextlib
import hashlib
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from loadtests.blinding import Blinded, Wallet
from loadtests.entry import get_signed
from protocol import commands as c
from protocol.credentials import SALT_BYTES
from server.admission.redeem import participant_id
from server.issuer.key_files import KeyFiles
from tests.anonymity.apart import Apart, apart
from tests.anonymity.attacker import ATTACKS, Guess, Hoard, Showing, Signing, by_chance, interval, score, unblinded
from tests.anonymity.meeting import CODE, Chat, Fast, Meeting, meeting
from tests.anonymity.test_canary import allowed
from tests.issuer.provider import walk
from tests.town import ORGANISER
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
        tag = node.gateway.admission.participant(key, participant_id(key, token_id(wallet))).actor.author
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
            # The browser's own rule (static/src/admission/rounds.ts): a random moment of a round that began after its signing.
            await asyncio.sleep(chance.random() * 110 / TIMES)
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
        hoard.spoken = list(dict.fromkeys(message.author for message in runtime.hall.messages.values()))
        exports = await everything_exported(chat)
        looking.cancel()
        copies.once()
        hoard.logs = b"".join((folder / "logs" / name).read_bytes() for name in ("issuer", "chat"))
        yield hoard, {employee.name: token_id(employee.wallet) for employee in employees}, employees, exports


async def everything_exported(chat: Chat) -> bytes:
    """What the organiser can take away, and what the server tells of itself."""
    key = {"Authorization": f"Bearer {chat.node.links.organiser_key}"}
    ours = ("export/record.jsonl", "export/questions.csv", "export/report.html", "audit.jsonl", "organiser")
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
                if ack["ok"] or ack["error"]["code"] != "too_fast":
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
