"""An open town hall on a real server, and people of every role connected to it."""

from typing import Any, cast
from uuid import uuid4

import aiohttp

from loadtests.client import Client, ticket
from protocol import commands as c
from protocol.names import StaffRole
from protocol.refusals import Refusal
from protocol.setup import Setup
from server.app import Node
from server.gateway.staff import everybody, hand_out
from server.halls.runtime import Runtime
from server.http.organiser import known
from tests.town import ORGANISER, SETUP
from tests.waiting import until

CODE = "TESTED"


class Person(Client):
    """A client that keeps all it was sent."""

    def __init__(self, session: aiohttp.ClientSession, url: str, role: str, token: str, code: str = CODE) -> None:
        self.news: list[tuple[str, Any]] = []
        super().__init__(session, url, code, role, token, lambda name, body: self.news.append((name, body)))

    async def command(self, name: str, **payload: Any) -> Any:
        """The acknowledgement."""
        return await self.call(name, {"client_id": uuid4().hex, **payload})

    def fragments(self) -> list[Any]:
        """All fragments so far, of snapshots and frames."""
        return [fragment for _, body in self.news if isinstance(body, dict) for fragment in body.get("entries", ())]


class World:
    """`session` is the tests'; `people` are closed at the end."""

    def __init__(self, node: Node, session: aiohttp.ClientSession, runtime: Runtime) -> None:
        self.node = node
        self.session = session
        self.runtime = runtime
        self.people: list[Person] = []

    @classmethod
    async def make(cls, node: Node, session: aiohttp.ClientSession, setup: Setup = SETUP, *, opened: bool = True) -> "World":
        made = await node.gateway.directory.create(CODE, setup, ORGANISER, known(node.settings))
        assert isinstance(made, Runtime), made
        world = cls(node, session, made)
        await world.hand_out()
        if opened:
            await node.executor.execute(made, ORGANISER, None, c.OpenHall(client_id="open-the-hall"))
            await until(lambda: made.hall.phase == "open")
        return world

    async def hand_out(self) -> None:
        """A staff link for everybody in the setup."""
        before = len(self.runtime.hall.links)
        links = await hand_out(self.node.executor, self.node.links, self.runtime, everybody(self.runtime.hall, "ko"))
        assert not isinstance(links, Refusal), links
        await until(lambda: len(self.runtime.hall.links) >= before + len(links))

    def token(self, role: str, id: str) -> str:
        """A staff ticket."""
        links = self.runtime.hall.links
        link = next(name for name, link in links.items() if (link.role, link.id) == (role, id) and not link.revoked)
        return self.node.gateway.admission.staff_tickets.issue(CODE, cast(StaffRole, role), link)

    async def person(self, role: str = "audience", id: str = "") -> Person:
        """Somebody who has joined."""
        if role == "audience":
            token = await ticket(self.session, self.node.url, CODE)
        else:
            token = self.token(role, id or {"host": "host-1", "director": "d1", "overlay": "overlay"}[role])
        person = Person(self.session, self.node.url, role, token)
        await person.connect()
        self.people.append(person)
        return person

    async def close(self) -> None:
        for person in self.people:
            await person.close()
