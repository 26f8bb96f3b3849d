"""The official clients, every role, every way to a connection: what they were promised reaches them."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
import socketio

from loadtests.client import ticket
from server.app import running
from server.event_loop import run
from server.fanout.figures import figures
from server.settings import Settings
from tests.node.raw import RawSocket
from tests.node.world import CODE, Person, World
from tests.waiting import until


async def test_the_official_javascript_client_plays_audience_and_host_over_one_connection(world: World) -> None:
    arguments = [world.node.url, CODE, await ticket(world.session, world.node.url, CODE), world.token("host", "host-1")]
    script = Path(__file__).with_name("both_roles.mjs")
    node = await asyncio.create_subprocess_exec("node", script, *arguments, stdout=-1, stderr=-1)
    async with asyncio.timeout(60):
        out, errors = await node.communicate()
    assert node.returncode == 0, errors.decode()
    seen = json.loads(out)
    assert seen["sockets"] == 1
    assert [ack["ok"] for ack in seen["acks"]] == [True] * 4
    for role in ("audience", "host"):
        names = [name for name, _ in seen[role]]
        assert names[:2] == ["hall:joined", "view:reset"]
        position = next(body["seq"] for name, body in seen[role] if name == "view:reset")
        for name, body in seen[role]:
            if name == "view:changed":
                assert body["after"] == position
                position = body["seq"]
        assert position >= seen["acks"][3]["seq"]
    assert seen["refused"]["code"] == "not_admitted"
    await until(lambda: world.node.connections() == 0)


@pytest.mark.parametrize(("role", "id"), [("audience", ""), ("host", "host-1"), ("director", "d1"), ("overlay", "overlay")])
async def test_the_python_client_joins_every_role(world: World, role: str, id: str) -> None:
    client = socketio.AsyncClient(reconnection=False)
    news: list[str] = []

    async def heard(event: str, *_: object) -> None:
        news.append(event)

    client.on("*", heard, namespace=f"/{role}")
    token = world.token(role, id) if id else await ticket(world.session, world.node.url, CODE)
    auth = {"code": CODE, "token": token}
    await client.connect(world.node.url, auth=auth, transports=["websocket"], namespaces=[f"/{role}"])
    await until(lambda: "gauges:changed" in news)
    assert news[:2] == ["hall:joined", "view:reset"]
    if role in ("audience", "host"):
        ack = await client.call("no:such", {}, namespace=f"/{role}")
        assert ack["error"]["code"] == "unknown_command"
    await client.disconnect()
    await until(lambda: world.node.connections() == 0 and not world.runtime.occupied())
    await until(lambda: figures.connections[role] == 0)


async def test_a_handshake_on_a_connection_that_has_served_requests_before(world: World) -> None:
    raw = await RawSocket.connect(world.node.url)
    host = world.node.url.removeprefix("http://")
    for _ in range(2):
        raw.writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = await raw.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await raw.reader.readexactly(length)
    await raw.upgrade(world.node.url)
    await raw.join(world)
    other = await world.person()
    await other.command("message:post", text="이어서")
    while "이어서".encode() not in (await raw.frame())[1]:
        pass
    # aiohttp has let go: nothing of it closes the connection, or keeps it once it has ended.
    await raw.close()
    await until(lambda: world.node.connections() == 1)


@pytest.mark.parametrize("compress", [0, 15])
async def test_everybody_sees_the_same_compressed_or_not(world: World, compress: int) -> None:
    token = await ticket(world.session, world.node.url, CODE)
    address = world.node.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    plain = await world.person()
    async with aiohttp.ClientSession() as session, session.ws_connect(address, compress=compress, max_msg_size=0) as socket:
        assert bool(socket.compress) == bool(compress)
        await socket.send_str("40/audience," + json.dumps({"code": CODE, "token": token}))
        poster = await world.person()
        for number in range(5):
            await poster.command("message:post", text=f"글 {number}")
            await world.person()  # somebody who comes in between
        heard: list[object] = []
        while len(heard) < 5:
            text = (await socket.receive()).data
            if text.startswith('42/audience,["view:'):
                _, body = json.loads(text.partition(",")[2])
                heard += [entry["text"] for entry in body["entries"] if "text" in entry]
        await until(lambda: plain.position == (world.runtime.epoch, world.runtime.seq))
        assert heard == [entry["text"] for entry in plain.fragments() if "text" in entry]


async def test_viewers_over_both_ways_and_all_roles_see_every_entry_in_order(world: World) -> None:
    people = [await world.person() for _ in range(20)] + [await world.person("host"), await world.person("overlay")]
    posters = [await world.person() for _ in range(10)]
    acks = await asyncio.gather(*(poster.command("message:post", text=f"글 {n}") for poster in posters for n in range(5)))
    # What is acknowledged is on disk; this node may not have seen it yet.
    end = (world.runtime.epoch, max(ack["seq"] for ack in acks))
    await until(lambda: all(person.position is not None and person.position >= end for person in people))
    assert [person.gaps for person in people] == [0] * len(people)
    texts = [entry["text"] for entry in people[0].fragments() if entry.get("k") == "message"]
    assert len(set(texts)) == 5
    assert len(texts) == 50


async def test_nothing_is_left_of_those_who_come_and_go(world: World) -> None:
    tasks = len(asyncio.all_tasks())
    for role in ("audience", "host", "director", "overlay") * 3:
        person = await world.person(role)
        await person.close()
    await until(lambda: world.node.connections() == 0)
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert not world.node.door.sockets.by_address
    assert not +figures.connections


def test_the_same_holds_on_uvloop(tmp_path: Path) -> None:
    """Its transports differ in when they write and what they do once they are closed."""

    async def play() -> int:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        async with running(Settings(port=0, data_dir=str(tmp_path / "data"), drain_s=0.5)) as node:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
                world = await World.make(node, session)
                people: list[Person] = [await world.person() for _ in range(10)] + [await world.person("host")]
                for number in range(5):
                    assert (await people[0].command("message:post", text=f"글 {number}"))["ok"]
                await until(lambda: all(person.position and person.position[1] >= world.runtime.seq for person in people))
                assert [person.gaps for person in people] == [0] * 11
                await world.close()
                await until(lambda: node.connections() == 0)
        return 0

    assert run(play()) == 0
