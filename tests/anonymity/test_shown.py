"""What is left of showing a token: a proof is good once, nothing keeps the order, and after closing no connection knows whose."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtests.blinding import Wallet
from loadtests.client import Client
from loadtests.entry import b64, unb64
from protocol import commands as c
from server.admission.admitted import author_tag, participant_key
from server.admission.redeem import Redeeming
from server.secret import Secret
from server.store import nonces
from server.store.client import StoreRefused
from server.store.keys import Keys
from server.store.nonces import SpentNonces
from server.store.tokens import SpentTokens
from tests.anonymity.meeting import CODE, Meeting, again_at, meeting
from tests.town import HOST
from tests.waiting import until

SHOWN = 30


async def asked(hall: Meeting, wallet: Wallet, node: int = 0) -> dict[str, str]:
    """A request that shows the wallet's token."""
    address = f"{hall.nodes[node].url}/api/v1/halls/{CODE}/nonce"
    async with hall.session.post(address) as response:
        nonce = (await response.json())["data"]["nonce"]
    return {
        "prefix": b64(wallet.prefix),
        "signature": b64(wallet.signature),
        "device_key": b64(wallet.device_key),
        "nonce": nonce,
        "proof": b64(wallet.prove(unb64(nonce))),
    }


async def redeemed(hall: Meeting, body: dict[str, str], node: int = 0) -> str:
    """What it is answered: a refusal's code, or "ticket"."""
    async with hall.session.post(f"{hall.nodes[node].url}/api/v1/halls/{CODE}/redeem", json=body) as response:
        told = await response.json()
    return "ticket" if told["ok"] else str(told["error"]["code"])


# --- a proof is good once ---
async def test_a_recorded_request_is_worth_nothing(two: Meeting) -> None:
    await two.open()
    wallet = await two.signed(b"somebody")
    first = await asked(two, wallet)
    assert await redeemed(two, first) == "ticket"
    assert [await redeemed(two, first, node) for node in (0, 1, 0)] == ["stale_nonce"] * 3
    # Also one that was refused for another reason, and one that only came back as itself.
    thief = Wallet(CODE, wallet.spki, prefix=wallet.prefix, signature=wallet.signature)
    assert await redeemed(two, {**await asked(two, thief)}) == "bad_token"
    again = await asked(two, wallet)
    assert await redeemed(two, again, 1) == "ticket" and await redeemed(two, again) == "stale_nonce"


async def test_of_many_at_once_one_is_first(two: Meeting) -> None:
    await two.open()
    body = await asked(two, await two.signed(b"somebody"))
    answers = await asyncio.gather(*(redeemed(two, body, n % 2) for n in range(40)))
    assert sorted(answers) == ["stale_nonce"] * 39 + ["ticket"]


async def test_a_proof_that_came_too_early_is_used_too(tmp_path: Path) -> None:
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=1, round_s=0, round_people=1)
        body = await asked(hall, await hall.signed(b"somebody"))
        assert await redeemed(hall, body) == "hall_draft"
        await hall.open()
        assert await redeemed(hall, body) == "stale_nonce"


async def test_nonces_are_spent_for_other_proofs_as_well(two: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    spent, redis = SpentNonces(two.node.store), two.node.store.of(CODE)
    nonce = two.node.entrance._redeemer.nonce(await two.runtime())
    answers = await asyncio.gather(*(spent.spend(CODE, nonce) for _ in range(20)))
    assert sorted(answers) == [False] * 19 + [True]
    # By tokens and by others in one place, which forgets by itself, and holds neither the nonce nor its own moment.
    key = Keys(CODE).nonces(nonces.window(nonce))
    assert await redis.zrange(key, 0, -1, withscores=True) == [(nonces.digest(nonce), 0.0)]
    assert nonce not in await redis.dump(key)
    assert await redis.expiretime(key) % nonces.WINDOW_S == 0
    assert nonces.ends_at(nonces.window(nonce)) >= int.from_bytes(nonce[:6], "big") + 120 + 600
    monkeypatch.setattr(nonces, "NONCES_MAX", 1)
    with pytest.raises(StoreRefused):
        await spent.spend(CODE, two.node.entrance._redeemer.nonce(await two.runtime()))


def test_the_time_of_a_nonce_is_read_as_it_was_written() -> None:
    made = Redeeming(Secret(bytes(32)), lambda: 1_234_567_890.5).nonce(CODE)
    assert nonces.window(made) == 1_234_567_890 // nonces.WINDOW_S


# --- nothing keeps the order ---
def in_order(found: Sequence[int]) -> float:
    """The part of all pairs that stand in one order, whichever: 0.5 by chance, 1 where the order is kept."""
    pairs = list(itertools.combinations(found, 2))
    rising = sum(one < other for one, other in pairs) / len(pairs)
    return max(rising, 1 - rising)


BY_CHANCE = 0.78
"""Of 30 in random order the part deviates from a half by 0.064 (one sigma): four of them."""


def places(where: bytes, wanted: Sequence[bytes]) -> list[int]:
    """Where these stand, which all do, in what the store has written or in what it has packed."""
    for text in (where, *unpacked(where)):
        found = [text.find(one) for one in wanted]
        if min(found) >= 0:
            return found
    raise AssertionError("they are not all there")


def unpacked(text: bytes) -> Iterator[bytes]:
    """Whatever in it is a string that was packed (RDB: 0xC3, two lengths, LZF)."""
    for at in (place for place, byte in enumerate(text) if byte == 0xC3):
        with contextlib.suppress(IndexError):
            packed, begins = length(text, at + 1)
            whole, begins = length(text, begins)
            found = lzf(text[begins : begins + packed])
            if len(found) == whole:
                yield found


def length(text: bytes, at: int) -> tuple[int, int]:
    """A length of an RDB file, and where it ends."""
    first = text[at]
    if first < 0x40:
        return first, at + 1
    if first < 0x80:
        return (first & 0x3F) << 8 | text[at + 1], at + 2
    return int.from_bytes(text[at + 1 : at + 5], "big"), at + 5


def lzf(packed: bytes) -> bytes:
    """Raises IndexError."""
    out, at = bytearray(), 0
    while at < len(packed):
        head = packed[at]
        at += 1
        if head < 32:
            out += packed[at : at + head + 1]
            at += head + 1
            continue
        count = head >> 5
        if count == 7:
            count += packed[at]
            at += 1
        back = len(out) - ((head & 31) << 8 | packed[at]) - 1
        at += 1
        if back < 0:
            raise IndexError
        for _ in range(count + 2):
            out.append(out[back])
            back += 1
    return bytes(out)


async def rewritten(hall: Meeting) -> bytes:
    """The store's file, as it is after a rewrite."""
    redis, folder = hall.node.store.of(CODE), Path(hall.node.settings.data_dir) / "valkey"
    await redis.bgrewriteaof()

    async def done() -> bool:
        info = await redis.info("persistence")
        return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]

    await asyncio.sleep(0.2)
    await until(done)
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*.rdb")) + sorted(folder.rglob("*.aof")))


async def test_the_store_does_not_keep_the_order_in_which_tokens_were_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=1, round_s=600, round_people=100)
        await hall.open()
        ids, tags = [], []
        keep = hall.node.tokens.show

        async def noted(code: str, token: bytes, device: bytes, tag: str, *rest: Any, **more: Any) -> Any:
            ids.append(token)
            tags.append(tag.encode())
            return await keep(code, token, device, tag, *rest, **more)

        monkeypatch.setattr(hall.node.tokens, "show", noted)
        for number in range(SHOWN):
            await hall.show(await hall.signed(bytes([number])), few=True)
        redis, keys = hall.node.store.of(CODE), Keys(CODE)
        file = await rewritten(hall)
        for key, wanted in ((keys.tokens, ids), (keys.arrived, tags), (keys.willing, tags)):
            assert await redis.zcard(key) == SHOWN
            assert in_order(places(await redis.dump(key), wanted)) < BY_CHANCE, key
        assert in_order(places(file, ids)) < BY_CHANCE
        assert in_order(places(file, tags)) < BY_CHANCE
        # What was kept before is caught by the same look.
        for id, tag in zip(ids, tags, strict=True):
            await redis.hset("th:{OLDER}:tokens", id, secrets.token_bytes(32))
            await redis.sadd("th:{OLDER}:arrived", tag)
        assert in_order(places(await redis.dump("th:{OLDER}:tokens"), ids)) == 1
        assert in_order(places(await redis.dump("th:{OLDER}:arrived"), tags)) == 1


async def test_those_of_one_call_are_written_in_no_order_of_theirs(two: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, shard = SpentTokens(two.node.store), two.node.store.where(CODE)
    sent: list[Any] = []
    script = shard.script

    def seen(text: str) -> Callable[..., Any]:
        async def run(keys: list[str], args: list[Any]) -> Any:
            sent.extend(args)
            return await script(text)(keys=keys, args=args)

        return run

    monkeypatch.setattr(shard, "script", seen)
    nonce = int(time.time()).to_bytes(6, "big")
    ids = [secrets.token_bytes(32) for _ in range(2 * SHOWN)]
    answers = await asyncio.gather(*(tokens.show(CODE, id, id, id.hex()[:16], nonce + id[:26]) for id in ids))
    assert answers == ["first"] * len(ids)
    assert in_order([sent.index(id) for id in ids]) < BY_CHANCE


async def test_what_an_earlier_version_kept_goes_on(tmp_path: Path) -> None:
    """Its hash and its sets become sorted ones when they are looked at first; nobody is taken for somebody new."""
    async with meeting(tmp_path) as hall:
        await hall.make(minimum_participants=1, round_s=600, round_people=100)
        await hall.open()
        people = [await hall.signed(bytes([number])) for number in range(4)]
        for wallet in people:
            await hall.show(wallet, few=True)
        redis, keys = hall.node.store.of(CODE), Keys(CODE)
        shown = await redis.zrange(keys.tokens, 0, -1)
        waiting = {key: await redis.zrange(key, 0, -1) for key in (keys.arrived, keys.willing)}
    async with again_at(tmp_path) as hall:
        redis = hall.node.store.of(CODE)
        await redis.delete(keys.tokens, keys.arrived, keys.willing)
        await redis.hset(keys.tokens, mapping={one[:32]: one[32:] for one in shown})
        for key, tags in waiting.items():
            await redis.sadd(key, *tags)
        arrived, willing = await hall.node.tokens.arrived(CODE)
        assert len(arrived) == len(willing) == 4
        assert await redis.type(keys.tokens) == b"hash"
        for wallet in people:
            await hall.show(wallet)
        assert await redis.zrange(keys.tokens, 0, -1) == shown
        thief = Wallet(CODE, people[0].spki, prefix=people[0].prefix, signature=people[0].signature)
        assert await hall.refused(thief) == "bad_token"
        assert {key: await redis.zrange(key, 0, -1) for key in waiting} == waiting


# --- after closing ---
async def test_no_connection_knows_whose_it_is_once_the_key_is_gone(two: Meeting) -> None:
    await two.open()
    ticket = await two.show(await two.signed(b"somebody"))
    await two.admitted(1)
    holder = two.node.gateway.admission.tickets.holder(CODE, ticket)
    runtime = await two.runtime()
    assert holder is not None and runtime.author_key is not None
    key = participant_key(runtime.author_key, holder.id)
    tag = author_tag(key)
    clients = [Client(two.session, node.url, CODE, "audience", ticket) for node in two.nodes]
    for client in clients:
        await client.connect()
    posted = await clients[0].call("message:post", {"client_id": "before-closing", "text": "안녕하십니까"})
    assert posted["ok"], posted
    for client, node in zip(clients, two.nodes, strict=True):
        there = await two.runtime(node)
        await until(lambda there=there: posted["seq"] in there.hall.messages)
        assert (await client.call("message:stored", {"message": posted["seq"]}))["data"]["entry"]["author"] == tag
    await two.do(HOST, c.CloseHall(client_id="close-the-hall"))
    for node in two.nodes:
        await until(lambda node=node: node.gateway.directory.untied(CODE))
    for client, node in zip(clients, two.nodes, strict=True):
        # Before anything is asked: what the connection holds.
        (connection,) = node.door.sockets.all()
        held = connection.members[0].session.admitted
        assert held._sender is None and held._key != key and held.sender.actor.author == "0" * 16
        assert (await client.call("message:stored", {"message": posted["seq"]}))["error"]["code"] == "not_yours"
        told = await client.call("message:check", {"messages": [posted["seq"]]})
        assert told["data"]["states"] == {str(posted["seq"]): {"state": "unknown"}}
        await client.close()
