"""A town hall on a running server, and everything that is not done in a browser."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
import orjson

from protocol.setup import Setup
from tests.faults.served import Served
from tests.town import SETUP


@dataclass(slots=True)
class House:
    """`origin`: where browsers go, the server itself or a proxy before it."""

    http: aiohttp.ClientSession
    served: Served
    code: str
    origin: str
    links: dict[str, str] = field(default_factory=dict)

    def url(self, role: str, id: str = "") -> str:
        """Of a page: the link that an organiser hands out. `host` alone is the first host, and so on."""
        if role == "join":
            return f"{self.origin}/"
        if role == "organiser":
            return f"{self.origin}/organiser#{self.served.organiser}"
        key = next(key for key in self.links if key.startswith(f"{role}:{id}"))
        return self.links[key].replace(self.served.url, self.origin)

    async def create(self, setup: Setup = SETUP, *, opened: bool = True) -> None:
        """And learn the links."""
        made = await self._ask(
            "POST", "/api/v1/halls", self.served.organiser, {"code": self.code, "setup": msgspec.to_builtins(setup)}
        )
        self.links = {f"{link['role']}:{link['id']}": link["url"] for link in made["data"]["links"]}
        if opened:
            await self.act("organiser", "hall:open")

    async def act(self, who: str, command: str, /, **payload: Any) -> int:
        """A command of `organiser`, `host:ID` or `director:ID` that has to work; its seq."""
        role = who.partition(":")[0]
        token = self.served.organiser if role == "organiser" else self.url(*who.split(":")).partition("#")[2]
        ack = await self._ask("POST", f"{self._base}/{role}/commands", token, _command(command, payload))
        return int(ack["seq"])

    async def ticket(self) -> str:
        """Of a new participant."""
        ack = await self._ask("POST", f"{self._base}/join", "", None)
        return str(ack["data"]["ticket"])

    async def post(self, text: str, *, asked: bool = False, ticket: str = "") -> int:
        """A message of a participant, by default of a new one; its id."""
        ticket = ticket or await self.ticket()
        ack = await self._ask(
            "POST", f"{self._base}/audience/commands", ticket, _command("message:post", {"text": text, "asked": asked})
        )
        return int(ack["seq"])

    @property
    def _base(self) -> str:
        return f"/api/v1/halls/{self.code}"

    async def _ask(self, method: str, path: str, token: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else orjson.dumps(body)
        async with self.http.request(method, self.served.url + path, headers=headers, data=data) as response:
            ack = await response.json()
        assert ack["ok"], ack
        return ack


def _command(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"command": name, "payload": {"client_id": uuid4().hex, **payload}}
