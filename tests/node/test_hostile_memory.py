"""S-03: what hostile connections cost the server: they end, and the memory does not grow with their number."""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from loadtests.client import Client, ticket
from tests.faults.served import Served

ATTACKERS = 100
GROWTH_MAX = 5 * 1024 * 1024
"""Bytes by which a hundred of them may make the server grow."""


def masked_head(length: int, *, opcode: int, final: bool) -> bytes:
    """Head of a frame from a client (RFC 6455, 5.2), masked with zeros."""
    first = (0x80 if final else 0) | opcode
    size = bytes([0x80 | 126]) + struct.pack("!H", length) if length < 65_536 else bytes([0x80 | 127]) + struct.pack("!Q", length)
    return bytes([first]) + size + bytes(4)


HOSTILE = {
    "binary packet": [(0x2, b"bAAAA" * 10)],
    "binary attachment": [(0x1, b'451-/audience,["x",{"_placeholder":true,"num":0}]'), (0x2, b"x" * 1_000)],
    "nested brackets": [(0x1, b'42/audience,["message:post",{"text":' + b"[" * 100_000)],
    "long integer": [(0x1, b'42/audience,["message:post",{"a":' + b"1" * 5_000 + b"}]")],
    "one megabyte": [(0x1, b'42/audience,["message:post",{"text":"' + b"x" * 1_000_000 + b'"}]')],
    "announced, never sent": [(0x1, b"")],
    "unfinished fragment": [(0x1, b"4" * 60_000)],
}


def rss(pid: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Attacker:
    """A bare TCP connection that has done the WebSocket handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, url: str) -> "Attacker":
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %b:%b\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            % (host.encode(), port.encode())
        )
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def send(self, opcode: int, body: bytes, *, final: bool = True, announced: int = 0) -> None:
        self.writer.write(masked_head(announced or len(body), opcode=opcode, final=final) + body)

    async def ended(self, within_s: float) -> None:
        """Wait for the server to close."""
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65_536):
                    pass
        self.writer.close()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    found = Served(tmp_path / "data")
    await found.start()
    yield found
    await found.stop()


async def test_a_hundred_hostile_connections_end_and_cost_next_to_nothing(served: Served) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await served.open_hall(session)
        tokens = [await ticket(session, served.url, "TESTED") for _ in range(ATTACKERS)]

        async def attack(name: str) -> int:
            """The server's size while they are at it."""
            attackers = [await Attacker.open(served.url) for _ in range(ATTACKERS)]
            for attacker, token in zip(attackers, tokens, strict=True):
                if name != "unfinished fragment":
                    attacker.send(0x1, b'40/audience,{"code":"TESTED","token":"%b"}' % token.encode())
                for opcode, body in HOSTILE[name]:
                    announced = 2**31 if name == "announced, never sent" else 0
                    attacker.send(opcode, body, final=name != "unfinished fragment", announced=announced)
            await asyncio.sleep(0.2)
            size = rss(served.pid)
            # An unfinished one is a stranger's: it is waited for as long as for any stranger to join.
            await asyncio.gather(*(attacker.ended(40) for attacker in attackers))
            return size

        # What as many ordinary people cost is no growth.
        people = [Client(session, served.url, "TESTED", "audience", token) for token in tokens]
        await asyncio.gather(*(person.connect() for person in people))
        await asyncio.gather(*(person.close() for person in people))
        for name in HOSTILE:
            before = rss(served.pid)
            # Of an unfinished fragment no more is kept than there is of it, which is bounded by the largest frame.
            held = ATTACKERS * len(HOSTILE[name][0][1]) if name == "unfinished fragment" else 0
            assert await attack(name) - before <= GROWTH_MAX + held, name
        before = rss(served.pid)
        for name in ("binary attachment", "nested brackets", "one megabyte"):
            await attack(name)
        assert rss(served.pid) - before <= GROWTH_MAX
        assert await served.published(session) == []
