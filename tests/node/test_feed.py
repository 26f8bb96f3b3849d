"""Server-Sent Events and POST: the same news, acknowledgements and positions as over the socket, for anybody with `curl`."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from loadtests.client import ticket
from server.http import stream
from tests.node.feed import Feed
from tests.node.world import CODE, World
from tests.waiting import until

Open = Callable[..., Awaitable[Feed]]


@pytest.fixture
async def feed(world: World) -> AsyncIterator[Open]:
    """Opens feeds, and closes them at the end."""
    opened: list[Feed] = []

    async def begin(role: str = "audience", token: str = "") -> Feed:
        found = Feed(world.session, world.node.url, CODE, role, token or await ticket(world.session, world.node.url, CODE))
        await found.open()
        opened.append(found)
        return found

    yield begin
    for one in opened:
        await one.close()


async def test_the_feed_says_the_same_as_the_socket(world: World, feed: Open) -> None:
    person, reader = await world.person(), await feed()
    await until(lambda: reader.bodies("gauges:changed") and person.news)
    ack = await reader.post("message:post", text="POST로 보낸 글", asked=True)
    assert (ack["ok"], ack["state"]) == (True, "visible")
    other = await person.command("message:post", text="소켓으로 보낸 글")
    await until(lambda: reader.texts() == ["POST로 보낸 글", "소켓으로 보낸 글"])
    await until(lambda: person.position == (world.runtime.epoch, other["seq"]))
    # Frames that cover nothing come with each one's own heartbeat.
    ours = [(name, body) for name, body in reader.news if name in ("view:reset", "view:changed") and body["entries"]]
    theirs = [(name, body) for name, body in person.news if name in ("view:reset", "view:changed") and body["entries"]]
    assert ours == theirs
    assert reader.last_id == f"{world.runtime.epoch}-{other['seq']}"
    assert reader.kind == "text/event-stream; charset=utf-8"


async def test_a_feed_that_comes_back_with_its_last_id_gets_what_it_missed(world: World, feed: Open) -> None:
    reader = await feed()
    await reader.post("message:post", text="하나")
    await until(lambda: reader.texts() == ["하나"])
    await reader.close()
    for text in ("둘", "셋"):
        assert (await reader.post("message:post", text=text))["ok"]
    await until(lambda: world.runtime.hall.counts().received == 3)
    reader.news.clear()
    await reader.open()
    await until(lambda: reader.texts() == ["둘", "셋"])
    assert reader.bodies("hall:joined")[0]["resumed"] is True
    assert not reader.bodies("view:reset")


@pytest.mark.parametrize("last_id", ["1-1", "yesterday", "9999999999-3", "-", "1-1-1", "9" * 40 + "-1"])
async def test_a_last_id_that_leads_nowhere_gets_the_whole_view(world: World, feed: Open, last_id: str) -> None:
    await (await world.person()).command("message:post", text="글")
    reader = Feed(world.session, world.node.url, CODE, "audience", await ticket(world.session, world.node.url, CODE))
    reader.last_id = last_id
    await reader.open()
    await until(lambda: reader.bodies("view:reset"))
    assert reader.bodies("hall:joined")[0]["resumed"] is False
    assert reader.texts() == ["글"]
    await reader.close()


async def test_the_feed_is_admitted_like_the_socket(world: World) -> None:
    for role, token in (("audience", "x"), ("host", world.token("director", "d1")), ("overlay", "")):
        reader = Feed(world.session, world.node.url, CODE, role, token)
        await reader.open()
        assert reader.status == 401
        assert (await reader.post("message:post", text="글"))["error"]["code"] == "not_admitted"
        await reader.close()


async def test_an_overlay_may_read_the_feed_and_send_nothing(world: World, feed: Open) -> None:
    reader = await feed("overlay", world.token("overlay", "overlay"))
    await until(lambda: reader.bodies("view:reset"))
    assert (await reader.post("overlay:clear"))["error"]["code"] == "not_allowed"


async def test_a_stopping_server_says_bye_on_the_feed_too(world: World, feed: Open) -> None:
    reader = await feed()
    await until(lambda: reader.bodies("view:reset"))
    world.runtime.bye(3001)
    await until(lambda: not reader.open_now)
    assert reader.bodies("bye")[0]["code"] == 3001
    assert reader.bodies("bye")[0]["come_back_after_ms"] > 0


async def test_a_silent_feed_is_kept_alive_by_comments_and_forgotten_when_it_goes(
    world: World, feed: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "KEEPALIVE_S", 0.05)
    reader = await feed()
    await until(lambda: reader.bodies("view:reset"))
    assert world.runtime.room("audience").viewers == 1
    await reader.close()
    await until(lambda: world.runtime.room("audience").viewers == 0)
