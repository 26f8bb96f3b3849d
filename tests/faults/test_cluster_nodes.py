"""Two whole nodes on a real cluster: town halls on different servers, posting here and seeing there, one server gone."""

import contextlib
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from loadtests.client import Client, ticket
from protocol import commands as c
from server.app import Node, running
from server.halls.runtime import Runtime
from server.http.organiser import known
from server.settings import Settings
from tests.store.real_cluster import RealCluster
from tests.town import ORGANISER, SETUP
from tests.waiting import until


async def ready(session: aiohttp.ClientSession, node: Node) -> Any:
    async with session.get(f"{node.url}/readyz") as response:
        return await response.json()


async def test_posts_cross_nodes_and_one_server_takes_only_its_own_town_halls_along(tmp_path: Path) -> None:
    cluster = RealCluster(tmp_path / "cluster")
    await cluster.start()
    codes = [cluster.code_on(n) for n in range(3)]
    try:
        async with contextlib.AsyncExitStack() as stack:
            secret = str(tmp_path / "secret")
            a, b = [
                await stack.enter_async_context(
                    running(
                        Settings(port=0, data_dir=str(tmp_path / name), secret_file=secret, redis_url=cluster.url, drain_s=0.2)
                    )
                )
                for name in ("a", "b")
            ]
            session = await stack.enter_async_context(aiohttp.ClientSession())
            seen: dict[str, list[str]] = {code: [] for code in codes}
            posters, viewers = {}, {}
            for code in codes:
                made = await a.gateway.directory.create(code, SETUP, ORGANISER, known(a.settings))
                assert isinstance(made, Runtime), made
                await a.executor.execute(made, ORGANISER, None, c.OpenHall(client_id="open-the-hall"))

                def news(name: str, body: Any, code: str = code) -> None:
                    seen[code] += [one["text"] for one in body.get("entries", ()) if one["k"] == "message"]

                posters[code] = Client(session, a.url, code, "audience", await ticket(session, a.url, code))
                viewers[code] = Client(session, b.url, code, "audience", await ticket(session, b.url, code), news)
                for client in (posters[code], viewers[code]):
                    await client.connect()

            async def post(code: str, text: str) -> Any:
                return await posters[code].call("message:post", {"client_id": uuid4().hex, "text": text})

            for code in codes:
                assert (await post(code, "하나"))["ok"]
            await until(lambda: all(seen[code] == ["하나"] for code in codes))

            # Somebody whose connection is lost meanwhile gets what he missed, and nothing twice.
            await viewers[codes[0]].close()
            assert (await post(codes[0], "그동안"))["ok"]
            await viewers[codes[0]].connect()
            await until(lambda: seen[codes[0]] == ["하나", "그동안"])

            gone = cluster.masters[2]
            gone.signal(signal.SIGSTOP)

            async def told() -> bool:
                found = await ready(session, b)
                return bool(found["ok"] and any(codes[2] in warning for warning in found["warnings"]))

            await until(told, 60)
            assert (await post(codes[1], "여기는 된다"))["ok"]
            await until(lambda: seen[codes[1]] == ["하나", "여기는 된다"])
            refused = await post(codes[2], "저기는 안 된다")
            assert refused["error"]["code"] in ("not_saved", "unknown_outcome")
            gone.signal(signal.SIGCONT)

            async def well() -> bool:
                found = await ready(session, b)
                return bool(found["ok"] and not found["warnings"])

            await until(well, 60)

            async def taken() -> bool:
                return bool((await post(codes[2], "다시 된다"))["ok"])

            await until(taken, 60)
            await until(lambda: seen[codes[2]][-1] == "다시 된다")
            for client in (*posters.values(), *viewers.values()):
                await client.close()
    finally:
        await cluster.stop()
