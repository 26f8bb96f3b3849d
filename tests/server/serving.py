"""A real server on a real Valkey, on a free port of the loopback, and somebody who talks to it over HTTP."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec

from protocol.setup import Setup
from server.app import Node, running
from server.settings import Settings
from tests.town import SETUP
from tests.waiting import until


@dataclass(slots=True)
class Server:
    """A node, and somebody who talks to it over HTTP."""

    node: Node
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, token: str = "", **options: Any) -> tuple[int, Any]:
        """(status, JSON)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        async with self.session.request(method, self.node.url + path, headers=headers, **options) as response:
            return response.status, await response.json()

    @property
    def key(self) -> str:
        """The organiser's."""
        return self.node.links.organiser_key

    async def hall(self, code: str = "TESTED", setup: Setup = SETUP, *, opened: bool = True) -> str:
        """A town hall; its code."""
        body = {"code": code, "setup": msgspec.to_builtins(setup)}
        status, ack = await self.ask("POST", "/api/v1/halls", self.key, json=body)
        assert status == 200, ack
        if opened:
            await self.must(code, "organiser", self.key, "hall:open")
        return code

    async def ticket(self, code: str = "TESTED") -> str:
        """Of a new participant."""
        status, ack = await self.ask("POST", f"/api/v1/halls/{code}/join")
        assert status == 200, ack
        return str(ack["data"]["ticket"])

    async def new_link(self, role: str, code: str = "TESTED", id: str = "", label: str = "누구", **options: Any) -> Any:
        """A new staff link, as its maker is told it."""
        wanted = {"role": role, "label": label} | ({"id": id} if id else {})
        status, ack = await self.ask("POST", f"/api/v1/halls/{code}/links", self.key, json={"links": [wanted], **options})
        assert status == 200, ack
        made = ack["data"]["links"][0]
        runtime = await self.node.gateway.directory.get(code)
        assert runtime is not None
        await until(lambda: made["link"] in runtime.hall.links)
        return made

    async def exchange(self, url: str) -> tuple[int, Any]:
        """(status, Ack) of asking for a ticket with the address of a link."""
        address, _, secret = url.partition("#")
        role, code = address.rsplit("/", 2)[1:]
        return await self.ask("POST", f"/api/v1/halls/{code}/{role}/ticket", secret)

    async def link(self, role: str, code: str = "TESTED", id: str = "") -> str:
        """The ticket of a new staff link; of the first host or director where no id is given."""
        id = id or {"host": "host-1", "director": "d1", "overlay": ""}[role]
        status, ack = await self.exchange((await self.new_link(role, code, id))["url"])
        assert status == 200, ack
        return str(ack["data"]["ticket"])

    async def send(self, code: str, role: str, token: str, command: str, /, **payload: Any) -> tuple[int, Any]:
        """A command by POST."""
        body = {"command": command, "payload": {"client_id": uuid4().hex, **payload}}
        return await self.ask("POST", f"/api/v1/halls/{code}/{role}/commands", token, json=body)

    async def must(self, code: str, role: str, token: str, command: str, /, **payload: Any) -> Any:
        """The Ack of what has to work."""
        status, ack = await self.send(code, role, token, command, **payload)
        assert status == 200, ack
        return ack


@contextlib.asynccontextmanager
async def serving(folder: Path, **settings: Any) -> AsyncIterator[Server]:
    """A server on `folder`."""
    chosen = Settings(data_dir=str(folder), port=0, drain_s=0.5, **settings)
    # A connection that ends with its request does not hold up the server's stopping.
    connector = aiohttp.TCPConnector(force_close=True)
    async with running(chosen) as node, aiohttp.ClientSession(connector=connector) as session:
        yield Server(node, session)
