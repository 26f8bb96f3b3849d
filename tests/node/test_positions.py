"""R-13: whoever was not sent the last frame, though the node believes so, hears of it with the next heartbeat and asks for it."""

import pytest

from loadtests.client import ticket
from protocol.names import Role
from server.fanout.heartbeat import PING_S, PLACES_PER_S
from server.http import stream
from tests.node.feed import Feed
from tests.node.skips import beat, skipped, viewers
from tests.node.world import CODE, Person, World
from tests.waiting import until


def texts(person: Person) -> list[str]:
    """Of all messages that a person was shown, in order."""
    return [fragment["text"] for fragment in person.fragments() if fragment["k"] == "message"]


def test_everybody_hears_where_they_should_stand_within_25_s() -> None:
    assert PING_S + 1 / PLACES_PER_S < 25
    assert stream.KEEPALIVE_S < 25


@pytest.mark.parametrize("role", ["audience", "host", "overlay"])
async def test_whoever_misses_the_last_frame_is_whole_after_the_next_heartbeat(world: World, role: Role) -> None:
    poster = await world.person()
    people = [await world.person(role) for _ in range(20)]
    others = [await world.person(role) for _ in range(5)]
    if role == "overlay":
        await (await world.person("host")).command("overlay:ticker", on=True)
    await poster.command("message:post", text="모두가 본다")
    end = (world.runtime.epoch, (await poster.command("message:post", text="이것도"))["seq"])
    await until(lambda: all(person.position == end for person in (*people, *others)))
    with skipped(viewers(world, role)[:20]):
        ack = await poster.command("message:post", text="스무 명이 못 본 글")
        await until(lambda: all(viewer.stands == ack["seq"] for viewer in viewers(world, role)))
    end = (world.runtime.epoch, ack["seq"])
    await until(lambda: sum(person.position == end for person in world.people) == len(world.people) - 20)
    behind = [person for person in world.people if person.position != end]
    assert len(behind) == 20
    beat(world)
    await until(lambda: all(person.position == end for person in world.people))
    assert [person.gaps for person in behind] == [1] * 20
    assert all(texts(person).count("스무 명이 못 본 글") == 1 for person in world.people if person in (*people, *others))
    # From here on they are like the others.
    ack = await poster.command("message:post", text="다음 글")
    await until(lambda: all(person.position == (world.runtime.epoch, ack["seq"]) for person in world.people))
    beat(world)
    assert (await poster.command("message:post", text="끝"))["ok"]
    assert [person.gaps for person in behind] == [1] * 20
    assert not any(person.gaps for person in world.people if person not in behind)


async def test_a_snapshot_of_a_new_epoch_that_never_came_is_missed_too(world: World) -> None:
    person = await world.person()
    await until(lambda: person.position == (world.runtime.epoch, world.runtime.seq))
    with skipped(viewers(world)):
        world.runtime.epoch += 1
        for viewer in viewers(world):
            viewer.seq = world.runtime.seq
    beat(world)
    await until(lambda: person.position == (world.runtime.epoch, world.runtime.seq))
    assert person.gaps == 1
    assert [name for name, _ in person.news].count("view:reset") == 2


async def test_the_stream_tells_where_its_reader_should_stand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEPALIVE_S", 0.1)
    feed = Feed(world.session, world.node.url, CODE, "audience", await ticket(world.session, world.node.url, CODE))
    await feed.open()
    await until(lambda: feed.bodies("gauges:changed"))
    with skipped(viewers(world)):
        ack = await feed.post("message:post", text="흐름이 못 본 글")
        await until(lambda: viewers(world)[0].stands == ack["seq"])
    told = {"after": ack["seq"], "seq": ack["seq"], "entries": [], "epoch": world.runtime.epoch}
    await until(lambda: told in feed.bodies("view:changed"))
    # It is no place to resume from: whoever comes back by its last id gets what it missed.
    await feed.close()
    assert not feed.texts()
    await feed.open()
    await until(lambda: feed.texts() == ["흐름이 못 본 글"])
    await feed.close()
