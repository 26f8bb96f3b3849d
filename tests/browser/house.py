"""A town hall on a running server, and everything that is not done in a browser."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
import orjson

from loadtests.client import staff_ticket
from protocol.setup import Setup
from tests.faults.served import Served
from tests.town import SETUP

LONG = "구내식당과 통근버스 이야기를 함께 드립니다. 늦게까지 일하는 날에는 둘 다 이용할 수 없어 불편합니다! " * 6


@dataclass(slots=True)
class House:
    """`origin`: where browsers go, the server itself or a proxy before it."""

    http: aiohttp.ClientSession
    served: Served
    code: str
    origin: str
    links: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    issuer: str = ""
    """Its issuer's origin, where there is one."""

    def url(self, role: str, id: str = "") -> str:
        """Of a page: the link that an organiser hands out. `host` alone is the first host, and so on."""
        if role == "join":
            return f"{self.origin}/"
        if role == "organiser":
            return f"{self.origin}/organiser#{self.served.organiser}"
        key = next(key for key in self.links if key.startswith(f"{role}:{id}"))
        return self.links[key].replace(self.served.url, self.origin)

    async def create(
        self,
        setup: Setup = SETUP,
        *,
        opened: bool = True,
        kinds: Sequence[str] = (),
        admission: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """And learn the links. `kinds`: of eligibility, at the issuer beside the chat; none: whoever has the link takes part."""
        body: dict[str, Any] = {"code": self.code, "setup": msgspec.to_builtins(setup)}
        if kinds:
            self.issuer, key = await issue(self.http, self.served, self.code, kinds, self.origin)
            body["admission"] = {"issuer": key, **admission}
        made = await self._ask("POST", "/api/v1/halls", self.served.organiser, body)
        self.links = {f"{link['role']}:{link['id']}": link["url"] for link in made["data"]["made"]}
        self.links["audience:"] = made["data"]["audience_url"]
        if opened:
            await self.act("organiser", "hall:open")

    async def act(self, who: str, command: str, /, **payload: Any) -> int:
        """A command of `organiser`, `host:ID` or `director:ID` that has to work; its seq."""
        role = who.partition(":")[0]
        token = self.served.organiser if role == "organiser" else await self._staff(who)
        ack = await self._ask("POST", f"{self._base}/{role}/commands", token, _command(command, payload))
        return int(ack["seq"])

    async def _staff(self, who: str) -> str:
        """The ticket of a staff link, changed once."""
        if who not in self.tickets:
            key = next(key for key in self.links if key.startswith(who))
            self.tickets[who] = await staff_ticket(self.http, self.links[key])
        return self.tickets[who]

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

    async def vote(self, poll: int, choice: int, *, ticket: str = "") -> None:
        """Of a participant, by default of a new one."""
        body = {"command": "poll:vote", "payload": {"poll": poll, "choice": choice}}
        await self._ask("POST", f"{self._base}/audience/commands", ticket or await self.ticket(), body)

    async def exported(self, name: str) -> str:
        """A file of the record, as the organiser gets it."""
        headers = {"Authorization": f"Bearer {self.served.organiser}"}
        async with self.http.get(f"{self.served.url}{self._base}/export/{name}", headers=headers) as response:
            assert response.status == 200
            return await response.text("utf-8-sig")

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


async def issue(
    http: aiohttp.ClientSession, served: Served, code: str, kinds: Sequence[str], chat: str
) -> tuple[str, dict[str, Any]]:
    """A new issuance at the issuer beside `served`: its origin, and the card to carry to the chat. `chat`: its origin."""
    told = re.search(r"issuer: (\S+)/organiser#(\S+)", served.said)
    assert told is not None
    body = {"title": "만남의 날", "chat_url": chat, "kinds": list(kinds), "code": code}
    headers = {"Authorization": f"Bearer {told[2]}"}
    async with http.post(f"{told[1]}/api/v1/issuances", json=body, headers=headers) as response:
        made = await response.json()
    assert made["ok"], made
    return told[1], made["data"]["issuer"]


def _command(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"command": name, "payload": {"client_id": uuid4().hex, **payload}}


async def live_in(house: House) -> None:
    """Messages short, long (300 letters) and held; a question of each fate, one on air; somebody muted; a ticker.

    Two polls are closed, one of them with a result, and one is open.
    """
    host = "host:host-1"
    texts = [LONG[:300], "W" * 300, *(f"{number}번째 짧은 글" for number in range(18))]
    await asyncio.gather(*(house.post(text) for text in texts))
    fates = ("asked", "queued", "second", "air", "answered", "deferred", "declined", "merged")
    asked = {fate: await house.post(f"{fate}: {LONG}"[:300], asked=True) for fate in fates}
    for fate in ("queued", "second", "air", "answered", "deferred"):
        await house.act(host, "question:route", message=asked[fate], director="d1")
    await house.act("director:d1", "question:accept", message=asked["air"])
    await house.act("director:d1", "question:return", message=asked["second"], reason=LONG[:200])
    await house.act("director:d1", "question:answer", message=asked["answered"], text=LONG * 3)
    await house.act(host, "question:defer", message=asked["deferred"], due="2030-01-31", note=LONG[:200])
    await house.act(host, "question:decline", message=asked["declined"], reason="under_law", note=LONG[:200])
    await house.act(host, "question:merge", message=asked["merged"], into=asked["air"])
    await house.act(host, "question:preview", message=asked["queued"])
    await house.act(host, "question:air", message=asked["air"])
    await house.act("director:d1", "answer:start", message=asked["air"])
    removed = await house.post("삭제될 글")
    await house.act(host, "message:remove", message=removed, reason="off_topic")
    await house.act(host, "author:mute", message=removed, reason="spam", seconds=600)
    await house.post("자동으로 보류될 글 010-1234-5678")
    await house.act(host, "overlay:ticker", on=True)
    for question, choices, voters in (("fewer than five", ("A", "B"), 3), (LONG, [f"{n} {LONG}"[:80] for n in range(6)], 7)):
        poll = await house.act(host, "poll:open", question=question[:300], choices=choices)
        for voter in range(voters):
            await house.vote(poll, voter % 2)
        await house.act(host, "poll:close", poll=poll)
    poll = await house.act(host, "poll:open", question=LONG[:300], choices=[f"{n} {LONG}"[:80] for n in range(6)])
    for voter in range(12):
        await house.vote(poll, voter % 3)
    await house.act(host, "overlay:poll", on=True)
