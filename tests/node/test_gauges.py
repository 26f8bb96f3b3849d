"""Who is told which figures: of a question that is held or removed nobody but the host, with the snapshot or as they change."""

from typing import Any

from protocol import commands as c
from protocol.refusals import Refusal
from tests.node.world import Person, World
from tests.town import HOST
from tests.waiting import until

ROLES = ("audience", "director", "overlay", "host")


def told(person: Person) -> list[dict[str, Any]]:
    """Supports of all gauges that they were sent, in order."""
    return [body["support"] for name, body in person.news if name == "gauges:changed" and body.get("support")]


async def do(world: World, command: c.Command) -> None:
    done = await world.node.executor.execute(world.runtime, HOST, None, command)
    assert not isinstance(done, Refusal), done


async def everybody(world: World) -> dict[str, Person]:
    found = {role: await world.person(role) for role in ROLES}
    await until(lambda: all(any(name == "gauges:changed" for name, _ in person.news) for person in found.values()))
    return found


async def test_figures_of_what_is_held_or_removed_reach_the_host_alone(world: World) -> None:
    author, others = await world.person(), [await world.person() for _ in range(4)]
    held, removed, shown = [
        int((await author.command("message:post", text=f"예산은 얼마입니까? {n}", asked=True))["seq"]) for n in range(3)
    ]
    await until(lambda: shown in world.runtime.hall.messages)
    there = await everybody(world)
    for message in (held, removed, shown):
        assert (await others[0].call("question:support", {"message": message, "on": True}))["ok"]
    await until(lambda: all(str(shown) in str(told(one)) for one in there.values()))
    await do(world, c.HoldMessage(client_id="hold-this-one", message=held))
    await do(world, c.RemoveMessage(client_id="remove-this-one", message=removed, reason="off_topic"))
    for message in (held, removed):
        assert (await others[1].call("question:support", {"message": message, "on": True}))["error"]["code"] == "no_such_message"

    # Live: as it is published by a node that does not know yet that it was hidden.
    hidden = {str(held), str(removed)}
    before = {role: len(told(person)) for role, person in there.items()}
    world.runtime.board.put(held, 77)
    world.runtime.board.put(removed, 78)
    assert (await others[1].call("question:support", {"message": shown, "on": True}))["ok"]
    await until(lambda: all({str(shown): 2}.items() <= dict(told(one)[-1]).items() for one in there.values()))
    for role, person in there.items():
        since = [name for support in told(person)[before[role] :] for name in support]
        assert (hidden <= set(since)) == (role == "host"), role
        assert role == "host" or not hidden & set(since), role

    # With the snapshot.
    for role, person in (await everybody(world)).items():
        assert set(told(person)[0]) == ({str(shown)} | hidden if role == "host" else {str(shown)}), role

    # Whoever came meanwhile hears of it once it is public again.
    late = await world.person()
    await do(world, c.PublishMessage(client_id="release-this-one", message=held))
    await until(lambda: any(support.get(str(held)) == 77 for support in told(late)))
    assert all(str(removed) not in support for support in told(late))
