"""S-08: payloads made from each command's own schema, right and slightly wrong: nothing raises, nothing refused has an effect."""

import asyncio
import copy
import json
import os
import time
from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, given, settings

from protocol import wire
from protocol.commands import COMMANDS, QUERIES, Join, names_for
from protocol.frames import Ack
from protocol.names import Role
from protocol.refusals import REFUSALS, Refusal
from protocol.schema import schema
from server.buckets import Buckets
from server.gateway.gateway import Session
from tests.node.world import CODE, World
from tests.protocol.test_wire import ANYTHING
from tests.town import SETUP
from tests.waiting import until

DEFS: dict[str, Any] = schema()["$defs"]
TYPES: dict[str, str] = schema()["x-townhall"]["commands"]
ROLES: tuple[Role, ...] = ("audience", "host", "director", "organiser")
EXAMPLES = 12
"""Of each command, in each round; there is one at least."""
SECONDS = float(os.environ.get("FUZZ_SECONDS", "30"))
"""Rounds go on for so long, each with examples of its own."""
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1.5, 2**53, 2**63, 10**30, "", "x" * 300, "\ud800", "\x00", "가" * 41_000, [], {}, [[[]]]]
)


def from_schema(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a JSON Schema node of ours allows."""
    if "$ref" in node:
        return from_schema(DEFS[node["$ref"].rpartition("/")[2]])
    if "anyOf" in node:
        return st.one_of(*(from_schema(part) for part in node["anyOf"]))
    if "enum" in node:
        return st.sampled_from(node["enum"])
    match node.get("type"):
        case "object":
            needed = {name: from_schema(part) for name, part in node["properties"].items() if name in node.get("required", ())}
            rest = {name: from_schema(part) for name, part in node["properties"].items() if name not in needed}
            return st.fixed_dictionaries(needed, optional=rest)
        case "array" if "prefixItems" in node:
            return st.tuples(*map(from_schema, node["prefixItems"])).map(list)
        case "array":
            most = min(node.get("maxItems", 3), 3)
            return st.lists(from_schema(node.get("items", {})), min_size=min(node.get("minItems", 0), most), max_size=most)
        case "integer":
            return st.integers(1, 12) | st.integers(node.get("minimum", 0), node.get("maximum", 2**53 - 1))
        case "string" if "pattern" in node:
            return st.from_regex(node["pattern"], fullmatch=True)
        case "string":
            return st.text(min_size=node.get("minLength", 0), max_size=min(node.get("maxLength", 40), 40))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return ANYTHING


def payloads(name: str) -> st.SearchStrategy[Any]:
    """Right ones, and right ones with one field made odd, left out or added; and anything at all."""
    right = from_schema(DEFS[TYPES[name]])
    odd = st.tuples(right, st.sampled_from([*DEFS[TYPES[name]]["properties"], "more", "command"]), ODD).map(
        lambda made: {**made[0], made[1]: made[2]}
    )
    short = right.filter(bool).flatmap(
        lambda made: st.sampled_from(sorted(made)).map(lambda left: {key: made[key] for key in made if key != left})
    )
    return right | right | right | odd | short | ANYTHING


async def test_no_payload_of_any_schema_raises_or_changes_anything_unless_it_is_accepted(world: World) -> None:
    person = await world.person()
    for number in range(5):
        await person.command("message:post", text=f"글 {number}", asked=number % 2 == 0)
    gateway = world.node.gateway
    for buckets in ("_posts", "_supports", "_staff"):
        setattr(gateway, buckets, Buckets(10.0**9, 1.0))
    sessions: dict[Role, Session] = {}

    async def come_in() -> None:
        tokens = {
            "audience": person._token,
            "host": world.token("host", "host-1"),
            "director": world.token("director", "d1"),
            "organiser": world.node.links.organiser_key,
        }
        for role in ROLES:
            session = await gateway.join(role, Join(code=CODE, token=tokens[role]))
            assert isinstance(session, Session)
            sessions[role] = session

    await come_in()
    loop = asyncio.get_running_loop()
    raised: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: raised.append(context))
    seen: set[str] = set()

    async def one(role: Role, name: str, payload: Any) -> Ack:
        before, hall = world.runtime.seq, copy.deepcopy(world.runtime.hall)
        ack = await gateway.answer(sessions[role], name, payload)
        if ack.ok:
            await until(lambda: world.runtime.seq >= (ack.seq or 0))
        else:
            assert world.runtime.seq == before
            assert world.runtime.hall == hall
        return ack

    async def make_good(name: str) -> None:
        """What was accepted has taken the staff's links or places away: the rest would be refused for that alone."""
        if name == "hall:configure":
            setup = msgspec.to_builtins(SETUP)
            assert (await one("organiser", name, {"client_id": uuid4().hex, "setup": setup})).ok
        if name in ("links:renew", "link:revoke"):
            await world.hand_out()
            await come_in()

    def check(name: str, role: Role, payload: Any) -> None:
        # Ending the town hall would end the fuzzing.
        if name == "hall:close":
            payload = {"client_id": 7}
        try:
            payload = wire.loads(json.dumps(payload))
        except wire.BadJson:
            return  # such a frame ends the connection; it is no command
        if not isinstance(wire.command(name, payload), Refusal) and "client_id" in payload:
            payload["client_id"] = uuid4().hex  # or most would be told that the id is known
        ack = asyncio.run_coroutine_threadsafe(one(role, name, payload), loop).result(60)
        found = wire.command(name, payload)
        if name not in names_for(role):
            assert ack.error is not None
            assert ack.error.code == "not_allowed"
        elif isinstance(found, Refusal):
            assert ack.error is not None
            assert ack.error.code == "bad_request"
        if ack.error is not None:
            assert ack.error.code in REFUSALS
            assert ack.error.code != "internal", payload
            assert ack.error.message
            seen.add(ack.error.code)
        else:
            seen.add(name)
            asyncio.run_coroutine_threadsafe(make_good(name), loop).result(60)

    def fuzz() -> None:
        for name in sorted((*COMMANDS, *QUERIES)):
            mine = [role for role in ROLES if name in names_for(role)]

            @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
            @given(st.sampled_from(mine * 4 + list(ROLES)), payloads(name))
            def one_command(role: Role, payload: Any) -> None:
                check(name, role, payload)  # noqa: B023 - it is called before the next name comes

            one_command()

    rounds, ends = 0, time.monotonic() + SECONDS
    while rounds == 0 or time.monotonic() < ends:
        await asyncio.to_thread(fuzz)
        rounds += 1
    print(f"{rounds} rounds of {EXAMPLES} examples of each of {len({*COMMANDS, *QUERIES})} commands")
    assert raised == []
    # It came through: many commands were accepted, and many refused by rules, not only by their form.
    assert len(seen & {*COMMANDS, *QUERIES}) >= 6, seen
    assert len(seen & set(REFUSALS)) >= 5, seen
