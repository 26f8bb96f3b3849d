"""W-01: role × command × object, over the wire: only the cells of the table succeed, and only on what is one's own."""

from typing import Any

import pytest

from moderation.permissions import allowed
from protocol.commands import COMMANDS
from protocol.limits import limit
from server.fanout import ring as ring_module
from tests.node.feed import Feed
from tests.node.world import CODE, Person, World
from tests.waiting import until

FIELDS: dict[str, dict[str, Any]] = {
    "message:post": {"text": "글"},
    "message:remove": {"reason": "spam"},
    "author:mute": {"reason": "spam"},
    "author:unmute": {"author": "0" * 16},
    "question:move": {"position": 0},
    "question:route": {"director": "d1"},
    "question:merge": {"into": 1},
    "question:defer": {"due": "2099-12-31"},
    "question:decline": {"reason": "other"},
    "question:answer": {"text": "답변드립니다."},
    "question:return": {"reason": "소관이 아닙니다."},
    "chat:slow": {"seconds": 0},
    "chat:mode": {"mode": "open"},
    "overlay:ticker": {"on": True},
    "overlay:key": {"on": True},
    "links:renew": {"role": "overlay"},
}


def payload(name: str, message: int) -> dict[str, Any]:
    """A right one about `message`, where the command names one."""
    named = {"message": message} if "message" in COMMANDS[name].__struct_fields__ else {}
    return {**named, **FIELDS.get(name, {})}


@pytest.mark.parametrize("role", ["audience", "host", "director", "overlay", "organiser"])
async def test_every_command_that_is_not_the_roles_own_is_refused_by_post_too(world: World, role: str) -> None:
    asker = await world.person()
    id = (await asker.command("message:post", text="질문입니다", asked=True))["seq"]
    token = {
        "audience": asker._token,
        "organiser": world.node.links.organiser_key,
    }.get(role) or world.token(role, {"host": "host-1", "director": "d1", "overlay": "overlay"}[role])
    feed = Feed(world.session, world.node.url, CODE, role, token)
    await until(lambda: world.runtime.seq == id)
    for name in COMMANDS:
        if name == "hall:configure" or allowed(role, name, "open"):  # type: ignore[arg-type]  # the role of a parameter
            continue
        ack = await feed.post(name, **payload(name, id))
        expected = {"wrong_phase"} if role in COMMANDS[name].roles else {"not_allowed"}
        assert {ack["error"]["code"]} == expected, name
    assert world.runtime.seq == id


async def test_a_director_acts_only_on_what_is_routed_to_them(world: World) -> None:
    asker, host = await world.person(), await world.person("host")
    mine, theirs = await world.person("director", "d1"), await world.person("director", "d2")
    id = (await asker.command("message:post", text="질문입니다", asked=True))["seq"]
    done = await host.command("question:route", message=id, director="d1")
    for on_air, names in (
        (False, ("question:accept", "question:return", "question:defer", "question:answer")),
        (True, ("question:accept", "question:return", "question:defer", "answer:start", "question:finish")),
    ):
        if on_air:
            done = await host.command("question:air", message=id)
        await until(lambda done=done: world.runtime.seq >= done["seq"])
        assert (world.runtime.hall.on_air == id) is on_air
        before = world.runtime.seq
        for name in names:
            ack = await theirs.command(name, **payload(name, id))
            assert (ack["ok"], ack["error"]["code"]) == (False, "not_yours"), name
        assert world.runtime.seq == before
    assert not any(fragment["k"] == "question" for fragment in theirs.fragments())
    assert (await mine.command("question:accept", message=id))["ok"]


async def test_a_participant_takes_back_only_their_own(world: World) -> None:
    author, other = await world.person(), await world.person()
    id = (await author.command("message:post", text="내 글"))["seq"]
    await until(lambda: world.runtime.seq == id)
    assert (await other.command("message:withdraw", message=id))["error"]["code"] == "not_yours"
    asked = await other.call("message:check", {"messages": [id]})
    assert asked["data"]["states"] == {str(id): {"state": "unknown"}}
    assert (await author.command("message:withdraw", message=id))["ok"]


async def test_a_page_that_was_away_longer_than_the_ring_reaches_gets_all_of_it_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-14."""
    monkeypatch.setattr(ring_module, "limit", lambda name: 5 if name == "ring_entries" else limit(name))
    person, staying = await world.person(), await world.person()
    await until(lambda: person.position)
    await person.close()
    for number in range(8):
        poster: Person = staying if number < 4 else await world.person()
        ack = await poster.command("message:post", text=f"글 {number}")
        assert ack["ok"]
    # What is acknowledged is in the log, and perhaps not applied here yet.
    await until(lambda: staying.position == (world.runtime.epoch, ack["seq"]))
    person.news.clear()
    await person.connect()
    await until(lambda: any(name == "view:reset" for name, _ in person.news))
    assert dict(person.news)["hall:joined"].get("resumed", False) is False
    assert [f["text"] for f in person.fragments() if f["k"] == "message"] == [f"글 {number}" for number in range(8)]
    assert person.position == staying.position
