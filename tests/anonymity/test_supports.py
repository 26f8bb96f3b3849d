"""Who supported what: whoever copies the data folder before closing reads of no two questions that one person supported both, and
after it nothing; the figures stay.
"""

import asyncio
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp

from protocol import commands as c
from protocol.refusals import Refusal
from server.app import Node, running
from server.settings import Settings
from server.store.erase import Eraser
from server.store.keys import Keys
from server.store.secrets import LENGTH
from tests.anonymity.test_canary import files
from tests.node.world import CODE, Person, World
from tests.store.plain import plain
from tests.store.test_supports import places, profiles
from tests.town import HOST, ORGANISER
from tests.waiting import until

PEOPLE, QUESTIONS, EACH = 40, 12, 4


def settings(folder: Path) -> Settings:
    return Settings(port=0, data_dir=str(folder), drain_s=0.2, fsync="no")


async def copied(node: Node, folder: Path) -> Path:
    """What whoever makes a copy of the store's folder has, once it was rewritten."""
    eraser = Eraser(node.store)
    eraser.rewrite_soon(CODE)
    await eraser.stop()
    return Path(shutil.copytree(Path(node.settings.data_dir) / "valkey", folder, ignore=shutil.ignore_patterns("*.sock")))


async def read(folder: Path, messages: Iterable[int]) -> tuple[int, list[frozenset[int]]]:
    """(supports, profiles) in a copy."""
    async with plain(folder) as store:
        found = await places(store, list(messages), CODE)
    return sum(map(len, found.values())), profiles(found)


async def supported(people: list[Person], questions: list[int]) -> list[frozenset[int]]:
    """What each has supported, some of it their own question."""
    chance = random.Random(3)
    truth = []
    for person in people:
        chosen = chance.sample(questions, EACH)
        truth.append(frozenset(chosen))
        acks = [await person.call("question:support", {"message": message, "on": True}) for message in chosen]
        assert all(ack["ok"] for ack in acks), acks
    return truth


async def export(world: World, name: str) -> bytes:
    async with world.session.get(
        f"{world.node.url}/api/v1/halls/{CODE}/export/{name}",
        headers={"Authorization": f"Bearer {world.node.links.organiser_key}"},
    ) as response:
        assert response.status == 200
        return await response.read()


async def test_no_profile_is_read_before_closing_nor_after_and_the_figures_stay(tmp_path: Path) -> None:
    async with running(settings(tmp_path / "data")) as node, aiohttp.ClientSession() as session:
        world = await World.make(node, session)
        people = [await world.person() for _ in range(PEOPLE)]
        questions = []
        for person in people[:QUESTIONS]:
            ack = await person.command("message:post", text="승진 심사 기준을 공개할 수 있습니까?", asked=True)
            questions.append(int(ack["seq"]))
        await until(lambda: questions[-1] in world.runtime.hall.messages)
        truth = await supported(people, questions)
        # Two are merged, one is removed, and one goes on air, where its figure is frozen.
        merged, into, removed, aired, *_ = questions

        async def do(command: c.Command) -> None:
            done = await node.executor.execute(
                world.runtime, ORGANISER if isinstance(command, c.CloseHall) else HOST, None, command
            )
            assert not isinstance(done, Refusal), done

        await do(c.MergeQuestion(client_id="merge-these", message=merged, into=into))
        await do(c.RemoveMessage(client_id="remove-this", message=removed, reason="off_topic"))
        await do(c.RouteQuestion(client_id="route-this-one", message=aired, director="d1"))
        await do(c.AirQuestion(client_id="air-this-one", message=aired))
        expected = {question: sum(question in chosen for chosen in truth) for question in questions}
        expected[into] = sum(not chosen.isdisjoint({merged, into}) for chosen in truth)
        await until(lambda: world.runtime.hall.on_air == aired)

        redis = node.store.of(CODE)
        key = await redis.hget(Keys(CODE).secrets, "support")
        before = [(await places(node.store, [question], CODE))[question] for question in questions]
        handles = {handle for found in before for handle in found if isinstance(handle, bytes)}
        assert len(key) == LENGTH and len(handles) == PEOPLE * EACH
        assert await read(await copied(node, tmp_path / "while-open"), questions) == (PEOPLE * EACH, [])

        await do(c.CloseHall(client_id="close-the-hall"))
        await until(lambda: node.gateway.directory.untied(CODE))
        folder = tmp_path / "data" / "valkey"

        async def gone() -> bool:
            content = files(folder)
            return key not in content and not any(handle in content for handle in handles)

        await until(gone, 30)
        assert await read(await copied(node, tmp_path / "closed"), questions) == (0, [])
        await until(lambda: {id: world.runtime.board.support.get(id, 0) for id in questions} == expected)
        told = [await export(world, name) for name in ("questions.csv", "record.jsonl", "report.html")]
        await world.close()

    async with running(settings(tmp_path / "data")) as node, aiohttp.ClientSession() as session:
        runtime = await node.gateway.directory.get(CODE)
        assert runtime is not None
        assert {id: runtime.board.support.get(id, 0) for id in questions} == expected
        again = World(node, session, runtime)
        assert [await export(again, name) for name in ("questions.csv", "record.jsonl", "report.html")] == told
        rows = [line.split(",") for line in told[0].decode("utf-8-sig").splitlines()]
        column = 7
        figures = {int(row[0]): row[column] for row in rows[1:]}
        assert figures == {id: str(expected[id]) for id in questions if id != removed}, "each question has its figure"


async def test_a_support_that_comes_while_the_town_hall_closes_is_counted_or_refused(world: World) -> None:
    person = await world.person()
    asked = int((await person.command("message:post", text="예산은 얼마입니까?", asked=True))["seq"])
    await until(lambda: asked in world.runtime.hall.messages)
    others = [await world.person() for _ in range(20)]
    node = world.node

    async def close() -> Any:
        await asyncio.sleep(0.005)
        done = await node.executor.execute(world.runtime, ORGANISER, None, c.CloseHall(client_id="close-the-hall"))
        await node.gateway.directory.closed(world.runtime)
        return done

    *acks, _ = await asyncio.gather(*(one.call("question:support", {"message": asked, "on": True}) for one in others), close())
    await until(lambda: node.gateway.directory.untied(CODE))
    figure = (await node.gateway.directory._support.counts(CODE, {asked: (asked,)}))[asked]
    assert figure >= sum(ack["ok"] for ack in acks if ack["ok"])
    assert {ack["error"]["code"] for ack in acks if not ack["ok"]} <= {"hall_closed"}
    assert not await node.store.of(CODE).exists(Keys(CODE).support(asked), Keys(CODE).secrets)
