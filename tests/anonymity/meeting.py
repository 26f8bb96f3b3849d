"""A chat and an issuer, each whole and on its own sockets, and people who go the way that their browsers would."""

import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from loadtests.blinding import Wallet
from loadtests.client import NotAdmitted
from loadtests.entry import b64, show, unb64
from moderation.context import Actor
from protocol import commands as c
from protocol.bus import unpack
from protocol.commands import QUERIES
from protocol.entries import ParticipantsAdmitted
from protocol.refusals import Refusal
from protocol.setup import Admission, EligibilityKind, Issuer
from server.app import Node
from server.app import running as chat_running
from server.halls.runtime import Runtime
from server.http.organiser import known
from server.issuer.eligibility import Issuance
from server.issuer.run import RunningIssuer
from server.issuer.run import running as issuer_running
from server.settings import Settings
from server.store.log import read_all
from tests.town import ORGANISER, SETUP
from tests.waiting import until

CODE = "SECRET"


class Fast:
    """A clock that runs `times` as fast as the real one, from the same moment."""

    def __init__(self, times: float) -> None:
        self._times = times
        self._began = time.time()
        self._from = time.monotonic()

    def __call__(self) -> float:
        return self._began + (time.monotonic() - self._from) * self._times


class Chat:
    """`nodes`: of the chat, on one store. `card`: of the issuer, wherever that runs."""

    def __init__(self, nodes: list[Node], card: Issuer, session: aiohttp.ClientSession) -> None:
        self.nodes = nodes
        self.card = card
        self.session = session

    @property
    def node(self) -> Node:
        return self.nodes[0]

    async def runtime(self, node: Node | None = None) -> Runtime:
        found = await (node or self.node).gateway.directory.get(CODE)
        assert found is not None
        return found

    async def do(self, actor: Actor, command: c.Command, node: Node | None = None) -> object:
        node = node or self.node
        return await node.executor.execute(await self.runtime(node), actor, uuid4().bytes, command)

    async def make(self, **admission: int) -> None:
        """The town hall at the chat, in draft."""
        made = await self.node.gateway.directory.create(
            CODE, SETUP, ORGANISER, known(self.node.settings), Admission(issuer=self.card, **admission)
        )
        assert not isinstance(made, Refusal), made

    async def open(self) -> None:
        """It begins, on all nodes."""
        await self.do(ORGANISER, c.OpenHall(client_id="open-the-hall"))
        for node in self.nodes:
            runtime = await self.runtime(node)
            await until(lambda runtime=runtime: runtime.hall.phase == "open")

    def wallet(self) -> Wallet:
        """Of a new browser."""
        return Wallet(CODE, unb64(self.card.key), waiting_spki=unb64(self.card.waiting_key))

    async def show(
        self, wallet: Wallet, node: Node | None = None, by: aiohttp.ClientSession | None = None, *, few: bool = False
    ) -> str:
        """A ticket. Raises NotAdmitted."""
        return await show(by or self.session, (node or self.node).url, wallet, few=few)

    async def refused(self, wallet: Wallet, node: Node | None = None, *, few: bool = False) -> str:
        """The code of why a token is not taken."""
        try:
            await self.show(wallet, node, few=few)
        except NotAdmitted as no:
            return str(no.data["code"])
        raise AssertionError("it was taken")

    async def send(
        self, ticket: str, command: str, node: Node | None = None, by: aiohttp.ClientSession | None = None, **payload: Any
    ) -> Any:
        """The acknowledgement of a participant's command, by POST."""
        if command not in QUERIES:
            payload = {"client_id": uuid4().hex, **payload}
        async with (by or self.session).post(
            f"{(node or self.node).url}/api/v1/halls/{CODE}/audience/commands",
            json={"command": command, "payload": payload},
            headers={"Authorization": f"Bearer {ticket}"} if ticket else {},
        ) as response:
            return await response.json()

    async def admitted(self, count: int, timeout_s: float = 30) -> None:
        """Wait until so many may post, on every node."""
        for node in self.nodes:
            runtime = await self.runtime(node)
            await until(lambda runtime=runtime: len(runtime.hall.admitted) >= count, timeout_s)


async def let_in_together(hall: Chat) -> list[tuple[str, ...]]:
    """Tags of those who were, from the log."""
    found = []
    async for _, body, text in read_all(hall.node.store, CODE):
        entry = unpack(body, text)
        if isinstance(entry, ParticipantsAdmitted):
            assert list(entry.authors) == sorted(entry.authors)
            found.append(entry.authors)
    return found


class Meeting(Chat):
    """A chat with its issuer at hand."""

    def __init__(self, nodes: list[Node], issuer: RunningIssuer, issuance: Issuance, session: aiohttp.ClientSession) -> None:
        waiting = b64(issuance.waiting_spki)
        card = Issuer(url=issuer.url, key=b64(issuance.spki), kinds=issuance.kinds, waiting_key=waiting)
        super().__init__(nodes, card, session)
        self.issuer = issuer
        self.issuance = issuance

    async def signed(self, person: bytes, wallet: Wallet | None = None) -> Wallet:
        """An entry for `person`, by the issuer's own code below its ways of being eligible."""
        wallet = wallet or self.wallet()
        answer = await self.issuer.issuances.sign_all(self.issuance, [person], wallet.ask(), wallet.ask_waiting())
        assert not isinstance(answer, Refusal), answer
        wallet.take(answer[0], answer[1:])
        return wallet


@contextlib.asynccontextmanager
async def meeting(
    folder: Path,
    *,
    nodes: int = 1,
    kinds: tuple[EligibilityKind, ...] = ("open",),
    wall: Callable[[], float] = time.time,
) -> AsyncIterator[Meeting]:
    """Both servers, with an issuance; the town hall itself is made by Meeting.make."""
    async with contextlib.AsyncExitStack() as stack:
        # The files hold the same however they reach the disk; waiting for it is not what is tested here.
        first = Settings(port=0, data_dir=str(folder / "chat"), drain_s=0.2, issuer_dir=str(folder / "issuer"), fsync="no")
        found = [await stack.enter_async_context(chat_running(first, wall=wall))]
        assert found[0].valkey is not None
        more = Settings(
            port=0,
            data_dir=str(folder / "chat"),
            redis_url=found[0].valkey.url,
            secret_file=str(folder / "chat" / "secret"),
            drain_s=0.2,
        )
        found += [await stack.enter_async_context(chat_running(more, wall=wall)) for _ in itertools.repeat(None, nodes - 1)]
        issuer = await stack.enter_async_context(issuer_running(first))
        issuance = await issuer.issuances.create("만남의 날", "ko", found[0].url, kinds, CODE)
        assert isinstance(issuance, Issuance)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        yield Meeting(found, issuer, issuance, session)


@contextlib.asynccontextmanager
async def again_at(folder: Path, wall: Callable[[], float] = time.time) -> AsyncIterator[Meeting]:
    """Both servers after a restart; the town hall is there already."""
    settings = Settings(port=0, data_dir=str(folder / "chat"), drain_s=0.2, issuer_dir=str(folder / "issuer"))
    async with chat_running(settings, wall=wall) as node, issuer_running(settings) as issuer, aiohttp.ClientSession() as session:
        issuance = await issuer.issuances.get(CODE)
        assert issuance is not None
        yield Meeting([node], issuer, issuance, session)
