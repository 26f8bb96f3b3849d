"""One laptop behind a proxy that tells no addresses: what it tries with wrong secrets keeps nobody out who has a right one."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loadtests.blinding import Wallet
from loadtests.entry import b64, unb64
from loadtests.redemptions import PSS
from protocol.credentials import EXPONENT, KEY_BITS
from protocol.limits import LIMITS, Limit
from tests.server.serving import Server, serving
from tests.town import SETUP
from tests.waiting import until

FLOOD_S = 4.0
PER_S = 1_300
BURSTS = 20
"""In a second: so many times the laptop sends what is due by then."""


@pytest.fixture
def small() -> Iterator[None]:
    """Buckets that a flood has emptied within a moment."""
    names = ("joins_per_address_per_min", "bad_secrets_per_address_per_min")
    kept = {name: LIMITS[name] for name in names}
    LIMITS.update({name: Limit(60, "", "", "too_many_joins") for name in names})
    yield
    LIMITS.update(kept)


@pytest.fixture
async def server(small: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with serving(tmp_path_factory.mktemp("flood") / "data") as found:
        yield found


class Laptop:
    """Sends what is wrong in every way, as fast as it was seen to; counts what it is told."""

    def __init__(self, server: Server, asked: list[bytes]) -> None:
        self._server = server
        self._asked = asked
        self.sent = 0
        self.told: dict[bytes, int] = {}

    async def run(self) -> None:
        lines = [await asyncio.open_connection("127.0.0.1", self._server.node.port) for _ in self._asked]
        reading = [asyncio.create_task(self._read(reader)) for reader, _ in lines]
        began = time.monotonic()
        while (lasted := time.monotonic() - began) < FLOOD_S:
            while self.sent < lasted * PER_S:
                kind = self.sent % len(lines)
                lines[kind][1].write(self._asked[kind])
                self.sent += 1
            await asyncio.sleep(1 / BURSTS)
        for task, (_, writer) in zip(reading, lines, strict=True):
            task.cancel()
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                # A body has no line end of its own: the next answer begins right behind it.
                if found := re.search(rb"HTTP/1\.1 (\d{3}) ", line):
                    self.told[found[1]] = self.told.get(found[1], 0) + 1


def post(path: str, body: bytes = b"", token: str = "") -> bytes:
    head = f"POST /api/v1/halls/ISSUED/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    return (head + (f"Authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode() + body


async def redemption(server: Server, wallet: Wallet) -> bytes:
    """The body, with a nonce of its own."""
    nonce = (await server.ask("POST", "/api/v1/halls/ISSUED/nonce"))[1]["data"]["nonce"]
    told = {"prefix": wallet.prefix, "signature": wallet.signature, "device_key": wallet.device_key, "nonce": unb64(nonce)}
    return json.dumps({**{name: b64(value) for name, value in told.items()}, "proof": b64(wallet.prove(unb64(nonce)))}).encode()


async def test_wrong_secrets_in_thousands_keep_out_nobody_with_a_right_one(server: Server) -> None:
    key = rsa.generate_private_key(EXPONENT, KEY_BITS)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    card = {"url": "https://admit.example.org", "key": b64(spki), "kinds": ["open"]}
    made = {"code": "ISSUED", "setup": msgspec.to_builtins(SETUP), "admission": {"issuer": card}}
    assert (await server.ask("POST", "/api/v1/halls", server.key, json=made))[0] == 200
    await server.must("ISSUED", "organiser", server.key, "hall:open")

    def wallet(signer: rsa.RSAPrivateKey) -> Wallet:
        found = Wallet("ISSUED", spki)
        found.signature = signer.sign(found.prepared, PSS, SHA384())
        return found

    wallets = [wallet(key) for _ in range(5)]
    link = (await server.new_link("host", "ISSUED", "host-1"))["url"]
    secret = link.partition("#")[2]
    unsigned = await redemption(server, wallet(rsa.generate_private_key(EXPONENT, KEY_BITS)))
    laptop = Laptop(
        server,
        [
            post("join"),
            post("host/ticket", token="x" * 60),
            post("host/ticket", token=secret[:-1] + ("A" if secret[-1] != "A" else "B")),
            post("host/grant", token="x" * 60),
            post("redeem", b"{}"),
            post("redeem", unsigned),
            post("organiser/commands", b'{"command":"hall:open","payload":{}}', token="0" * 64),
        ],
    )
    flooding = asyncio.create_task(laptop.run())
    await until(lambda: laptop.told.get(b"429", 0) > 100)
    tickets = [(await server.exchange(link))[0] for _ in range(20)]
    shown = []
    for one in wallets:
        body = await redemption(server, one)
        shown.append((await server.ask("POST", "/api/v1/halls/ISSUED/redeem", data=body))[0])
    organised = [(await server.ask("GET", "/api/v1/halls/ISSUED/organiser", server.key))[0] for _ in range(5)]
    assert not flooding.done(), "all of it was asked while the laptop was at it"
    await flooding
    assert tickets == [200] * 20
    assert shown == [200] * 5
    assert organised == [200] * 5
    assert laptop.sent > 2_000 and laptop.told[b"429"] > 1_000 and b"500" not in laptop.told, laptop.told
