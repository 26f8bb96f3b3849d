"""A whole house shows its tokens: `python -m loadtests.redemptions [--people 10000] [--over 10] [--addresses 8]`.

A server of its own on one core, a town hall with an issuer, and people who come within `--over` seconds (0: at once), each on
a connection of their own: a nonce, a proof by the device key, a ticket, over HTTP as the page does it. Who is refused comes back
when the server says so. Tokens are made beforehand with the town hall's own key, which gives the PSS signature that blind
signing gives. Told are seconds, processor time, refusals, and what the bare cryptography takes on the same machine.
"""

import argparse
import asyncio
import collections
import contextlib
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import load_der_private_key

from loadtests.bench.pinned import Pinned
from loadtests.bench.usage import AUDIENCE_CORE, busiest_s
from loadtests.blinding import Wallet
from loadtests.entry import unb64
from loadtests.rehearsal.organiser import SETUP
from loadtests.showing import Refused, Token, show
from protocol.credentials import SALT_BYTES, proven

CODE = "REDEEM"
PSS = padding.PSS(padding.MGF1(SHA384()), SALT_BYTES)
PATIENCE_S = 300.0
"""How long somebody comes back before they are counted as left out."""
BARE = 300
"""Tokens that the bare cryptography is timed with."""
SETTLED_S = 2.0


@dataclass(slots=True)
class Outcome:
    """What became of all. `waits`: seconds from when each was due until they had a ticket."""

    waits: list[float] = field(default_factory=list)
    refused: collections.Counter[str] = field(default_factory=collections.Counter)
    left_out: int = 0
    took_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    people_s: float = 0.0
    """Processor time that the people took themselves, on a core of their own."""

    def within(self, part: float) -> float:
        """Seconds within which this part of them had a ticket."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(part * len(self.waits)))]


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 if everybody had a ticket, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.redemptions", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000, metavar="N")
    parser.add_argument("--over", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--addresses", type=int, default=8, metavar="N", help="from which they come (127.40.0.1 and on)")
    given = parser.parse_args(argv)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome, bare_us = runner.run(measured(given.people, given.over, given.addresses))
    print(*told(outcome, bare_us, given.people, given.over), sep="\n")
    return 1 if outcome.left_out else 0


def told(outcome: Outcome, bare_us: tuple[float, float], people: int, over_s: float) -> list[str]:
    """Lines for people."""
    verify, device = bare_us
    each = {name: seconds / max(1, len(outcome.waits)) * 1e6 for name, seconds in outcome.cpu_s.items()}
    refused = ", ".join(f"{code} {count}" for code, count in outcome.refused.most_common()) or "nobody"
    lines = [
        f"{len(outcome.waits)} of {people} had a ticket; they came over {over_s:g} s, all were done after {outcome.took_s:.2f} s"
    ]
    if outcome.waits:
        parts = ((0.5, "half"), (0.99, "99 %"), (1.0, "all"))
        lines.append("had it within: " + ", ".join(f"{name} {outcome.within(part):.3f} s" for part, name in parts))
    lines += [
        f"refused, and came back when told: {refused}; left out: {outcome.left_out}",
        "processor time for each: " + ", ".join(f"{name} {us:.0f} µs" for name, us in each.items()),
        f"the people took {outcome.people_s / max(1, len(outcome.waits)) * 1e6:.0f} µs each of the other core,"
        f" {outcome.people_s / (outcome.took_s or 1):.0%} of it",
        f"bare on this machine: PSS verify {verify:.0f} µs, ECDSA verify {device:.0f} µs",
        f"ratio: the chat takes {each.get('chat', 0) / verify:.1f} times a bare PSS verify,"
        f" {each.get('chat', 0) / (verify + device):.1f} times both checks",
    ]
    return lines


async def measured(people: int, over_s: float, addresses: int) -> tuple[Outcome, tuple[float, float]]:
    """And what a bare PSS and a bare ECDSA verify take, in µs. Raises ServerFailed, OSError."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {AUDIENCE_CORE})
    with tempfile.TemporaryDirectory(prefix="townhall-redemptions-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        words = [sys.executable, "-m", "server", "serve", "--port", "0", "--data", str(folder / "data"), "--lang", "en"]
        async with Pinned(words, folder / "errors", {"TOWNHALL_DRAIN_S": "0", "LANG": "C.UTF-8"}) as server:
            organiser = await server.hear("organiser:")
            issuer = await server.hear("issuer:")
            url = re.search(r"http://\S+", await server.hear("listening on"))
            assert url is not None
            async with aiohttp.ClientSession() as session:
                spki = await _made(session, url[0], organiser.partition("#")[2], issuer)
                key = load_der_private_key((folder / "data" / "issuer" / "keys" / f"{CODE}.key").read_bytes(), None)
                assert isinstance(key, RSAPrivateKey)
                wallets = [_signed(key, spki) for _ in range(people)]
                await _command(session, url[0], organiser.partition("#")[2], "hall:open")
            bare_us = _bare(wallets[:BARE])
            tokens = [Token(wallet) for wallet in wallets]
            await asyncio.sleep(SETTLED_S)
            before = _cpu(server.process.pid)
            outcome = await _all(tokens, int(url[0].rpartition(":")[2]), over_s, addresses)
            outcome.cpu_s = {name: used - before.get(name, 0) for name, used in _cpu(server.process.pid).items()}
            return outcome, bare_us


async def _all(tokens: Sequence[Token], port: int, over_s: float, addresses: int) -> Outcome:
    outcome, began, used, chance = Outcome(), time.monotonic(), time.process_time(), random.Random(5)

    async def come(number: int, token: Token, due_s: float) -> None:
        await asyncio.sleep(max(0.0, began + due_s - time.monotonic()))
        while True:
            try:
                await show(token, CODE, port, f"127.40.0.{1 + number % addresses}")
            except Refused as no:
                outcome.refused[no.code] += 1
                if time.monotonic() - began + no.after_s > PATIENCE_S:
                    outcome.left_out += 1
                    return
                await asyncio.sleep(no.after_s)
            except OSError:
                outcome.refused["no connection"] += 1
                await asyncio.sleep(1.0)
            else:
                outcome.waits.append(time.monotonic() - began - due_s)
                return

    dues = sorted(chance.random() * over_s for _ in tokens)
    await asyncio.gather(*(come(number, *pair) for number, pair in enumerate(zip(tokens, dues, strict=True))))
    outcome.took_s = time.monotonic() - began
    outcome.people_s = time.process_time() - used
    return outcome


async def _made(session: aiohttp.ClientSession, url: str, key: str, issuer: str) -> bytes:
    """A town hall with an open code at both servers; the issuer's public key."""
    place, _, issuer_key = issuer.partition("/organiser#")
    body = {"title": SETUP["title"], "chat_url": url, "kinds": ["open"], "code": CODE}
    card = (await _posted(session, f"{place}/api/v1/issuances", issuer_key, body))["issuer"]
    await _posted(session, f"{url}/api/v1/halls", key, {"code": CODE, "setup": SETUP, "admission": {"issuer": card}})
    return unb64(card["key"])


async def _command(session: aiohttp.ClientSession, url: str, key: str, name: str) -> None:
    body = {"command": name, "payload": {"client_id": "redemptions"}}
    await _posted(session, f"{url}/api/v1/halls/{CODE}/organiser/commands", key, body)


async def _posted(session: aiohttp.ClientSession, url: str, key: str, body: Any) -> Any:
    async with session.post(url, json=body, headers={"Authorization": f"Bearer {key}"}) as response:
        told = await response.json()
    if not told["ok"]:
        raise Refused(told["error"]["code"], 0.0)
    return told.get("data")


def _signed(key: RSAPrivateKey, spki: bytes) -> Wallet:
    wallet = Wallet(CODE, spki)
    wallet.signature = key.sign(wallet.prepared, PSS, SHA384())
    return wallet


def _bare(wallets: Sequence[Wallet]) -> tuple[float, float]:
    """µs of one PSS verify and of one ECDSA verify."""
    key, nonce = wallets[0].key, os.urandom(32)
    shown = [(one.signature, one.prepared) for one in wallets]
    began = time.process_time()
    for signature, prepared in shown:
        key.verify(signature, prepared, PSS, SHA384())
    verify = time.process_time() - began
    proofs = [(one.device.public_key(), one.prove(nonce), proven(CODE, nonce, one.prepared)) for one in wallets]
    began = time.process_time()
    for device, proof, text in proofs:
        r, s = int.from_bytes(proof[:32]), int.from_bytes(proof[32:])
        device.verify(encode_dss_signature(r, s), text, ec.ECDSA(SHA256()))
    return verify / len(wallets) * 1e6, (time.process_time() - began) / len(wallets) * 1e6


def _cpu(pid: int) -> dict[str, float]:
    """Processor seconds of the chat, its store and its issuer."""
    found: dict[str, float] = collections.defaultdict(float)
    for one, seconds in busiest_s(pid).items():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{one}/cmdline").read_bytes()
            found["store" if b"valkey" in line else "issuer" if b"\0issuer\0" in line else "chat"] += seconds
    return dict(found)


if __name__ == "__main__":
    sys.exit(main())
