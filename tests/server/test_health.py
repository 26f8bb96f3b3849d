"""Alive and ready: what a load balancer is told, and what the program says about itself."""

import os
import signal
from typing import Any

import pytest

from server.http import built
from tests.server.serving import Server
from tests.waiting import until


async def problems(server: Server) -> list[str]:
    status, body = await server.ask("GET", "/readyz")
    assert (status == 200) == body["ok"] == (not body["problems"])
    return list(body["problems"])


async def test_health_names_the_versions(server: Server) -> None:
    status, body = await server.ask("GET", "/healthz")
    assert status == 200 and set(body) == {"ok", "version", "store"}
    assert body["store"] == server.node.store.version


async def test_it_is_ready_once_the_log_is_followed(server: Server) -> None:
    async def ready() -> bool:
        return not await problems(server)

    await until(ready)


async def test_it_is_not_ready_while_the_store_is_stopped_and_ready_after(server: Server) -> None:
    assert server.node.valkey is not None
    pid = server.node.valkey.pid

    async def said() -> list[str]:
        return await problems(server)

    async def silent() -> bool:
        return not await said()

    await until(silent)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert "the log is not followed" in (await until(said))[0]
        assert (await server.ask("GET", "/healthz"))[0] == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(silent)


async def test_it_is_not_ready_while_it_drains_or_the_disk_fills(server: Server) -> None:
    assert server.node.valkey is not None
    server.node.gateway.draining = True
    assert "stopping" in await problems(server)
    server.node.gateway.draining = False
    server.node.valkey.disk_alarm = True
    assert any("disk" in problem for problem in await problems(server))


async def test_without_pages_it_says_so_and_serves_the_rest(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "folder", lambda: None)
    assert "the pages are not built" in await problems(server)
    assert (await server.ask("GET", "/healthz"))[0] == 200


async def test_a_town_hall_that_stopped_is_a_warning_only(server: Server) -> None:
    await server.hall()
    await server.hall("OTHER")

    async def ready() -> bool:
        return not await problems(server)

    await until(ready)
    runtime: Any = await server.node.gateway.directory.get("TESTED")
    runtime.stop("entry 1: for this test")
    status, body = await server.ask("GET", "/readyz")
    assert (status, body["warnings"]) == (200, ["town hall TESTED has stopped"])
    status, ack = await server.ask("GET", "/api/v1/halls/TESTED")
    assert (status, ack["error"]["code"]) == (503, "hall_stopped")
    assert (await server.ask("GET", "/api/v1/halls/OTHER"))[0] == 200
