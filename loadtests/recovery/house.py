"""A node with its embedded Valkey, a second one that reaches the same Valkey over a link that can be broken, and people."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import aiohttp

from loadtests.client import ticket
from loadtests.recovery.fault_proxy import FaultProxy
from loadtests.recovery.figures import Figure
from loadtests.recovery.posting import Posting
from loadtests.recovery.served import Served
from loadtests.recovery.watching import Watcher

CODE = "TESTED"
RATE = 40.0
"""Messages a second, so that a gap shows after 25 ms."""
QUIET = {"TOWNHALL_ISSUER": "none", "LANG": "C.UTF-8"}
AT_ONCE = 20


class House:
    """`first` has the Valkey and the town hall. `session` is everybody's."""

    def __init__(self, folder: Path, first: Served, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self.first = first
        self.session = session
        self.lost = Figure("R-01", "acknowledged messages that are not in the record", 0, "")

    async def tickets(self, count: int) -> list[str]:
        """Of new participants."""
        found: list[str] = []
        while len(found) < count:
            some = (ticket(self.session, self.first.url, CODE) for _ in range(min(AT_ONCE, count - len(found))))
            found += await asyncio.gather(*some)
        return found

    async def posting(self, rate: float = RATE, more: str = "") -> Posting:
        """People who post at the first node."""
        return Posting(self.session, self.first.url, CODE, await self.tickets(round(10 * rate)), rate, more)

    async def watchers(self, count: int, *nodes: Served) -> list[Watcher]:
        """Who look on at the first of `nodes`, and after a loss at the second."""
        urls = [node.url for node in nodes or (self.first,)]
        return [Watcher(self.session, CODE, token, urls) for token in await self.tickets(count)]

    async def check(self, posting: Posting) -> None:
        """Count what was acknowledged and is not there."""
        there = set(await self.first.published(self.session, CODE))
        self.lost.add(sum(text.strip() not in there for text in posting.acknowledged))

    async def ready(self, node: Served) -> bool:
        """Whether `/readyz` is green."""
        async with self.session.get(f"{node.url}/readyz") as response:
            return response.status == 200

    async def since(self, begin: float, node: Served, ready: bool, wait_s: float = 30.0) -> float:
        """Seconds from `begin` until `/readyz` is so."""
        while await self.ready(node) is not ready and time.monotonic() < begin + wait_s:
            await asyncio.sleep(0.02)
        return time.monotonic() - begin

    async def store_is_back(self, killed: int) -> float:
        """When the Valkey after the `killed` one first answered a PING with PONG."""
        while self.first.valkey_pid() == killed:
            await asyncio.sleep(0.01)
        password = (self.first.data / "valkey" / "password").read_text("ascii").strip()
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(2):
                    reader, writer = await asyncio.open_unix_connection(self.first.data / "valkey" / "valkey.sock")
                    writer.write(f"AUTH townhall {password}\r\nPING\r\n".encode())
                    said = await reader.readline() + await reader.readline()
                    writer.close()
                    if b"PONG" in said:
                        return time.monotonic()
            await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def second(self, name: str, environ: dict[str, str] | None = None) -> AsyncIterator[tuple[Served, FaultProxy]]:
        """Another node on the same Valkey, and the link between."""
        valkey = self.first.data / "valkey"
        proxy = FaultProxy(valkey / "valkey.sock", self._folder / f"{name}.sock")
        password = quote((valkey / "password").read_text("ascii").strip())
        more = {
            "TOWNHALL_REDIS_URL": f"unix://townhall:{password}@{proxy.listen}",
            "TOWNHALL_SECRET_FILE": str(self.first.data / "secret"),
        }
        node = Served(self._folder / name, environ=QUIET | more | (environ or {}))
        await proxy.start()
        try:
            await node.start()
            yield node, proxy
        finally:
            await node.stop()
            await proxy.stop()


@contextlib.asynccontextmanager
async def house(
    folder: Path, *, before: tuple[str, ...] = (), fsync: str = "always", more: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[House]:
    """A node on `folder` with an open town hall. `more`: of its settings."""
    first = Served(folder / "first", before=before, environ={**QUIET, "TOWNHALL_FSYNC": fsync, **more})
    try:
        await first.start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await first.open_hall(session, CODE)
            yield House(folder, first, session)
    finally:
        await first.stop()


async def until_all(watchers: Sequence[Watcher], moment: float, wait_s: float = 20.0) -> list[float]:
    """How long after `moment` each was shown something again; infinite for those that were not within `wait_s`."""
    while time.monotonic() < moment + wait_s and any(watcher.after(moment) == float("inf") for watcher in watchers):
        await asyncio.sleep(0.02)
    return [watcher.after(moment) for watcher in watchers]
