"""The official JavaScript and Python clients as users of a real server, with nothing set but what the protocol asks for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from loadtests.client import ticket
from protocol import commands as c
from protocol.limits import limit
from server.app import Node, running
from server.settings import Settings
from server.store.embedded import EmbeddedValkey
from tests.node.official import JavaScript, Language, Official, Python
from tests.node.world import CODE, World
from tests.town import ORGANISER
from tests.waiting import until


@pytest.fixture(params=["javascript", "python"])
async def language(request: pytest.FixtureRequest) -> AsyncIterator[Language]:
    found: Language = await JavaScript.start() if request.param == "javascript" else Python()
    yield found
    await found.end()


async def joined(language: Language, world: World, role: str = "audience", **more: Any) -> Official:
    if role == "audience":
        token = await ticket(world.session, world.node.url, CODE)
    else:
        token = world.token(role, {"host": "host-1", "director": "d1", "overlay": "overlay"}[role])
    client = await language.open(world.node.url, role, {"code": CODE, "token": token, **more})
    await until(lambda: client.bodies("hall:joined"))
    return client


async def test_joining_brings_a_hello_a_snapshot_and_the_figures(language: Language, world: World) -> None:
    posted = await (await world.person()).command("message:post", text="먼저 온 글")
    client = await joined(language, world)
    await until(lambda: client.bodies("gauges:changed"))
    await until(lambda: (client.bodies("view:changed") or client.bodies("view:reset"))[-1]["seq"] == posted["seq"])
    # The snapshot is shared with others who came just before; what has happened since follows at once.
    names = [name for name, _ in client.news]
    assert [name for name in names[: names.index("gauges:changed") + 1] if name != "view:changed"] == [
        "hall:joined",
        "view:reset",
        "gauges:changed",
    ]
    hello = client.news[0][1]
    assert (hello["protocol"], hello["code"], hello["role"], hello["resumed"]) == (1, CODE, "audience", False)
    assert hello["limits"]["text_graphemes"] == limit("text_graphemes")
    snapshot, changes = client.bodies("view:reset")[0], client.bodies("view:changed")
    assert (snapshot["epoch"], (changes or [snapshot])[-1]["seq"]) == (world.runtime.epoch, posted["seq"])
    assert [f["text"] for f in client.fragments() if f["k"] == "message"] == ["먼저 온 글"]


async def test_a_message_is_acknowledged_and_reaches_everybody(language: Language, world: World) -> None:
    one, other = await joined(language, world), await joined(language, world)
    ack = await one.command("message:post", text="구내식당 좋아요 😀")
    assert (ack["ok"], ack["state"]) == (True, "visible")
    for client in (one, other):
        await until(lambda client=client: [f["id"] for f in client.fragments() if f["k"] == "message"] == [ack["seq"]])
        frame = client.bodies("view:changed")[-1]
        assert frame["seq"] >= ack["seq"] > frame["after"]
        assert frame["entries"][-1]["text"] == "구내식당 좋아요 😀"


async def test_a_refusal_is_an_acknowledgement_with_a_code_and_a_sentence(language: Language, world: World) -> None:
    client = await joined(language, world, lang="en")
    empty = await client.command("message:post", text="  ")
    assert (empty["ok"], empty["error"]["code"]) == (False, "text_empty")
    assert empty["error"]["message"].endswith(".")
    wrong = await client.ask("message:post", client_id="no", text="글")
    assert (wrong["error"]["code"], wrong["error"]["field"]) == ("bad_request", "$.client_id")
    assert (await client.command("question:pick", message=1))["error"]["code"] == "not_allowed"
    assert (await client.ask("message:pots"))["error"]["code"] == "unknown_command"
    for _ in range(limit("messages_per_10_s")):
        last = await client.command("message:post", text="글")
    last = await client.command("message:post", text="글")
    assert (last["error"]["code"], last["error"]["temporary"]) == ("too_fast", True)
    assert last["error"]["retry_after_ms"] > 0


async def test_a_question_is_supported_once_and_the_figure_reaches_everybody(language: Language, world: World) -> None:
    asker, voter = await joined(language, world), await joined(language, world)
    id = (await asker.command("message:post", text="통근버스 늘어나나요?", asked=True))["seq"]
    await until(lambda: world.runtime.seq >= id)
    for _ in range(2):
        assert (await voter.ask("question:support", message=id, on=True))["data"] == {"message": id, "support": 1}
    await until(lambda: any(body.get("support", {}).get(str(id)) == 1 for body in asker.bodies("gauges:changed")))
    assert (await voter.ask("question:support", message=id, on=False))["data"]["support"] == 0


async def test_a_client_that_comes_back_gets_what_it_missed_and_nothing_else(language: Language, world: World) -> None:
    first = await joined(language, world)
    await first.command("message:post", text="하나")
    await until(lambda: first.bodies("view:changed"))
    seq = first.bodies("view:changed")[-1]["seq"]
    await first.close()
    other = await world.person()
    missed = [(await other.command("message:post", text=f"그사이 {n}"))["seq"] for n in range(3)]
    await until(lambda: world.runtime.seq >= missed[-1])
    back = await joined(language, world, since={"epoch": world.runtime.epoch, "seq": seq})
    await until(lambda: back.bodies("view:changed"))
    assert back.bodies("hall:joined")[0]["resumed"] is True
    assert not back.bodies("view:reset")
    assert back.bodies("view:changed")[0]["after"] == seq
    assert [f["id"] for f in back.fragments() if f["k"] == "message"] == missed


async def test_a_gap_is_filled_on_request(language: Language, world: World) -> None:
    client = await joined(language, world)
    ids = [(await client.command("message:post", text=f"글 {n}"))["seq"] for n in range(3)]
    await until(lambda: [f["id"] for f in client.fragments() if f["k"] == "message"] == ids)
    assert (await client.ask("view:resume", since={"epoch": world.runtime.epoch, "seq": ids[0]}))["ok"]
    await until(lambda: [f["id"] for f in client.fragments() if f["k"] == "message"] == ids + ids[1:])
    assert (await client.ask("view:resume", since={"epoch": 1, "seq": 1}))["ok"]
    await until(lambda: len(client.bodies("view:reset")) == 2)


async def test_commands_of_one_client_keep_their_order(language: Language, world: World) -> None:
    client = await joined(language, world)
    host = await joined(language, world, "host")
    # The second depends on the first, the third on the second; none waits for an acknowledgement.
    id = (await client.command("message:post", text="순서대로", asked=True))["seq"]
    names = ["question:pick", "question:air", "question:finish"]
    acks = [await host.send(name, {"client_id": uuid4().hex, "message": id}) for name in names]
    async with asyncio.timeout(15):
        told = await asyncio.gather(*acks)
    assert [ack["ok"] for ack in told] == [True, True, True], told
    assert [ack["seq"] for ack in told] == sorted(ack["seq"] for ack in told)
    posts = [await client.send("message:post", {"client_id": uuid4().hex, "text": f"{n}"}) for n in range(4)]
    async with asyncio.timeout(15):
        seqs = [(await post)["seq"] for post in posts]
    assert seqs == sorted(seqs)
    await until(lambda: [f["text"] for f in client.fragments() if f["k"] == "message"][-4:] == ["0", "1", "2", "3"])


async def test_host_director_and_overlay_each_see_their_own_view(language: Language, world: World) -> None:
    asker = await joined(language, world)
    host, director, overlay = [await joined(language, world, role) for role in ("host", "director", "overlay")]
    assert host.bodies("hall:joined")[0]["you"] == {"id": "host-1", "name": "도지사"}
    assert director.bodies("hall:joined")[0]["you"]["id"] == "d1"
    id = (await asker.command("message:post", text="예산은 언제 나오나요?", asked=True))["seq"]
    await until(lambda: any(f.get("id") == id for f in host.fragments()))
    assert (await host.command("question:route", message=id, director="d1"))["ok"]
    await until(lambda: any(f["k"] == "question" and f["id"] == id for f in director.fragments()))
    assert (await director.command("question:accept", message=id))["ok"]
    assert (await host.command("question:air", message=id))["ok"]
    await until(lambda: any(f["k"] == "lower_third" and f.get("id") == id for f in overlay.fragments()))
    third = [f for f in overlay.fragments() if f["k"] == "lower_third"][-1]
    assert (third["text"], third["director"]["name"]) == ("예산은 언제 나오나요?", "한도윤")
    assert (await director.command("question:finish", message=id))["ok"]
    await until(lambda: any(f.get("fate", {}).get("state") == "answered" for f in asker.fragments() if f["k"] == "message"))
    overlay_said = await overlay.send("overlay:clear", {"client_id": uuid4().hex})
    await until(lambda: overlay.bodies("bye"))
    assert (overlay.bodies("bye")[0]["code"], overlay.bodies("bye")[0]["come_back_after_ms"]) == (3507, None)
    assert not overlay_said.done()


@pytest.mark.parametrize(
    ("role", "auth", "code"),
    [
        ("audience", {"code": "NOWHERE", "token": "x"}, "unknown_hall"),
        ("host", {"code": CODE, "token": "x"}, "not_admitted"),
        ("overlay", {"token": "x"}, "bad_request"),
    ],
)
async def test_who_is_not_admitted_is_told_why_and_rests(
    language: Language, world: World, role: str, auth: Any, code: str
) -> None:
    client = await language.open(world.node.url, role, auth)
    await until(lambda: client.refused)
    assert client.refused[0]["code"] == code
    assert client.refused[0]["message"]
    assert client.refused[0]["come_back_after_ms"] is None
    assert client.connects == 0


async def test_renewed_links_end_with_a_bye_that_says_not_to_come_back(language: Language, world: World) -> None:
    host = await joined(language, world, "host")
    await world.node.executor.execute(world.runtime, ORGANISER, None, c.RenewLinks(client_id="renew-the-links", role="host"))
    await until(lambda: host.bodies("bye"))
    assert (host.bodies("bye")[0]["code"], host.bodies("bye")[0]["come_back_after_ms"]) == (3506, None)
    await until(lambda: host.disconnects == 1)
    assert host.connects == 1


async def test_a_bye_of_a_stopping_server_is_obeyed_and_the_client_comes_back(
    language: Language, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    def settings(port: int) -> Settings:
        return Settings(port=port, data_dir=str(tmp_path / "node"), redis_url=valkey.url, drain_s=2.0)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        async with running(settings(0)) as node:
            port, world = node.port, await World.make(node, session)
            client = await joined(language, world)
            ack = await client.command("message:post", text="서버가 다시 시작하기 전")
            await until(lambda: any(f.get("id") == ack["seq"] for f in client.fragments()))
        await until(lambda: client.bodies("bye"))
        bye = client.bodies("bye")[0]
        assert (bye["code"], bye["reason"]) == (3001, "draining")
        assert 200 <= bye["come_back_after_ms"] <= 5_000
        async with running(settings(port)) as node:
            await _comes_back(client, node, session)


async def _comes_back(client: Official, node: Node, session: aiohttp.ClientSession) -> None:
    await until(lambda: client.connects == 2 and len(client.bodies("hall:joined")) == 2, 30)
    # The log is the same and nothing was missed: it goes on from where it stood.
    assert client.bodies("hall:joined")[1]["resumed"] is True
    ack = await client.command("message:post", text="다시 왔습니다")
    await until(lambda: client.bodies("view:changed")[-1]["seq"] >= ack["seq"])
    texts = [f["text"] for f in client.fragments() if f["k"] == "message"]
    assert texts == ["서버가 다시 시작하기 전", "다시 왔습니다"]
