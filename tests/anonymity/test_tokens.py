"""From a person to a participant: once, and by nobody else. A-02, A-04, A-07, A-08, A-09, A-10, A-11."""

import asyncio
import contextlib
import dataclasses
import hashlib
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

import server.store.tokens
from loadtests.blinding import WaitingToken, Wallet
from loadtests.client import NotAdmitted
from loadtests.client import ticket as watching_ticket
from loadtests.entry import b64, card, enter, get_signed, unb64, waits
from protocol import commands as c
from protocol.credentials import key_words
from protocol.limits import LIMITS, Limit
from server.app import Node
from server.issuer.eligibility import Issuance
from server.issuer.issuances import Issuances
from server.issuer.issued import ROW
from server.store.client import StoreRefused
from server.store.keys import Keys
from server.store.tokens import SpentTokens
from server.tasks import end
from tests.anonymity.meeting import CODE, Fast, Meeting, again_at, let_in_together, meeting
from tests.town import HOST
from tests.waiting import until


def hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def fresh() -> bytes:
    """A nonce, as far as the store looks at it."""
    return int(time.time()).to_bytes(6, "big") + secrets.token_bytes(26)


def copied(wallet: Wallet, **changes: Any) -> Wallet:
    return dataclasses.replace(wallet, **changes)


# --- one person, one token; one token, one participant ---
async def test_one_person_who_asks_fifty_times_at_once_gets_one_signature(two: Meeting) -> None:
    wallets = [two.wallet() for _ in range(50)]
    answers = await asyncio.gather(*(two.issuer.issuances.sign(two.issuance, b"somebody", w.ask()) for w in wallets))
    signed = [answer for answer in answers if isinstance(answer, bytes)]
    assert len(signed) == 1
    assert {answer.code for answer in answers if not isinstance(answer, bytes)} == {"already_issued"}
    assert await two.issuer.issuances.issued(two.issuance) == 1
    first = wallets[answers.index(signed[0])]
    assert await two.issuer.issuances.sign(two.issuance, b"somebody", first.ask()) == signed[0], "asking again is safe"


async def test_one_token_shown_fifty_times_at_once_makes_one_participant(two: Meeting) -> None:
    await two.open()
    wallet = await two.signed(b"somebody")
    thief = copied(wallet, device=ec.generate_private_key(ec.SECP256R1()))
    assert await two.refused(thief) == "bad_token"
    tickets = await asyncio.gather(*(two.show(wallet, two.nodes[n % 2]) for n in range(50)))
    runtime = await two.runtime()
    holders = {two.node.gateway.admission.tickets.holder(CODE, ticket) for ticket in tickets}
    assert len({holder.id for holder in holders if holder is not None}) == 1
    assert await two.node.store.of(CODE).zcard(Keys(CODE).tokens) == 1
    await two.admitted(1)
    assert len(runtime.hall.admitted) == 1


async def test_of_two_device_keys_for_one_token_the_store_takes_one(two: Meeting) -> None:
    """The bytes of a token name its key; should that ever fail, the store still lets one in."""
    results = await asyncio.gather(
        *(two.nodes[n % 2].tokens.show(CODE, hashed("one token"), hashed(f"device {n}"), f"{n:016x}", fresh()) for n in range(50))
    )
    assert sorted(results) == ["first"] + ["other"] * 49


# --- what is not genuine ---
async def test_what_is_not_genuine_is_refused(two: Meeting, tmp_path: Path) -> None:
    await two.open()
    good = await two.signed(b"somebody")
    other_hall = await two.issuer.issuances.create("다른 모임", "ko", two.node.url, ("open",), "OTHER1")
    assert isinstance(other_hall, Issuance)
    foreign = Wallet(CODE, other_hall.spki)
    answer = await two.issuer.issuances.sign(other_hall, b"somebody", foreign.ask())
    assert isinstance(answer, bytes)
    foreign.take(answer)
    elsewhere = Wallet("OTHER1", two.issuance.spki)
    elsewhere.under_way = None
    signed = await two.issuer.issuances.sign(two.issuance, b"somebody else", elsewhere.ask())
    assert isinstance(signed, bytes)
    elsewhere.take(signed)
    forged = copied(good, signature=secrets.token_bytes(384))
    altered = copied(good, prefix=secrets.token_bytes(32))
    short = copied(good, signature=good.signature[:-1])
    for wallet in (forged, altered, short, copied(foreign, spki=two.issuance.spki), copied(elsewhere, code=CODE)):
        assert await two.refused(wallet) == "bad_token"
    assert await two.show(good)


async def test_a_proof_over_an_old_or_a_made_up_nonce_is_refused(two: Meeting) -> None:
    await two.open()
    wallet = await two.signed(b"somebody")
    address = f"{two.node.url}/api/v1/halls/{CODE}/redeem"
    for nonce in (secrets.token_bytes(32), b"", secrets.token_bytes(500)):
        body = {
            "prefix": b64(wallet.prefix),
            "signature": b64(wallet.signature),
            "device_key": b64(wallet.device_key),
            "nonce": b64(nonce),
            "proof": b64(wallet.prove(nonce)),
        }
        async with two.session.post(address, json=body) as response:
            assert (await response.json())["error"]["code"] == "stale_nonce"
    bodies: list[Any] = [{}, {**body, "nonce": 7}, {**body, "more": ""}, {**body, "proof": "한글"}, []]
    for bad in bodies:
        async with two.session.post(address, json=bad) as response:
            assert response.status == 400


# --- one key for everybody ---
async def test_a_browser_that_is_told_another_key_than_the_log_refuses(two: Meeting) -> None:
    told = await card(two.session, two.node.url, CODE)
    assert told["admission"]["issuer"]["key"] == b64(two.issuance.spki)
    other = await two.issuer.issuances.create("다른 열쇠", "ko", two.node.url, ("open",), "MARKED")
    assert isinstance(other, Issuance)
    answer: object = None
    while not isinstance(answer, bytes):  # a blinded value may be too large for the other key
        wallet = Wallet(CODE, unb64(told["admission"]["issuer"]["key"]))
        answer = await two.issuer.issuances.sign(other, b"marked", wallet.ask())
        assert isinstance(answer, bytes) or getattr(answer, "code", "") == "bad_blinded"
    with pytest.raises(InvalidSignature):
        wallet.take(answer)
    assert key_words(other.spki, "ko") != key_words(two.issuance.spki, "ko")


async def test_the_key_is_gone_when_issuing_has_closed(two: Meeting) -> None:
    await two.signed(b"somebody")
    wallet = two.wallet()
    folder = Path(two.node.settings.issuer_dir)
    private = (folder / "keys" / f"{CODE}.key").read_bytes()
    closed = await two.issuer.issuances.close_issuing(two.issuance)
    assert not closed.open and closed.issued == 1
    for asked in (closed, two.issuance):
        answer = await two.issuer.issuances.sign(asked, b"late", wallet.ask())
        assert not isinstance(answer, bytes) and answer.code == "issuing_closed"
    assert list((folder / "keys").iterdir()) == []
    assert all(private[:64] not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_ledger_without_its_pepper_names_nobody_and_tells_no_time(two: Meeting) -> None:
    await two.signed(b"mail|kim@example.org")
    folder = Path(two.node.settings.issuer_dir)
    assert not [path for path in folder.rglob("*") if path.is_file() and b"kim@example" in path.read_bytes()]
    raw = (folder / "issued" / two.issuance.code).read_bytes()
    rows = [raw[start : start + ROW] for start in range(0, len(raw), ROW)]
    assert rows == sorted(rows) and len(rows) * ROW == len(raw), "nothing but hashes, in the order of their values"


async def test_an_issuance_ends_by_itself(tmp_path: Path) -> None:
    now = [1_000.0]
    issuances = Issuances(tmp_path / "issuer", lambda: now[0])
    await issuances.start()
    made = await issuances.create("x", "ko", "http://localhost:1", ("open",), "ENDING", days=1)
    assert isinstance(made, Issuance)
    now[0] += 86_400
    assert isinstance(await issuances.sign(made, b"late", Wallet("ENDING", made.spki).ask()), bytes)
    now[0] += 6 * 3_600
    answer = await issuances.sign(made, b"late", Wallet("ENDING", made.spki).ask())
    assert not isinstance(answer, bytes) and answer.code == "issuing_closed"
    await issuances.stop()


# --- two town halls, one person ---
async def test_nothing_that_two_town_halls_see_of_one_person_is_equal(two: Meeting) -> None:
    other = await two.issuer.issuances.create("둘째", "ko", two.node.url, ("open",), "SECOND")
    assert isinstance(other, Issuance)
    seen = []
    for issuance in (two.issuance, other):
        wallet = Wallet(issuance.code, issuance.spki)
        answer = await two.issuer.issuances.sign(issuance, b"the same person", wallet.ask())
        assert isinstance(answer, bytes)
        wallet.take(answer)
        row = (Path(two.node.settings.issuer_dir) / "issued" / issuance.code).read_bytes()
        assert len(row) == ROW
        seen.append(
            {row[:32], row[32:], wallet.ask(), answer, wallet.signature, wallet.prefix, wallet.device_key, wallet.prepared}
        )
    assert not seen[0] & seen[1]


# --- a mute holds ---
async def test_a_mute_holds_on_every_node_over_connections_and_after_a_restart(tmp_path: Path) -> None:
    async with meeting(tmp_path, nodes=2) as two:
        await two.make(minimum_participants=1, round_s=0, round_people=1)
        await two.open()
        wallet = await two.signed(b"loud")
        ticket = await two.show(wallet)
        await two.admitted(1)
        first = await two.send(ticket, "message:post", text="시끄러운 글")
        assert first["ok"], first
        done = await two.do(HOST, c.MuteAuthor(client_id="mute-the-loud", message=first["seq"], reason="abuse"))
        assert not hasattr(done, "code"), done

        async def tried(node_number: int, ticket: str) -> str:
            ack = await two.send(ticket, "message:post", two.nodes[node_number], text=f"또 {secrets.token_hex(4)}")
            return "accepted" if ack["ok"] else str(ack["error"]["code"])

        fresh = [await two.show(wallet, node) for node in two.nodes]
        answers = []
        for _ in range(20):
            answers += await asyncio.gather(*(tried(n % 2, (ticket, *fresh)[n % 3]) for n in range(50)))
        assert "accepted" not in answers and set(answers) <= {"muted", "too_fast"} and answers.count("muted") >= 9
    async with again_at(tmp_path) as again:
        fresh_ticket = await again.show(wallet)
        ack = await again.send(fresh_ticket, "message:post", text="다시")
        assert ack["error"]["code"] == "muted"
        tag = next(iter((await again.runtime()).hall.muted))
        await again.do(HOST, c.UnmuteAuthor(client_id="unmute-the-loud", author=tag))
        assert (await again.send(fresh_ticket, "message:post", text="고맙습니다"))["ok"]


# --- one vote each ---
async def test_one_vote_each_whatever_tabs_replays_and_restarts_of_the_store(two: Meeting) -> None:
    await two.open()
    people = [await two.signed(bytes([n])) for n in range(6)]
    tickets = [await two.show(wallet) for wallet in people]
    await two.admitted(6)
    asked = await two.send(tickets[0], "message:post", text="승진 심사 기준을 공개할 수 있습니까?", asked=True)
    assert asked["ok"], asked
    for node in two.nodes:
        runtime = await two.runtime(node)
        await until(lambda runtime=runtime: asked["seq"] in runtime.hall.messages)

    async def votes(on: bool = True) -> set[int]:
        tabs = [await two.show(wallet, two.nodes[n % 2]) for wallet in people for n in range(3)]
        acks = await asyncio.gather(
            *(two.send(tab, "question:support", two.nodes[n % 2], message=asked["seq"], on=on) for n, tab in enumerate(tabs))
        )
        return {ack["data"]["support"] for ack in acks if ack["ok"]}

    assert max(await votes()) == 6
    valkey = two.node.valkey
    assert valkey is not None
    os.kill(valkey.pid, signal.SIGKILL)

    async def again() -> bool:
        with contextlib.suppress(NotAdmitted):
            return max(await votes(), default=0) == 6
        return False

    await until(again, 30)
    ack = await two.send(tickets[0], "question:support", message=asked["seq"], on=False)
    assert ack["data"]["support"] == 5


# --- enough people, and batches ---
TIMES = 30
"""How much faster than real time passes."""


async def test_nobody_posts_below_the_minimum_and_people_come_in_together(tmp_path: Path) -> None:
    async with meeting(tmp_path, wall=(wall := Fast(TIMES))) as hall:
        await hall.make(minimum_participants=8, round_s=60, round_people=5)
        people = [await hall.signed(bytes([n])) for n in range(12)]
        assert await hall.refused(people[0]) == "hall_draft"
        await hall.open()
        tickets = [await hall.show(wallet) for wallet in people[:5]]
        ack = await hall.send(tickets[0], "message:post", text="먼저")
        assert ack["error"]["code"] == "waiting_for_others"
        await hall.admitted(5)
        ack = await hall.send(tickets[0], "message:post", text="먼저")
        assert ack["error"]["code"] == "too_few_participants" and ack["error"]["message"].count("8")
        assert not (await hall.runtime()).hall.messages
        # The round is over: whoever comes now watches and waits until enough do; after five minutes fewer will do, if they will.
        runtime = await hall.runtime()
        began = runtime.hall.round
        assert began is not None
        await until(lambda: wall() > began.ends_at + 16, 20)
        assert await hall.refused(people[5]) == "waiting_for_others"
        async with waiting(hall, 3) as (watching, asked, willing):
            at = wall()
            assert (await hall.send(watching[0], "message:post", text="나도"))["error"]["code"] == "watching_only"
            await until(lambda: asked == set(watching), 30)
            assert 299 <= wall() - at <= 340, "they are asked after five minutes, not before"
            await asyncio.sleep(120 / TIMES)
            assert runtime.hall.round == began, "nobody is let in with few who did not say so"
            willing |= {*watching[:2]}
            await until(lambda: runtime.hall.round is not None and runtime.hall.round.few, 30)
            assert await hall.refused(people[7]) == "waiting_for_others", "the third waits on"
            tickets += [await hall.show(wallet, few=True) for wallet in people[5:7]]
            del watching[:2]
            await hall.admitted(7)
            ack = await hall.send(tickets[6], "message:post", text="이제")
            assert ack["error"]["code"] == "too_few_participants"
            # With four more they are five, and need not be asked.
            watching += [await watch(hall) for _ in range(4)]
            await until(lambda: runtime.hall.round is not None and not runtime.hall.round.few, 30)
            tickets += [await hall.show(wallet) for wallet in people[7:]]
            await hall.admitted(12)
        assert (await hall.send(tickets[6], "message:post", text="이제"))["ok"]
        assert [len(batch) for batch in await let_in_together(hall)] == [5, 2, 5]
        await until(lambda: nothing_left(hall))


@pytest.mark.parametrize("again", [False, True])
async def test_whoever_will_come_in_with_few_says_so_to_any_node_and_before_a_restart(tmp_path: Path, again: bool) -> None:
    wall = Fast(TIMES)
    async with meeting(tmp_path, nodes=2, wall=wall) as hall:
        await hall.make(minimum_participants=1, round_s=60, round_people=5)
        await hall.open()
        people = [await hall.signed(bytes([n])) for n in range(5)]
        here = [await hall.show(wallet, hall.nodes[n % 2]) for n, wallet in enumerate(people[:3])]

        async def is_asked(node: Node) -> bool:
            await asyncio.sleep(0.3)  # how often somebody may ask is bounded
            return bool((await hall.send(here[0], "participation:check", node))["data"]["few"])

        # Three of them, in the round for all: too few, and after five minutes they are asked, wherever they are.
        assert not await is_asked(hall.node)
        for node in hall.nodes:
            await until(lambda node=node: is_asked(node), 30)
        await asyncio.sleep(120 / TIMES)
        assert not (await hall.runtime()).hall.admitted
        if again:
            await hall.show(people[0], few=True)
        else:
            await asyncio.gather(*(hall.show(people[n], hall.nodes[n], few=True) for n in (0, 1)))
            await hall.admitted(2)
            assert [len(batch) for batch in await let_in_together(hall)] == [2]
            assert (await hall.send(here[2], "participation:check"))["data"]["barred"] == "waiting_for_others"
            # Two more, at different nodes, who have shown nothing yet: the round is for those two.
            async with waiting(hall, 2) as (_, asked, willing):
                await until(lambda: len(asked) == 2, 30)
                willing |= asked
                runtime = await hall.runtime()
                await until(lambda: runtime.hall.round is not None and runtime.hall.round.few, 30)
                await asyncio.gather(*(hall.show(people[n], hall.nodes[n % 2], few=True) for n in (3, 4)))
                await hall.admitted(4)
            assert [len(batch) for batch in await let_in_together(hall)] == [2, 2]
            return
    async with again_at(tmp_path, wall) as hall:
        await hall.admitted(1, 60)
        assert [len(batch) for batch in await let_in_together(hall)] == [1]


async def nothing_left(hall: Meeting) -> bool:
    """Who arrived, and who of them would come in with few, is forgotten."""
    return not await hall.node.store.of(CODE).exists(Keys(CODE).arrived, Keys(CODE).willing)


async def watch(hall: Meeting) -> str:
    return await watching_ticket(hall.session, hall.node.url, CODE)


@contextlib.asynccontextmanager
async def waiting(hall: Meeting, count: int) -> AsyncIterator[tuple[list[str], set[str], set[str]]]:
    """Browsers that hold a token and say so again and again, at all nodes: tickets, which may be changed; of those who are
    asked whether fewer will do; of those who will.
    """
    tickets, asked, willing = [await watch(hall) for _ in range(count)], set[str](), set[str]()
    tokens: dict[str, list[WaitingToken]] = {}

    async def say() -> None:
        while True:
            for number, ticket in enumerate(list(tickets)):
                if ticket not in tokens:
                    tokens[ticket] = (await hall.signed(secrets.token_bytes(8))).waiting
                node = hall.nodes[number % len(hall.nodes)]
                token = next(iter(tokens[ticket]), None)
                ack = await hall.send(ticket, "round:await", node, **waits(token, few=ticket in willing))
                if ack["ok"] and ack["data"]["few"]:
                    asked.add(ticket)
                if ack["ok"] and ack["data"]["spent"]:
                    tokens[ticket].pop(0)
            await asyncio.sleep(0.3)

    saying = asyncio.create_task(say())
    try:
        yield tickets, asked, willing
    finally:
        await end([saying])


# --- the way of the simulated audience, and what an open code bounds ---
async def test_an_open_code_gives_each_browser_one_entry(two: Meeting) -> None:
    await two.open()
    ticket = await enter(two.session, two.node.url, CODE)
    assert (await two.send(ticket, "participation:check"))["data"]["pseudonym"]
    browser = b64(secrets.token_bytes(24))
    wallet, second = two.wallet(), two.wallet()
    await get_signed(two.session, two.issuer.url, wallet, proof=browser)
    await get_signed(two.session, two.issuer.url, wallet, proof=browser)
    for proof, kind, code in (
        (browser, "open", "already_issued"),
        ("short", "open", "bad_request"),
        (browser, "invitation", "not_eligible"),
    ):
        with pytest.raises(NotAdmitted) as caught:
            await get_signed(two.session, two.issuer.url, second, kind, proof)
        assert caught.value.data["code"] == code


async def test_the_issuer_bounds_how_often_one_address_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "signatures_per_address_per_min", Limit(5, "requests", "-", "too_many_joins"))
    statuses = []
    async with meeting(tmp_path) as hall:
        for _ in range(6):
            body = {"blinded": b64(hall.wallet().ask()), "kind": "open", "proof": b64(secrets.token_bytes(24))}
            async with hall.session.post(f"{hall.issuer.url}/api/v1/issuances/{CODE}/sign", json=body) as response:
                statuses.append(response.status)
    assert statuses == [200] * 5 + [429]


async def test_a_pseudonym_is_chosen_once_before_the_first_message(two: Meeting) -> None:
    await two.open()
    ticket = await two.show(await two.signed(b"somebody"))
    await two.admitted(1)
    told = (await two.send(ticket, "participation:check"))["data"]
    assert told["barred"] is None and len(told["choices"]) == 3 and told["pseudonym"] not in told["choices"]
    own = await two.send(ticket, "pseudonym:choose", pseudonym=[1, 2, 3])
    assert own["error"]["code"] == "pseudonym_kept", "only what was offered"
    assert (await two.send(ticket, "pseudonym:choose", pseudonym=told["choices"][1]))["ok"]
    again = await two.send(ticket, "pseudonym:choose", pseudonym=told["choices"][2])
    assert again["error"]["code"] == "pseudonym_kept"
    posted = await two.send(ticket, "message:post", text="안녕하세요")
    runtime = await two.runtime()
    await until(lambda: posted["seq"] in runtime.hall.messages)
    assert list(runtime.hall.messages[posted["seq"]].pseudonym) == told["choices"][1]


async def test_closing_forgets_which_tokens_were_shown(two: Meeting) -> None:
    await two.open()
    wallet = await two.signed(b"somebody")
    await two.show(wallet)
    redis = two.node.store.of(CODE)
    assert await redis.exists(Keys(CODE).tokens)
    await two.do(HOST, c.CloseHall(client_id="close-the-hall"))
    await until(lambda: two.node.gateway.directory.untied(CODE))
    assert not await redis.exists(Keys(CODE).tokens, Keys(CODE).arrived, Keys(CODE).secrets)
    assert await two.refused(wallet) == "hall_closed"


async def test_random_bodies_change_nothing(two: Meeting) -> None:
    await two.open()
    chance = secrets.SystemRandom()
    fields = ("prefix", "signature", "device_key", "nonce", "proof")
    lengths = {"prefix": 32, "signature": 384, "device_key": 65, "nonce": 32, "proof": 64}
    for _ in range(200):
        body = {name: b64(secrets.token_bytes(chance.choice([0, 1, lengths[name], lengths[name] + 1]))) for name in fields}
        async with two.session.post(f"{two.node.url}/api/v1/halls/{CODE}/redeem", json=body) as response:
            assert response.status in (400, 403, 409), await response.text()
    assert not await two.node.store.of(CODE).exists(Keys(CODE).tokens)


async def test_tokens_that_are_shown_together_are_answered_one_by_one(two: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.store.tokens, "TOKENS_MAX", 300)
    monkeypatch.setattr(server.store.tokens, "BATCH_MAX", 64)
    tokens = SpentTokens(two.node.store)

    async def show(number: int, device: str = "mine", *, new: bool = True) -> str:
        try:
            return await tokens.show(CODE, hashed(f"{number}"), hashed(device), f"{number:016x}", fresh(), new=new)
        except StoreRefused as no:
            return no.code

    answers = await asyncio.gather(*(show(n) for n in range(301)))
    assert sorted(answers) == ["first"] * 300 + ["memory_full"]
    one, two_, *_ = (n for n, answer in enumerate(answers) if answer == "first")
    again = await asyncio.gather(show(one), show(one, "another's"), show(400, new=False), show(two_, new=False))
    assert list(again) == ["again", "other", "unknown", "again"]


async def test_tokens_that_are_shown_shortly_after_each_other_cost_one_call(
    two: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.store.tokens, "GATHER_S", 1.0)
    tokens, calls, shard = SpentTokens(two.node.store), [], two.node.store.where(CODE)
    script = shard.script

    def counted(text: str) -> Any:
        calls.append(text)
        return script(text)

    monkeypatch.setattr(shard, "script", counted)
    mine = hashed("mine")
    assert await tokens.show(CODE, hashed("0"), mine, "0" * 16, fresh()) == "first"
    shown = []
    for number in range(1, 11):
        showing = tokens.show(CODE, hashed(f"{number}"), mine, f"{number:016x}", fresh())
        shown.append(asyncio.create_task(showing))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*shown) == ["first"] * 10
    assert calls.count(server.store.tokens.REDEEM) == 2
