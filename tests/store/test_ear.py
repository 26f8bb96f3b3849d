"""Hearing through a link that breaks while channels come and go."""

import asyncio
from pathlib import Path

from loadtests.recovery.fault_proxy import FaultProxy
from server.store.client import connect
from server.store.ear import Ear
from server.store.embedded import EmbeddedValkey
from tests.waiting import until

CUTS = 60


async def test_a_link_that_breaks_while_channels_come_and_go_raises_nothing_and_is_heard_again(
    valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    proxy = FaultProxy(valkey.socket, tmp_path / "broken.sock")
    await proxy.start()
    store = await connect(valkey.url.replace(str(valkey.socket), str(proxy.listen)))
    direct = await connect(valkey.url)
    heard: set[bytes] = set()
    ear = Ear(store, store.shards()[0], lambda channel, _: heard.add(channel), lambda: None)
    ear.start()
    kept = [(f"th:{{kept-{number}}}",) for number in range(20)]

    async def come_and_go(number: int) -> None:
        while not done.is_set():
            await ear.subscribe((f"th:{{gone-{number}}}",))
            await ear.unsubscribe((f"th:{{gone-{number}}}",))
            await asyncio.sleep(0)

    done = asyncio.Event()
    try:
        await until(lambda: ear.hears)
        restless = [asyncio.create_task(come_and_go(number)) for number in range(8)]
        for number in range(CUTS):
            if number % 3 == 0:
                await ear.subscribe(kept[number // 3])
            proxy.cut()
            await asyncio.sleep(0.01)
        done.set()
        await asyncio.gather(*restless)  # none of them has raised

        async def all_heard() -> bool:
            for (channel,) in kept:
                await direct.where(channel).redis.execute_command("SPUBLISH", channel, b"x")
            return heard >= {channel.encode() for (channel,) in kept}

        async with asyncio.timeout(10):
            while not await all_heard():
                await asyncio.sleep(0.05)
        assert not any(b"gone" in channel for channel in heard)
    finally:
        done.set()
        await ear.stop()
        await store.close()
        await direct.close()
        await proxy.stop()
