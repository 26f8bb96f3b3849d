"""Whoever breaks the protocol, or only wastes our time, is closed with a code, counted, and costs nobody else anything."""

import asyncio
import contextlib
import json
from collections.abc import Callable

import pytest

from loadtests.client import ticket
from protocol.limits import limit
from server.fanout.deflate import deflated
from server.fanout.figures import figures
from server.http import run
from server.sockets import sockets
from server.sockets.frame_reader import FRAGMENTS_MAX
from tests.node.raw import HANDSHAKE, RawSocket, frame
from tests.node.world import CODE, World
from tests.waiting import until

Limits = Callable[..., None]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Sets bounds of sockets and rooms for one test."""

    def put(**values: float) -> None:
        def patched(name: str) -> float:
            return values.get(name, limit(name))

        for module in ("sockets.sockets", "sockets.join_queue", "sockets.audience", "fanout.room"):
            monkeypatch.setattr(f"server.{module}.limit", patched)

    return put


async def refused_as(raw: RawSocket, code: int, reason: str, before: int) -> None:
    assert await raw.closed_with() == code
    assert figures.refused[reason] > before
    await raw.close()


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        (b"\x81\xff" + (2 << 30).to_bytes(8, "big") + bytes(4), 3503, "too_big"),
        (b"\x81\xfe\xff\xff" + bytes(4), 3503, "too_big"),
        (frame(b"42", final=False) + frame(b"x", 0, final=False) * (FRAGMENTS_MAX + 1), 3504, "too_many_fragments"),
        (frame(b"42", final=False) + frame(b"x" * 6_000, 0, final=False) * 3, 3503, "too_big"),
        (frame(b"3") * 10_000, 3501, "unasked_pong"),
        (frame(b"x", 9) * 10_000, 3504, "too_many_frames"),
        (frame(b"x", 2), 1003, "binary"),
        (frame(b"\xff\xfe"), 1007, "malformed"),
        (b"\x81\x01x", 1002, "malformed"),
        (frame(b"x", 3), 1002, "malformed"),
        (frame(deflated(b"x"), rsv1=True), 1002, "malformed"),
    ],
    ids=[
        "2 GB",
        "64 kB",
        "fragments",
        "bytes",
        "pongs",
        "tiny",
        "binary",
        "no text",
        "not masked",
        "kind",
        "rsv",
    ],
)
async def test_what_no_client_sends_is_closed_with_a_code(world: World, sent: bytes, code: int, reason: str) -> None:
    before = figures.refused[reason]
    raw = await RawSocket.open(world.node.url)
    raw.writer.write(sent)
    await refused_as(raw, code, reason, before)
    await until(lambda: world.node.connections() == 0)


async def test_a_compressed_bomb_is_not_inflated(world: World) -> None:
    before = figures.refused["too_big"]
    raw = await RawSocket.open(world.node.url, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    assert b"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n" in raw.head
    bomb = deflated(b"x" * 10_000_000)
    assert len(bomb) < limit("frame_bytes")
    raw.writer.write(frame(bomb, rsv1=True))
    await refused_as(raw, 3503, "too_big", before)


async def test_a_frame_that_comes_byte_by_byte_has_an_end(world: World, limits: Limits) -> None:
    limits(frame_wait_s=0.3)
    raw = await RawSocket.open(world.node.url)
    await raw.join(world)
    whole = frame(b'42/audience,1["message:check",{"messages":[1]}]')

    async def dribble() -> None:
        for byte in whole[:-1]:
            raw.writer.write(bytes((byte,)))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(dribble())
    await refused_as(raw, 3501, "unfinished_frame", 0)
    task.cancel()


async def test_a_message_that_began_has_an_end_whatever_comes_between(world: World, limits: Limits) -> None:
    """S-03: a member too is closed in time, though each ping is a whole frame and is answered."""
    limits(frame_wait_s=0.3)
    raw = await RawSocket.open(world.node.url)
    await raw.join(world)
    before = figures.refused["unfinished_frame"]
    raw.writer.write(frame(b"42", final=False))

    async def chatter() -> None:
        while True:
            raw.writer.write(frame(b"still here", 9))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(chatter())
    await refused_as(raw, 3501, "unfinished_frame", before)
    task.cancel()


async def test_a_message_whose_last_fragment_comes_in_time_is_taken(world: World, limits: Limits) -> None:
    limits(frame_wait_s=0.5)
    raw = await RawSocket.open(world.node.url)
    await raw.join(world)
    command = b'42/audience,1["message:check",{"messages":[1]}]'
    for _ in range(8):
        raw.writer.write(frame(command[:9], final=False) + frame(b"x", 9))
        while await raw.frame() != (0x8A, b"x"):
            pass
        raw.writer.write(frame(command[9:], 0))
        while not (await raw.frame())[1].startswith(b'43/audience,1[{"ok":true'):
            pass
        await asyncio.sleep(0.1)
    await raw.close()


async def test_a_handshake_may_come_in_pieces_and_fragments_are_put_together(world: World) -> None:
    raw = await RawSocket.connect(world.node.url)
    for byte in HANDSHAKE.format(host=world.node.url.removeprefix("http://"), more="").encode():
        raw.writer.write(bytes((byte,)))
        await raw.writer.drain()
    await raw.reader.readuntil(b"\r\n\r\n")
    await raw.join(world)
    command = b'42/audience,1["message:check",{"messages":[1]}]'
    raw.writer.write(
        frame(command[:9], final=False) + frame(b"hello", 9) + frame(command[9:20], 0, final=False) + frame(command[20:], 0)
    )
    assert await raw.frame() == (0x8A, b"hello")
    assert (await raw.frame())[1].startswith(b'43/audience,1[{"ok":true')
    await raw.close()


async def test_what_comes_behind_a_handshake_that_waits_for_its_turn_is_read(world: World) -> None:
    url = world.node.url
    shake = HANDSHAKE.format(host=url.removeprefix("http://"), more="").encode()
    raws = [await RawSocket.connect(url) for _ in range(4)]
    tickets = [await ticket(world.session, url, CODE) for _ in raws]
    for raw, own in zip(raws, tickets, strict=True):
        raw.writer.write(shake + frame(b"x" * 100, 9) * 20)
        await asyncio.sleep(0.002)
        # With this more waits behind the head than may: what follows is not read until the turn has come.
        raw.writer.write(frame(b"y" * 100, 9) * 20)
        raw.send(b"40/audience," + json.dumps({"code": CODE, "token": own, "more": "m" * 9_000}).encode())
        await asyncio.sleep(0.002)
        raw.writer.write(frame(b"last", 9))
    for raw in raws:
        await raw.reader.readuntil(b"\r\n\r\n")
        assert (await raw.frame())[1].startswith(b"0{")
        assert [await raw.frame() for _ in range(40)] == [(0x8A, b"x" * 100)] * 20 + [(0x8A, b"y" * 100)] * 20
        async with asyncio.timeout(10):
            while await raw.frame() != (0x8A, b"last"):
                pass
        await raw.close()


async def test_a_thousand_half_open_connections_are_closed_and_leave_nothing(world: World, limits: Limits) -> None:
    limits(join_wait_s=0.5)
    person = await world.person()
    before = figures.closes[3502]
    raws = await asyncio.gather(*(RawSocket.open(world.node.url) for _ in range(300)))
    silent = await asyncio.gather(*(RawSocket.connect(world.node.url) for _ in range(300)))
    gone = await asyncio.gather(*(RawSocket.open(world.node.url) for _ in range(400)))
    for raw in gone:
        raw.writer.transport.abort()
    assert (await person.command("message:post", text="그래도 된다"))["ok"]
    await asyncio.gather(*(raw.closed_with() for raw in raws))
    assert figures.closes[3502] >= before + 300
    await until(lambda: world.node.connections() == 1)
    for raw in (*raws, *silent):
        await raw.close()


async def test_nothing_of_a_slow_start_holds_up_a_newcomer(world: World) -> None:
    """S-05: heads that trickle, connections that say nothing, bodies that never come whole."""
    host = world.node.url.removeprefix("http://")
    starts = [
        b"",
        b"GET /socket.io/?EIO=4",
        b"POST /api/v1/halls/TESTED/join HTTP/1.1\r\nHost: " + host.encode(),
        f"POST /api/v1/halls/TESTED/audience/commands HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\n{{".encode(),
    ]
    raws = [await RawSocket.connect(world.node.url) for _ in range(300)]
    for number, raw in enumerate(raws):
        raw.writer.write(starts[number % len(starts)])
    assert (await (await world.person()).command("message:post", text="나는 들어왔다"))["ok"]
    for raw in raws:
        await raw.close()


async def test_heads_that_trickle_are_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEADERS_S", 0.3)
    raws = [await RawSocket.connect(world.node.url) for _ in range(50)]
    for number, raw in enumerate(raws):
        raw.writer.write(HANDSHAKE[: number * 3].encode())
    assert (await world.person()).connected
    for raw in raws:
        with contextlib.suppress(ConnectionError):
            assert await raw.reader.read() == b""
        await raw.close()


@pytest.mark.parametrize("way", ["socket", "stream"])
async def test_whoever_does_not_read_is_cut_off_however_much_waits_for_it(
    world: World, limits: Limits, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    limits(slow_viewer_s=0.5)
    monkeypatch.setattr(sockets, "CLOSE_S", 0.5)
    before = figures.closes[3008]
    if way == "socket":
        raw = await RawSocket.open(world.node.url)
        await raw.join(world)
    else:
        raw = await RawSocket.connect(world.node.url)
        token = await ticket(world.session, world.node.url, CODE)
        path = f"/api/v1/halls/{CODE}/audience/stream"
        raw.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        await raw.reader.readuntil(b"gauges:changed")
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads and writes
    other = await world.person()
    room = world.runtime.room("audience")
    body = b'{"viewers":1,"x":"%b"}' % (b"x" * 60_000)
    for _ in range(400):
        if figures.slow:
            break
        told = len(other.news)
        room.gauges(body)
        await until(lambda: len(other.news) > told)  # noqa: B023  # awaited within the turn
    assert figures.slow == 1
    (slow,) = (samples for name, _, _, samples in world.node.figures() if name == "townhall_slow_viewers")
    assert slow[0][2] == 1
    # It gets nothing more, however much there is: nothing gathers for it here.
    for _ in range(5):
        assert (await other.command("message:post", text="다른 사람은 계속한다"))["ok"]
    await until(lambda: figures.closes[3008] > before)
    await until(lambda: world.node.connections() == 1 and room.viewers == 1)
    assert figures.slow == 0
    assert other.connected
    await raw.close()


async def test_who_never_answers_a_ping_is_closed(world: World) -> None:
    raw = await RawSocket.open(world.node.url)
    await raw.join(world)
    (connection,) = world.node.door.sockets.all()
    connection.ping()
    assert await raw.frame() == (0x81, b"2")
    assert b'"entries":[],"epoch":' in (await raw.frame())[1]
    raw.send(b"3")
    raw.writer.write(frame(b"here", 9))
    assert await raw.frame() == (0x8A, b"here")
    connection.check()
    connection.ping()
    await raw.frame()
    connection.check()
    assert await raw.closed_with() == 3002
    await raw.close()


async def test_a_join_that_finds_no_place_in_the_queue_is_told_when_to_come_back(world: World, limits: Limits) -> None:
    limits(joins_waiting=0)
    raw = await RawSocket.open(world.node.url)
    raw.send(b'40/audience,{"code":"TESTED","token":"x"}')
    text = (await raw.frame())[1]
    assert text.startswith(b"44/audience,")
    data = json.loads(text.partition(b",")[2])["data"]
    assert data["code"] == "busy"
    assert 2_000 <= data["come_back_after_ms"] <= 10_000
    await raw.close()


async def test_commands_are_answered_one_after_the_other_and_too_many_at_once_end_the_connection(
    world: World, limits: Limits
) -> None:
    raw = await RawSocket.open(world.node.url)
    await raw.join(world)
    for number in range(20):
        raw.send(b'42/audience,%d["message:check",{"messages":[%d]}]' % (number, number + 1))
    answers = [(await raw.frame())[1] for _ in range(20)]
    assert [int(text.partition(b",")[2].partition(b"[")[0]) for text in answers] == list(range(20))
    limits(commands_waiting=5)
    raw.writer.write(b"".join(frame(b'42/audience,%d["message:check",{"messages":[1]}]' % number) for number in range(30)))
    assert await raw.closed_with() == 3504
    await raw.close()
