"""A round is sized by what nobody can make up: waiting tokens. And to watch, nobody needs to be anybody."""

import asyncio
import contextlib
import dataclasses
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

import server.gateway.awaiting
import server.store.waiting
from loadtests.blinding import WaitingToken
from loadtests.client import Client, NotAdmitted
from loadtests.client import ticket as watching_ticket
from loadtests.entry import waits
from protocol.bus import unpack
from protocol.entries import RoundOpened
from protocol.limits import LIMITS, Limit
from server.admission.waiting import is_genuine
from server.app import Node
from server.halls.runtime import Runtime
from server.http.organiser import known
from server.store.gauges import PRESENT_S
from server.store.keys import Keys
from server.store.log import read_all
from server.store.waiting import NOBODY, Waiting, WaitingRooms
from server.tasks import end
from tests.anonymity.meeting import CODE, Fast, Meeting, meeting
from tests.town import ORGANISER, SETUP
from tests.waiting import until

TIMES = 40
"""How much faster than real time passes."""


@dataclass(slots=True)
class Waiter:
    """Somebody who says again and again that they wait. `node`: where; `told`: what they were answered last."""

    ticket: str
    payload: dict[str, Any]
    node: Node
    told: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    """How often they were asked whether few will do."""


@contextlib.asynccontextmanager
async def crowd(hall: Meeting) -> AsyncIterator[list[Waiter]]:
    """Who waits; they may become more."""
    waiters: list[Waiter] = []

    async def say(one: Waiter) -> None:
        ack = await hall.send(one.ticket, "round:await", one.node, **one.payload)
        if ack["ok"]:
            one.told = ack["data"]
            one.asked += one.told["few"]

    async def go_on() -> None:
        while True:
            await asyncio.gather(*map(say, list(waiters)))
            await asyncio.sleep(0.2)

    saying = asyncio.create_task(go_on())
    try:
        yield waiters
    finally:
        await end([saying])


async def watch(hall: Meeting) -> str:
    return await watching_ticket(hall.session, hall.node.url, CODE)


async def rounds(hall: Meeting) -> list[RoundOpened]:
    found = [unpack(body, text) async for _, body, text in read_all(hall.node.store, CODE)]
    return [entry for entry in found if isinstance(entry, RoundOpened)]


async def made_up(hall: Meeting, shared: WaitingToken) -> list[Waiter]:
    """Whatever somebody can do who has one entry at most: of each kind four, at both nodes."""
    other = await hall.signed(b"an accomplice")
    entry = WaitingToken(CODE, other.waiting_spki, other.prefix, other.signature)
    elsewhere = dataclasses.replace(shared, prefix=secrets.token_bytes(32))
    forged = WaitingToken(CODE, other.waiting_spki, secrets.token_bytes(32), secrets.token_bytes(384))
    found = []
    for number in range(4):
        node = hall.nodes[number % 2]
        found += [Waiter(await watch(hall), waits(None, few=number % 2 > 0), node), Waiter("", waits(None), node)]
        found += [Waiter(await watch(hall), waits(shared), node), Waiter("", waits(shared), node)]
        found += [Waiter(await watch(hall), waits(token), node) for token in (entry, elsewhere, forged)]
        found.append(Waiter(await watch(hall), waits(dataclasses.replace(forged, prefix=secrets.token_bytes(32))), node))
    return found


async def test_no_round_opens_for_people_who_are_not_there(tmp_path: Path) -> None:
    async with meeting(tmp_path, nodes=2, wall=(wall := Fast(TIMES))) as hall:
        await hall.make(minimum_participants=7, round_s=40, round_people=5)
        await hall.open()
        runtime = await hall.runtime()
        first = runtime.hall.round
        assert first is not None
        people = [await hall.signed(bytes([n])) for n in range(5)]
        later = [await hall.signed(bytes([n])) for n in range(100, 104)]
        await until(lambda: wall() > first.ends_at + 16, 20)
        async with crowd(hall) as waiters:
            real = [Waiter(await watch(hall), waits(one.waiting[0]), hall.nodes[n % 2]) for n, one in enumerate(people[:4])]
            fake = await made_up(hall, people[0].waiting[0])
            waiters += [*real, *fake]
            await until(lambda: all(one.told for one in waiters))
            for one in fake:
                good = one.payload.get("prefix") == real[0].payload["prefix"]
                assert one.told == {"few": False, "counted": good, "spent": False}, one.payload
            assert all(one.told["counted"] for one in real)
            # Beyond the five minutes after which somebody would be asked, were there enough for anybody to post.
            ends = wall() + 420
            await until(lambda: wall() > ends, 30)
            assert runtime.hall.round == first, "a round for four"
            assert runtime.awaiting.everybody == 4
            assert not any(one.asked for one in waiters), "they were asked as if they were enough"
            # The fifth is there, by whatever node.
            waiters.append(Waiter(await watch(hall), waits(people[4].waiting[0]), hall.nodes[1]))
            await until(lambda: runtime.hall.round != first, 30)
            assert runtime.hall.round is not None and not runtime.hall.round.few
            counted = [*real, waiters[-1]]
            await until(lambda: all(one.told["spent"] and not one.told["counted"] for one in counted), 30)
            # What was counted counts no more: with four others they are not even five.
            second = runtime.hall.round
            waiters += [Waiter(await watch(hall), waits(one.waiting[0]), hall.node) for one in later]
            ends = max(wall(), second.ends_at) + 130
            await until(lambda: wall() > ends, 30)
            assert runtime.hall.round == second, "tokens counted twice"
            # A fifth who has not been counted does.
            another = await hall.signed(bytes([200]))
            waiters.append(Waiter(await watch(hall), waits(another.waiting[0]), hall.node))
            await until(lambda: runtime.hall.round != second, 30)
        assert [one.few for one in await rounds(hall)] == [False] * 3


async def test_watching_alone_is_no_part_of_the_minimum(tmp_path: Path) -> None:
    """Neither tickets to watch, nor connections without one, nor entries that were made and wait."""
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=2, round_s=0, round_people=1)
        await hall.open()
        people = [await hall.signed(bytes([n])) for n in range(6)]
        author = await hall.show(people[0])
        await hall.admitted(1)
        tickets = ["", *[await watch(hall) for _ in range(5)]]
        clients = [Client(hall.session, hall.node.url, CODE, "audience", ticket) for ticket in tickets]
        for client, person in zip(clients, people, strict=True):
            await client.connect()
            assert (await client.call("round:await", waits(person.waiting[0])))["data"]["counted"]
        await asyncio.sleep(2.5)
        assert len((await hall.runtime()).hall.admitted) == 1
        assert (await hall.send(author, "message:post", text="혼자"))["error"]["code"] == "too_few_participants"
        for client in clients:
            await client.close()
        await hall.show(people[1])
        await hall.admitted(2)
        assert (await hall.send(author, "message:post", text="둘"))["ok"]


async def test_whoever_has_no_ticket_watches_by_a_socket_and_by_a_stream(tmp_path: Path) -> None:
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=1, round_s=0, round_people=1)
        await hall.open()
        somebody = await hall.signed(b"somebody")
        author = await hall.show(somebody)
        await hall.admitted(1)
        news: list[tuple[str, Any]] = []
        client = Client(hall.session, hall.node.url, CODE, "audience", "", lambda *one: news.append(one))
        await client.connect()
        stream_at = f"{hall.node.url}/api/v1/halls/{CODE}/audience/stream"
        async with hall.session.get(stream_at) as stream:
            assert stream.status == 200
            posted = await hall.send(author, "message:post", text="모두에게")
            assert posted["ok"], posted
            await until(lambda: any("모두에게" in str(body) for _, body in news))
            seen = b""
            async with asyncio.timeout(10):
                while "모두에게".encode() not in seen:
                    seen += await stream.content.readany()
        # They are nobody: nothing that a participant may do is theirs.
        for name, payload in (("message:post", {"client_id": "nobody-posts", "text": "나"}), ("pseudonym:choose", None)):
            ack = await client.call(name, payload or {"client_id": "nobody-posts", "pseudonym": [1, 2, 3]})
            assert ack["error"]["code"] == "watching_only", ack
        assert (await client.call("message:check", {"messages": [posted["seq"]]}))["data"]["states"] == {
            str(posted["seq"]): {"state": "unknown"}
        }
        await client.close()
        # By POST nothing but that one waits.
        for command in ("message:post", "message:check", "participation:check", "no:such", 7):
            async with hall.session.post(
                f"{hall.node.url}/api/v1/halls/{CODE}/audience/commands", json={"command": command, "payload": {}}
            ) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (401, "not_admitted")
        ack = await hall.send("", "round:await", **waits(somebody.waiting[0]))
        assert ack["data"] == {"few": False, "counted": True, "spent": False}


async def test_without_an_issuer_a_ticket_is_needed(tmp_path: Path) -> None:
    async with meeting(tmp_path) as hall:
        made = await hall.node.gateway.directory.create("LINKED", SETUP, ORGANISER, known(hall.node.settings))
        assert isinstance(made, Runtime)
        with pytest.raises(NotAdmitted):
            await Client(hall.session, hall.node.url, "LINKED", "audience", "").connect()
        at = f"{hall.node.url}/api/v1/halls/LINKED/audience"
        async with hall.session.get(f"{at}/stream") as response:
            assert response.status == 401
        async with hall.session.post(f"{at}/commands", json={"command": "round:await", "payload": {}}) as response:
            assert response.status == 401


async def test_a_town_hall_whose_card_has_no_waiting_key_counts_nobody(tmp_path: Path) -> None:
    async with meeting(tmp_path) as hall:
        token = (await hall.signed(b"somebody")).waiting[0]
        hall.card = msgspec.structs.replace(hall.card, waiting_key="")
        await hall.make(minimum_participants=1, round_s=60, round_people=5)
        await hall.open()
        for payload in (waits(token), waits(None), {"few": True}):
            ack = await hall.send(await watch(hall), "round:await", **payload)
            assert ack["data"] == {"few": False, "counted": False, "spent": False}


async def test_one_key_for_entries_and_for_waiting_is_refused(tmp_path: Path) -> None:
    async with meeting(tmp_path) as hall:
        for waiting in (hall.card.key, "A" * 560):
            issuer = msgspec.to_builtins(msgspec.structs.replace(hall.card, waiting_key=waiting))
            body = {"code": "DOUBLE", "setup": msgspec.to_builtins(SETUP), "admission": {"issuer": issuer}}
            headers = {"Authorization": f"Bearer {hall.node.links.organiser_key}"}
            async with hall.session.post(f"{hall.node.url}/api/v1/halls", json=body, headers=headers) as response:
                told = await response.json()
            assert (response.status, told["error"]["field"]) == (400, "$.admission.issuer.waiting_key")


async def test_a_token_that_is_known_is_not_looked_at_again_and_bad_ones_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "waiting_tokens_per_min", Limit(4, "tokens", "-", "-"))
    looked: list[bytes] = []

    def counted(code: str, spki: bytes, prefix: bytes, signature: bytes) -> bool:
        looked.append(prefix)
        return is_genuine(code, spki, prefix, signature)

    monkeypatch.setattr(server.gateway.awaiting, "is_genuine", counted)
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=1, round_s=60, round_people=5)
        await hall.open()
        ticket, other, spki = await watch(hall), await watch(hall), hall.issuance.waiting_spki
        good = [(await hall.signed(person)).waiting[0] for person in (b"somebody", b"somebody else")]
        for _ in range(20):
            assert (await hall.send(ticket, "round:await", **waits(good[0])))["data"]["counted"]
        assert looked == [good[0].prefix]
        for _ in range(10):
            bad = WaitingToken(CODE, spki, secrets.token_bytes(32), secrets.token_bytes(384))
            assert not (await hall.send(ticket, "round:await", **waits(bad)))["data"]["counted"]
        assert len(looked) == 4
        # Theirs alone is used up; what was good before is so still.
        assert not (await hall.send(ticket, "round:await", **waits(good[1])))["data"]["counted"]
        assert (await hall.send(ticket, "round:await", **waits(good[0])))["data"]["counted"]
        assert (await hall.send(other, "round:await", **waits(good[1])))["data"]["counted"]
        assert (await hall.runtime()).awaiting.waiting()[0].count == 2
        for prefix, signature in (("A" * 42, "A" * 512), ("A" * 43, "A" * 511), ("A" * 42 + "=", "A" * 512)):
            ack = await hall.send(other, "round:await", prefix=prefix, signature=signature)
            assert ack["error"]["code"] == "bad_request"


# --- what nodes tell each other, and what breaks off in between ---
IDS = [bytes([n]) * 8 for n in range(9)]


async def test_an_id_counts_once_wherever_it_is_told(two: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = (WaitingRooms(two.node.store, name) for name in ("here", "there"))
    await here.tell("OTHER", Waiting(frozenset(IDS[:4]), 50.0), Waiting(frozenset(IDS[:1]), 20.0))
    everybody, willing = await there.tell("OTHER", Waiting(frozenset(IDS[2:6]), 70.0), NOBODY)
    assert everybody == Waiting(frozenset(IDS[:6]), 70.0) and willing == Waiting(frozenset(IDS[:1]), 20.0)
    # In the order of their bytes, and no longer than a node that tells nothing more is believed.
    told = (await two.node.store.of("OTHER").hget(Keys("OTHER").waiting, "here"))[10:]
    assert told == b"".join(sorted(IDS[:4]))
    later = time.time() + PRESENT_S + 2
    monkeypatch.setattr(time, "time", lambda: later)
    assert (await there.tell("OTHER", NOBODY, NOBODY))[0] == NOBODY


async def test_a_round_takes_its_tokens_whatever_breaks_off(two: Meeting) -> None:
    store = two.node.store
    rooms = WaitingRooms(store, "one")
    # Counted, and then no round: another entry came between, or the node died. They go on counting.
    await rooms.count("OTHER", 7, IDS[:3])
    assert await rooms.begun("OTHER", 7, IDS) == set()
    await rooms.count("OTHER", 7, IDS[2:5])
    # The round was opened, and whoever opened it died at once: any node that sees it takes them.
    another = WaitingRooms(store, "another")
    assert await another.begun("OTHER", 12, IDS) == set(IDS[:5])
    assert [await another.taken("OTHER", id) for id in IDS[3:7]] == [True, True, False, False]
    # Nobody looked in between: the next count finds the round before it.
    await rooms.count("OTHER", 12, IDS[5:6])
    await rooms.count("OTHER", 20, IDS[6:7])
    assert await rooms.begun("OTHER", 20, IDS) == set(IDS[:6])
    assert await rooms.begun("OTHER", 21, IDS) == set(IDS[:7])
    assert await store.of("OTHER").zscore(Keys("OTHER").waited, IDS[0]) == 0
    assert not await store.of("OTHER").exists(Keys("OTHER").counted, Keys("OTHER").counted_after)


async def test_where_no_more_can_be_kept_none_counts(two: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.store.waiting, "WAITED_MAX", 3)
    rooms = WaitingRooms(two.node.store, "one")
    await rooms.count("OTHER", 1, IDS[:5])
    assert await rooms.begun("OTHER", 2, IDS) == set(IDS), "not even those that would count again"
    assert await two.node.store.of("OTHER").zcard(Keys("OTHER").waited) == 3
