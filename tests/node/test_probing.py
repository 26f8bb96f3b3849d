"""Over HTTP, byte for byte: what one may not see is answered as what does not exist, and costs no question to the store."""

from typing import Any

import pytest

from tests.node.world import CODE, World
from tests.waiting import until

NONE = 99_999


async def raw(world: World, role: str, token: str, command: str, **payload: Any) -> bytes:
    """The whole answer."""
    url, headers = f"{world.node.url}/api/v1/halls/{CODE}/{role}/commands", {"Authorization": f"Bearer {token}"}
    async with world.session.post(url, json={"command": command, "payload": payload}, headers=headers) as answer:
        kept = [f"{name}: {value}" for name, value in sorted(answer.headers.items()) if name not in ("Date", "Content-Length")]
        return "\n".join([str(answer.status), *kept]).encode() + await answer.read()


async def test_what_is_hidden_is_answered_as_what_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    author, other, host = await world.person(), await world.person(), await world.person("host")
    hidden = {"open": 2}
    for state in ("plain", "question", "held", "removed", "routed"):
        ack = await author.command(
            "message:post", text=f"{state} 010-1234-5678" if state == "held" else state, asked=state != "plain"
        )
        hidden[state] = ack["seq"]
    await until(lambda: hidden["routed"] in world.runtime.hall.messages)
    assert (await host.command("message:remove", message=hidden["removed"], reason="spam"))["ok"]
    assert (await host.command("question:route", message=hidden["routed"], director="d2"))["ok"]
    await until(lambda: world.runtime.hall.messages[hidden["routed"]].director == "d2")
    assert world.runtime.hall.messages[hidden["held"]].state == "held"

    async def unreachable(*_: object) -> int:
        raise AssertionError("the store was asked for the figures of a message that is not theirs")

    monkeypatch.setattr(world.node.executor._gauges, "count_union", unreachable)
    their, d1 = other._token, world.token("director", "d1")
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("audience", their, "message:withdraw", {"client_id": "probe-number-1"}),
        ("audience", their, "message:stored", {}),
        ("director", d1, "question:finish", {"client_id": "probe-number-2"}),
        ("director", d1, "question:accept", {"client_id": "probe-number-3"}),
        ("director", d1, "question:answer", {"client_id": "probe-number-4", "text": "답"}),
        ("director", d1, "question:defer", {"client_id": "probe-number-5", "due": "2099-01-01"}),
        ("director", d1, "question:return", {"client_id": "probe-number-6", "reason": "소관 아님"}),
        ("director", d1, "answer:start", {"client_id": "probe-number-7"}),
    ]
    for role, token, command, more in asked:
        nothing = await raw(world, role, token, command, message=NONE, **more)
        assert b"not_yours" in nothing
        for state, id in hidden.items():
            assert await raw(world, role, token, command, message=id, **more) == nothing, (command, state)

    # What is visible may be supported; for all else there is one answer.
    nothing = await raw(world, "audience", their, "question:support", message=NONE, on=True)
    for state in ("open", "plain", "held", "removed"):
        assert await raw(world, "audience", their, "question:support", message=hidden[state], on=True) == nothing, state
    found = await other.call("message:check", {"messages": [NONE, *hidden.values()]})
    assert {str(one) for one in found["data"]["states"].values()} == {str({"state": "unknown"})}
