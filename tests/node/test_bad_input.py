"""Every bad input gets a clear answer or a closed connection, and changes nothing."""

import asyncio
import contextlib
import json
import random
import string
from typing import Any
from uuid import uuid4

import aiohttp
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from loadtests.client import NotAdmitted, ticket
from protocol import wire
from protocol.commands import COMMANDS, QUERIES, names_for
from protocol.limits import limit
from server.fanout.figures import figures
from server.sockets import engine
from tests.node.world import CODE, Person, World
from tests.protocol.test_wire import ANYTHING
from tests.waiting import until


class Raw:
    """A bare WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    @classmethod
    async def open(cls, world: World) -> "Raw":
        address = world.node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        raw = cls(await world.session.ws_connect(address, max_msg_size=0))
        assert (await raw.socket.receive()).data.startswith("0{")
        return raw

    async def join(self, world: World, role: str = "audience") -> None:
        token = await ticket(world.session, world.node.url, CODE)
        await self.socket.send_str(f"40/{role}," + json.dumps({"code": CODE, "token": token}))
        while not (await self.socket.receive()).data.startswith(f"40/{role},"):
            pass

    async def closes(self, within_s: float = 2.0) -> list[str]:
        """What still comes before the end."""
        said = []
        async with asyncio.timeout(within_s):
            async for message in self.socket:
                said.append(str(message.data))
        return said


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "4",
        "42",
        "42/audience",
        "42/audience,",
        "42/audience,{",
        "42/audience,[]",
        '42/audience,["x"',
        "42/audience,[1,2]",
        "9",
        "hello",
        '42["message:post",{}]',
        "40",
        "41",
        '43/audience,1["x"]',
        '44/audience,{"message":"x"}',
        '451-/audience,["x",{"_placeholder":true,"num":0}]',
        '461-/audience,1["x"]',
        "2",
        "2probe",
        "5",
        "6",
        "3",
        '42/host,["question:pick",{}]',
        '42/nowhere,["message:post",{}]',
        "0{}",
        '42/audience,["connect",{}]',
        '42/audience,["disconnect",{}]',
        '42/audience,["connect_error",{}]',
        '42/audience,["*",{}]',
        "42/audience,99999999999[]",
        '42/audience,["message:post",{"text":' + "[" * 100000,
        '42/audience,["message:post",{"a":' + "1" * 5000 + "}]",
        '42/audience,["message:post",{"text":"' + "x" * 70000 + '"}]',
        '42/audience,["message:post",{"text":"' + "x" * 17000 + '"}]',
    ],
    ids=lambda frame: repr(frame[:40]),
)
async def test_a_malformed_frame_ends_the_connection_and_nothing_else(world: World, frame: str) -> None:
    raw = await Raw.open(world)
    await raw.join(world)
    before = world.runtime.seq
    await raw.socket.send_str(frame)
    await raw.closes()
    assert world.runtime.seq == before
    await until(lambda: world.runtime.room("audience").viewers == 0)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["42/audience,{"], 3501),
        (['42/audience,["message:post",{"text":"' + "x" * 17_000 + '"}]'], 3503),
        (['42/audience,["view:resume",{"since":{"epoch":1,"seq":1}}]'] * 200, 3504),
    ],
    ids=["malformed", "too big", "too many"],
)
async def test_who_has_joined_is_told_by_a_bye_why_it_ends(world: World, frames: list[str], code: int) -> None:
    raw = await Raw.open(world)
    await raw.join(world)
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        for frame in frames:
            await raw.socket.send_str(frame)
    byes = [json.loads(said.partition(",")[2])[1] for said in await raw.closes() if '"bye"' in said]
    assert [(bye["code"], bye["come_back_after_ms"]) for bye in byes] == [(code, None)]


async def test_binary_frames_end_the_connection(world: World) -> None:
    raw = await Raw.open(world)
    await raw.join(world)
    await raw.socket.send_bytes(b"bKA==")
    await raw.closes()


async def test_ten_thousand_generated_frames_call_no_handler_and_leave_nothing_behind(world: World) -> None:
    chance = random.Random(1)
    before, tasks = world.runtime.seq, len(asyncio.all_tasks())
    counted = figures.refused.total()
    letters = string.printable + "한글\u0000\ud7ff😀"

    async def attack(count: int) -> None:
        for _ in range(count):
            raw = await Raw.open(world)
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                for _ in range(25):
                    body = "".join(chance.choices(letters, k=chance.randrange(0, 60)))
                    await raw.socket.send_str(chance.choice(["", "4", "42", "42/audience,", "40/audience,", "41/", "3"]) + body)
            await raw.socket.close()

    await asyncio.gather(*(attack(20) for _ in range(20)))
    assert world.runtime.seq == before
    assert figures.refused.total() > counted
    await until(lambda: len(asyncio.all_tasks()) <= tasks + 2)


async def test_a_connection_that_joins_nothing_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sockets.sockets.limit", lambda name: 0.2 if name == "join_wait_s" else limit(name))
    raw = await Raw.open(world)
    await raw.closes()


async def test_a_flood_of_frames_is_closed(world: World) -> None:
    raw = await Raw.open(world)
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        for _ in range(20_000):
            await raw.socket.send_str("40/audience,{}")
    await raw.closes()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_long_polling_is_refused_with_a_sentence(world: World, method: str) -> None:
    async with world.session.request(method, f"{world.node.url}/socket.io/?EIO=4&transport=polling") as response:
        assert response.status == 400
        assert "지원하지 않는" in await response.text()
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_page_of_another_origin_is_refused(world: World) -> None:
    address = world.node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await world.session.ws_connect(address, headers={"Origin": "https://elsewhere.example"})
    assert caught.value.status == 403
    socket = await world.session.ws_connect(address, headers={"Origin": world.node.url})
    await socket.close()
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await world.session.ws_connect(
            address, headers={"Origin": "https://elsewhere.example", "X-Forwarded-Host": "elsewhere.example"}
        )


@pytest.mark.parametrize(
    ("role", "auth", "code"),
    [
        ("audience", {"code": "NOWHERE", "token": "x"}, "unknown_hall"),
        ("audience", {"code": CODE, "token": "x"}, "not_admitted"),
        ("audience", {"code": CODE, "token": "A" * 64}, "not_admitted"),
        ("host", {"code": CODE, "token": "host-1.x"}, "not_admitted"),
        ("director", {"code": CODE, "token": ""}, "not_admitted"),
        ("overlay", {"code": CODE}, "not_admitted"),
        ("audience", {"token": "x"}, "bad_request"),
        ("audience", {"code": 7}, "bad_request"),
        ("audience", {"code": CODE, "since": "yesterday"}, "bad_request"),
        ("audience", None, "bad_request"),
    ],
)
async def test_who_is_not_admitted_is_told_why(world: World, role: str, auth: Any, code: str) -> None:
    raw = await Raw.open(world)
    await raw.socket.send_str(f"40/{role}," + (json.dumps(auth) if auth is not None else ""))
    text = (await raw.socket.receive()).data
    assert text.startswith(f"44/{role},")
    data = json.loads(text.partition(",")[2])["data"]
    assert data["code"] == code
    assert data["message"]
    assert data["come_back_after_ms"] is None
    await raw.socket.close()


async def test_a_link_of_another_role_or_town_hall_does_not_open_this_one(world: World) -> None:
    for role, token in (
        ("director", world.token("host", "host-1")),
        ("host", world.token("director", "d1")),
        ("overlay", world.token("host", "host-1")),
    ):
        with pytest.raises(NotAdmitted):
            await Person(world.session, world.node.url, role, token).connect()
    altered = world.token("host", "host-1")[:-2] + "xx"
    with pytest.raises(NotAdmitted):
        await Person(world.session, world.node.url, "host", altered).connect()


@pytest.mark.parametrize("role", ["audience", "host", "director", "overlay"])
async def test_each_role_may_send_only_what_the_table_says(world: World, role: str) -> None:
    for name in (*COMMANDS, *QUERIES):
        person = await world.person(role)
        before = world.runtime.seq
        try:
            ack = await person.call(name, {})
        except (TimeoutError, ConnectionError):
            assert role == "overlay"
            assert person.bye["code"] == 3507
            continue
        finally:
            await person.close()
        if name in ("participation:check", "round:await") and role == "audience":
            assert ack["ok"]  # they ask for nothing
            continue
        expected = "bad_request" if name in names_for(role) else "not_allowed"
        assert ack["error"]["code"] == expected, name
        assert world.runtime.seq == before


async def test_twenty_bad_requests_end_the_connection_with_a_bye(world: World) -> None:
    person = await world.person()
    with contextlib.suppress(TimeoutError, ConnectionError):
        for _ in range(40):
            assert not (await person.call("message:pos", {}))["ok"]
    await until(lambda: not person.connected)
    assert (person.bye["code"], person.bye["come_back_after_ms"]) == (3501, None)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("안녕\u0000하세요", "안녕하세요"),
        ("뒤집힌 \u202e글자\u202c", "뒤집힌 글자"),
        ("z\u0301\u0302\u0303\u0304\u0305\u0306\u0307", "ź\u0302\u0303\u0304\u0305"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
async def test_strange_text_is_cleaned_and_markup_is_only_text(world: World, text: str, kept: str) -> None:
    person = await world.person()
    ack = await person.command("message:post", text=text)
    assert ack["ok"], ack
    await until(lambda: world.runtime.seq >= ack["seq"])
    assert world.runtime.hall.messages[ack["seq"]].text == kept


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"text": "   \n\t "}, "text_empty"),
        ({"text": "가" * 301}, "text_too_long"),
        ({"text": 7}, "bad_request"),
        ({"text": None}, "bad_request"),
        ({"text": "x", "asked": "yes"}, "bad_request"),
        ({"text": "x", "more": 1}, "bad_request"),
        ({"text": "x", "client_id": "bad id"}, "bad_request"),
    ],
)
async def test_a_bad_message_is_told_what_is_wrong(world: World, payload: dict[str, Any], code: str) -> None:
    person = await world.person()
    before = world.runtime.seq
    ack = await person.call("message:post", {"client_id": uuid4().hex, **payload})
    assert (ack["ok"], ack["error"]["code"]) == (False, code)
    assert ack["error"]["message"]
    assert world.runtime.seq == before


async def test_a_repeated_client_id(world: World) -> None:
    person, other = await world.person(), await world.person()
    first = await person.call("message:post", {"client_id": "the-same-id", "text": "글"})
    again = await person.call("message:post", {"client_id": "the-same-id", "text": "글"})
    assert again == first
    another = await person.call("message:post", {"client_id": "the-same-id", "text": "다른 글"})
    assert another["error"]["code"] == "client_id_reused"
    theirs = await other.call("message:post", {"client_id": "the-same-id", "text": "글"})
    assert theirs["ok"]
    assert theirs["seq"] != first["seq"]


async def test_a_retry_after_success_is_answered_with_the_first_result(world: World) -> None:
    person, host = await world.person(), await world.person("host")
    id = (await person.command("message:post", text="질문", asked=True))["seq"]
    first = await host.call("question:pick", {"client_id": "pick-it-once", "message": id})
    again = await host.call("question:pick", {"client_id": "pick-it-once", "message": id})
    assert first["ok"]
    assert again == first
    await host.command("chat:pause")
    refused_now = await person.call("message:post", {"client_id": "while-paused", "text": "글"})
    assert refused_now["error"]["code"] == "chat_paused"


async def test_a_closed_town_hall_takes_nothing_more(world: World) -> None:
    person, host = await world.person(), await world.person("host")
    assert (await host.command("hall:close"))["ok"]
    assert (await person.command("message:post", text="늦었다"))["error"]["code"] == "hall_closed"
    assert (await host.command("chat:pause"))["error"]["code"] == "wrong_phase"
    late = await world.person()
    assert any(fragment.get("phase") == "closed" for fragment in late.fragments())


async def test_posting_too_fast_is_limited_for_the_participant_not_for_the_address(world: World) -> None:
    person, other = await world.person(), await world.person()
    acks = [await person.command("message:post", text=f"글 {n}") for n in range(limit("messages_per_10_s") + 2)]
    assert [ack["ok"] for ack in acks].count(True) == limit("messages_per_10_s")
    assert acks[-1]["error"]["code"] == "too_fast"
    assert acks[-1]["error"]["retry_after_ms"] > 0
    assert (await other.command("message:post", text="나는 된다"))["ok"]


@pytest.mark.parametrize("since", [{"epoch": 1, "seq": 1}, {"epoch": 2**40, "seq": 5}, "future"])
async def test_since_of_another_epoch_or_of_the_future_gets_a_whole_snapshot(world: World, since: Any) -> None:
    person = await world.person()
    await person.command("message:post", text="글")
    if since == "future":
        since = {"epoch": world.runtime.epoch, "seq": world.runtime.seq + 1_000}
    late = Person(world.session, world.node.url, "audience", await ticket(world.session, world.node.url, CODE))
    late.position = (since["epoch"], since["seq"])
    await late.connect()
    await until(lambda: any(name == "view:reset" for name, _ in late.news))
    assert late.news[0][1].get("resumed", False) is False
    # The shared snapshot may be half a second old: a frame to the present comes behind it.
    await until(lambda: late.position == (world.runtime.epoch, world.runtime.seq))
    await late.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted((*COMMANDS, *QUERIES))),
    payload=st.dictionaries(st.sampled_from(["client_id", "message", "text", "x"]), ANYTHING, max_size=4),
)
def test_no_payload_of_any_command_changes_anything_or_raises(name: str, payload: dict[str, Any]) -> None:
    found = wire.command(name, payload)
    assert found is not None


async def test_invalid_payloads_of_every_command_over_the_socket_change_nothing(world: World) -> None:
    chance = random.Random(3)
    values: list[Any] = [None, -1, 2**60, 1.5, "", "x" * 50, [], {}, [[]], {"a": {"b": 1}}, True]
    before = world.runtime.seq
    for role in ("audience", "host", "director"):
        for name in sorted(names_for(role)):
            person = await world.person(role)
            for _ in range(3):
                payload = {
                    field: chance.choice(values)
                    for field in chance.sample(["client_id", "message", "text", "reason", "x", "since"], k=3)
                }
                ack = await person.call(name, payload)
                assert ack["error"]["code"] in ("bad_request", "no_such_message"), (name, payload, ack)
            await person.close()
    assert world.runtime.seq == before


def test_the_places_where_the_library_is_held_are_still_there() -> None:
    server = engine.make()
    assert server.eio.start_background_task is engine._begin
    assert server.async_handlers is False
    assert server.eio.transports == ["websocket"]
