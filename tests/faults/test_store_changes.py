"""The store comes back, or an older copy of it does: what those who look on are shown."""

import asyncio
import os
import shutil
import signal
import time
from pathlib import Path

import aiohttp

from server.app import running
from server.settings import Settings
from server.store.embedded import EmbeddedValkey
from tests.node.world import World
from tests.waiting import until


def settings(valkey: EmbeddedValkey, folder: Path) -> Settings:
    return Settings(port=0, data_dir=str(folder / "node"), redis_url=valkey.url, drain_s=0.2)


async def test_a_town_hall_that_is_read_afresh_is_never_half_there(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session, running(settings(valkey, tmp_path)) as node:
        world = await World.make(node, session)
        person = await world.person()
        for number in range(5):
            assert (await person.command("message:post", text=f"글 {number}"))["ok"]
        runtime = world.runtime
        # Also the person has all five: what is still on its way would count as news of the epoch that follows.
        await until(lambda: len(runtime.hall.messages) == 5 and person.position == (runtime.epoch, runtime.seq))
        epoch, resets = runtime.epoch, len(person.news)
        os.kill(valkey.pid, signal.SIGKILL)
        ends, seen = time.monotonic() + 60, set()
        while runtime.epoch == epoch or not any(name == "view:reset" for name, _ in person.news[resets:]):
            assert time.monotonic() < ends
            seen.add((runtime.hall.code, runtime.hall.phase, len(runtime.hall.messages)))
            await asyncio.sleep(0)
        # Whoever came or posted in between was judged on the whole of it, and nobody was shown a part.
        assert seen == {(runtime.code, "open", 5)}
        # What covers nothing only says where they stood.
        again = [body for name, body in person.news[resets:] if name in ("view:reset", "view:changed") and body["entries"]]
        assert len(again) == 1
        assert sum(fragment["k"] == "message" for fragment in again[0]["entries"]) == 5
        await world.close()


async def test_the_store_replaced_by_an_older_copy_leaves_no_ghosts(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "valkey"
    async with aiohttp.ClientSession() as session, running(settings(valkey, tmp_path)) as node:
        world = await World.make(node, session)
        watching, away = await world.person(), await world.person()
        for number in range(3):
            assert (await watching.command("message:post", text=f"남는 글 {number}"))["ok"]
        shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("*.sock"))
        gone = [(await away.command("message:post", text=f"사라질 글 {number}"))["seq"] for number in range(3)]
        await until(lambda: watching.position is not None and watching.position[1] == gone[-1] == world.runtime.seq)
        epoch = world.runtime.epoch
        away.position = watching.position
        await away.close()
        await valkey.stop()
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "copy", folder)
        older = EmbeddedValkey(tmp_path / "data")
        await older.start()
        try:
            await until(lambda: watching.position is not None and watching.position[0] > epoch, 60)
            # The number of a message that is lost is given again, in another epoch.
            ack = await watching.command("message:post", text="새 글")
            assert ack["seq"] == gone[0]
            await away.connect()
            await until(lambda: watching.position == away.position == (world.runtime.epoch, ack["seq"]))
            for person in (watching, away):
                last = max(place for place, (name, _) in enumerate(person.news) if name == "view:reset")
                shown = [f["text"] for _, body in person.news[last:] for f in body.get("entries", ()) if f["k"] == "message"]
                assert shown == ["남는 글 0", "남는 글 1", "남는 글 2", "새 글"]
            assert [m.text for m in world.runtime.hall.messages.values()] == shown
            await world.close()
        finally:
            await older.stop()
