"""The front answers what every entering browser asks as aiohttp's own routes do, byte for byte, and hands on what is unusual."""

import asyncio
import base64
import contextlib
import json
import os
import random
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from loadtests.blinding import Wallet
from loadtests.entry import b64, unb64
from loadtests.redemptions import PSS
from protocol.credentials import EXPONENT, KEY_BITS
from protocol.limits import LIMITS, Limit, limit
from server.app import application
from server.front import front
from server.front.head import HEAD_MAX
from server.gateway.redeem import Redeemer
from server.http import body, run
from server.store.client import StoreRefused, StoreUnavailable
from tests.server.serving import Server
from tests.server.test_files import Peer
from tests.town import SETUP
from tests.waiting import until

WAYS = ["", "/join", "/nonce", "/redeem"]
CODES = ["TESTED", "tested", "ISSUED", "NOTHERE", "x", "%54ESTED", "T" * 33, "TESTED/"]
SHAPES = [
    "",
    "Accept-Language: en\r\n",
    "Accept-Language: fr, en-GB;q=0.7, ko;q=0.3\r\n",
    "Accept-Language: fr\r\nAccept-Language: en\r\n",
    "Connection: keep-alive\r\n",
    "Connection: close\r\n",
    "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n",
    "Origin: https://elsewhere.example.org\r\nCookie: a=b\r\nUser-Agent: x\r\nAccept: */*\r\nSec-Fetch-Mode: cors\r\n",
    "Content-Encoding: gzip\r\n",
    "Content-Type: text/plain\r\n",
]
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "250"))


def known(answer: bytes) -> bytes:
    """Without the time of day, and with something else for what is drawn by chance."""
    answer = re.sub(rb"\r\nDate: [^\r]*", b"", answer)
    answer = re.sub(rb'"(ticket|nonce)":"([\w-]+)"', lambda found: b'"%b":%d' % (found[1], len(found[2])), answer)
    drawn, found = re.subn(rb'"retry_after_ms":\d{5,}', b'"retry_after_ms":0', answer)
    return re.sub(rb"\r\n(Retry-After|Content-Length): \d+", rb"\r\n\1: 0", drawn) if found else answer


@pytest.fixture
async def plain(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """The port of the same routes behind aiohttp alone."""
    monkeypatch.setattr(run, "LINGER_S", 0.1)
    await server.hall()
    runner = await run.set_up(application(server.node))
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """An issuer's."""
    return rsa.generate_private_key(EXPONENT, KEY_BITS)


@pytest.fixture
async def wallet(server: Server, key: rsa.RSAPrivateKey) -> Wallet:
    """Of somebody who may take part in ISSUED."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    issuer = {"url": "https://admit.example.org", "key": b64(spki), "kinds": ["open"]}
    made = {"code": "ISSUED", "setup": msgspec.to_builtins(SETUP), "admission": {"issuer": issuer}}
    assert (await server.ask("POST", "/api/v1/halls", server.key, json=made))[0] == 200
    await server.must("ISSUED", "organiser", server.key, "hall:open")
    found = Wallet("ISSUED", spki)
    found.signature = key.sign(found.prepared, PSS, SHA384())
    return found


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the front hands on to aiohttp."""
    found: list[bytes] = []
    hand_on = front.Front._to_http

    def counted(self: front.Front) -> None:
        found.append(self._rest)
        hand_on(self)

    monkeypatch.setattr(front.Front, "_to_http", counted)
    return found


@pytest.fixture
def limits() -> Iterator[dict[str, Limit]]:
    """The table, which a test may change."""
    kept = dict(LIMITS)
    yield LIMITS
    LIMITS.update(kept)


def post(path: str, sent: bytes = b"", more: str = "") -> bytes:
    return f"POST /api/v1/halls/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sent)}\r\n{more}\r\n".encode() + sent


async def token(server: Server, wallet: Wallet, **changed: Any) -> bytes:
    """The body of a redemption, with a nonce of its own."""
    nonce = (await server.ask("POST", "/api/v1/halls/ISSUED/nonce"))[1]["data"]["nonce"]
    told = {
        "prefix": b64(wallet.prefix),
        "signature": b64(wallet.signature),
        "device_key": b64(wallet.device_key),
        "nonce": nonce,
        "proof": b64(wallet.prove(unb64(nonce))),
    }
    return json.dumps({**told, **changed}).encode()


async def all_of(port: int, raw: bytes, *, pieces: int = 0) -> bytes:
    """Everything that comes back until the server closes."""
    async with Peer(port) as peer:
        for at in range(0, len(raw), pieces or len(raw)):
            peer.writer.write(raw[at : at + (pieces or len(raw))])
            await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(peer.reader.read(), 20)
    return b""


async def one_by_one(port: int, raw: bytes, last: bytes, pieces: int) -> bytes:
    """The same, `last` sent once an answer to `raw` has begun: aiohttp refuses what comes in one piece with what is no HTTP."""
    async with Peer(port) as peer:
        for at in range(0, len(raw), pieces or len(raw)):
            peer.writer.write(raw[at : at + (pieces or len(raw))])
            await asyncio.sleep(0)
        begun = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            begun = await asyncio.wait_for(peer.reader.read(65_536), 0.1)
        with contextlib.suppress(ConnectionError):
            peer.writer.write(last)
            return begun + await asyncio.wait_for(peer.reader.read(), 20)
    return begun


async def test_every_answer_is_that_of_the_routes(server: Server, plain: int, wallet: Wallet) -> None:
    shapes = [(code, shape) for code in CODES for shape in (SHAPES if code in ("ISSUED", "NOTHERE") else SHAPES[:1])]
    for code, shape in shapes:
        for way in WAYS:
            for method in ("GET", "POST", "HEAD", "PUT"):
                raw = f"{method} /api/v1/halls/{code}{way} HTTP/1.1\r\nHost: x\r\n{shape}\r\n".encode()
                answers = []
                for port in (server.node.port, plain):
                    async with Peer(port) as peer:
                        peer.writer.write(raw)
                        answers.append(known(await peer.answer(method)))
                assert answers[0] == answers[1], raw


async def test_a_redemption_is_answered_as_by_the_routes_and_a_browser_needs_no_aiohttp(
    server: Server, plain: int, wallet: Wallet, handed: list[bytes]
) -> None:
    for port in (server.node.port, plain, server.node.port):
        sent = await token(server, wallet)
        handed.clear()
        answers = []
        for asked in (
            [b"GET /api/v1/halls/ISSUED HTTP/1.1\r\nHost: x\r\n\r\n"],
            [post("ISSUED/nonce"), post("ISSUED/redeem", sent)],
        ):
            async with Peer(port) as peer:
                for raw in asked:
                    peer.writer.write(raw)
                    answers.append(known(await peer.answer()))
        assert [one[:15] for one in answers] == [b"HTTP/1.1 200 OK"] * 3 and b'"good_for_s":900' in answers[2], answers
        assert handed == []
        if port == server.node.port:
            first = answers
        else:
            assert first == answers


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"prefix":' * 17 + b"1" + b"}" * 17,
        b"1" * 5_000,
        b"NaN",
        b"{}",
        b'{"prefix":"AA"}',
        {"prefix": 7},
        {"prefix": "\ud800"},
        {"prefix": "AA=="},
        {"prefix": "A" * 1_001},
        {"prefix": "A"},
        {"more": "AA"},
        {"prefix": ""},
        {"signature": b64(bytes(384))},
        {"device_key": b64(b"\x04" + bytes(64))},
        {"nonce": b64(bytes(32))},
        {"proof": b64(bytes(64))},
        {},
    ],
)
async def test_a_bad_body_is_told_so_as_by_the_routes(server: Server, plain: int, wallet: Wallet, sent: Any) -> None:
    for code in ("ISSUED", "TESTED", "NOTHERE"):
        answers = []
        for port in (server.node.port, plain):
            raw = sent if isinstance(sent, bytes) else await token(server, wallet, **sent)
            async with Peer(port) as peer:
                peer.writer.write(post(f"{code}/redeem", raw, "Accept-Language: en\r\n"))
                answers.append(known(await peer.answer()))
        assert answers[0] == answers[1]
        assert answers[0].startswith(b"HTTP/1.1 200 " if code == "ISSUED" and sent == {} else b"HTTP/1.1 4")


@pytest.mark.parametrize(("way", "code"), [("join", "too_many_joins"), ("redeem", "too_many_joins")])
async def test_one_bound_holds_for_both_ways(server: Server, plain: int, limits: dict[str, Limit], way: str, code: str) -> None:
    entrance = server.node.entrance
    for buckets in (entrance._joins, entrance._shown):
        buckets._burst = 4
    answers = []
    for port in (server.node.port, plain) * 3:
        async with Peer(port) as peer:
            peer.writer.write(post(f"TESTED/{way}", b"{}" if way == "redeem" else b""))
            answers.append(await peer.answer())
    assert [b"HTTP/1.1 429 " in one for one in answers] == [False] * 4 + [True] * 2
    assert known(answers[4]) == known(answers[5]) and code.encode() in answers[4] and b"\r\nRetry-After: " in answers[4]


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (StoreUnavailable("x", outcome_unknown=False), 503),
        (StoreRefused("disk_full", "x"), 507),
        (ZeroDivisionError(), 500),
        (KeyError("x"), 500),
    ],
)
async def test_what_fails_is_told_as_by_the_routes(
    server: Server, plain: int, wallet: Wallet, monkeypatch: pytest.MonkeyPatch, raised: Exception, code: int
) -> None:
    async def fail(*_: Any) -> Any:
        raise raised

    monkeypatch.setattr(Redeemer, "redeem", fail)
    answers = []
    for port in (server.node.port, plain):
        async with Peer(port) as peer:
            peer.writer.write(post("ISSUED/redeem", await token(server, wallet)))
            answers.append(re.sub(rb"\b[0-9a-f]{8}\b", b"NUMBER", known(await peer.answer())))
    assert answers[0] == answers[1] and answers[0].startswith(b"HTTP/1.1 %d " % code), answers


async def test_requests_may_come_in_any_pieces_and_behind_each_other(
    server: Server, plain: int, wallet: Wallet, handed: list[bytes]
) -> None:
    for pieces in (0, 1, 7, 100, 3_000):
        for last in (
            b"GET /api/v1/halls/TESTED HTTP/1.1\r\nHost: x\r\n\r\n",
            post("TESTED/join"),
            post("ISSUED/redeem", await token(server, wallet)),
        ):
            handed.clear()
            raw = (post("ISSUED/nonce") + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") * 3 + last
            ours = await all_of(server.node.port, raw, pieces=pieces)
            assert handed == []
            assert ours.count(b"HTTP/1.1 200 OK\r\n") == 7
            if b"/redeem" in last:
                raw = raw[: -len(last)] + post("ISSUED/redeem", await token(server, wallet))
            assert known(ours) == known(await all_of(plain, raw, pieces=pieces))


@pytest.mark.parametrize("way", ["", "/join", "/redeem"])
async def test_nothing_follows_on_the_connection_of_a_card_a_ticket_or_a_redemption(
    server: Server, plain: int, wallet: Wallet, way: str
) -> None:
    """Not even what was sent behind it; also where it is refused. A nonce is followed by its proof."""
    for port in (server.node.port, plain):
        for code in ("ISSUED", "NOTHERE"):
            raw = post(f"ISSUED{way}", await token(server, wallet)) if way == "/redeem" else post(f"{code}{way}")
            if not way:
                raw = f"GET /api/v1/halls/{code} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            told = await all_of(port, post("ISSUED/nonce") + raw + post("ISSUED/nonce") * 2)
            assert told.count(b"HTTP/1.1 ") == 2 and told.count(b"\r\nConnection: close\r\n") == 1, told
            assert told.index(b"Connection: close") > told.rindex(b"HTTP/1.1 ")


async def test_a_body_that_does_not_come_is_not_waited_for(
    server: Server, plain: int, wallet: Wallet, handed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_S", 0.3)
    raw = b"POST /api/v1/halls/ISSUED/redeem HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{"
    ours, theirs = [await all_of(port, raw) for port in (server.node.port, plain)]
    assert known(ours) == known(theirs) and ours.startswith(b"HTTP/1.1 408 ")
    assert handed == []


async def test_what_is_too_big_goes_to_aiohttp_which_refuses_it(
    server: Server, plain: int, wallet: Wallet, handed: list[bytes]
) -> None:
    most = limit("frame_bytes")
    for length, status in ((most, b"400"), (most + 1, b"413"), (10**9, b"413")):
        handed.clear()
        async with Peer(server.node.port) as peer:
            head = f"POST /api/v1/halls/ISSUED/redeem HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
            peer.writer.write(head + b"{" * min(length, most))
            assert (await peer.answer()).startswith(b"HTTP/1.1 " + status)
        assert len(handed) == (0 if length == most else 1)


async def test_whoever_goes_on_sending_while_an_answer_is_made_is_not_read(
    server: Server, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, fronts = asyncio.Event(), []
    redeem, received = Redeemer.redeem, front.Front.data_received

    async def wait(self: Redeemer, *given: Any) -> Any:
        await let_go.wait()
        return await redeem(self, *given)

    def seen(self: front.Front, data: bytes) -> None:
        fronts.append(self)
        received(self, data)

    raw = post("ISSUED/redeem", await token(server, wallet))
    monkeypatch.setattr("server.http.entrance.GOES_ON", frozenset(("nonce", "redeem")))
    monkeypatch.setattr("server.front.asks.GOES_ON", frozenset(("nonce", "redeem")))
    monkeypatch.setattr(Redeemer, "redeem", wait)
    monkeypatch.setattr(front.Front, "data_received", seen)
    async with Peer(server.node.port) as peer:
        peer.writer.write(raw + b"".join(post("ISSUED/nonce") for _ in range(40_000)))
        await until(lambda: fronts and len(fronts[-1]._rest) > HEAD_MAX)
        await asyncio.sleep(0.3)
        assert len(set(fronts)) == 1 and len(fronts[-1]._rest) < 1_000_000
        let_go.set()
        answers = [await peer.answer() for _ in range(1_000)]
        peer.writer.transport.abort()
    assert b'"ticket"' in answers[0] and all(b'"nonce"' in one for one in answers[1:])


async def test_whoever_leaves_before_the_answer_leaves_nothing(
    server: Server, wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, began = asyncio.Event(), asyncio.Event()
    redeem = Redeemer.redeem

    async def wait(self: Redeemer, *given: Any) -> Any:
        began.set()
        await let_go.wait()
        return await redeem(self, *given)

    raw = post("ISSUED/redeem", await token(server, wallet))
    monkeypatch.setattr(Redeemer, "redeem", wait)

    def answering() -> int:
        return sum(task.get_name() == "asked" for task in asyncio.all_tasks())

    async with Peer(server.node.port) as peer:
        peer.writer.write(raw)
        await began.wait()
        assert answering() == 1
    let_go.set()
    await until(lambda: answering() == 0)


async def test_generated_requests_are_read_as_aiohttp_reads_them(
    server: Server, plain: int, wallet: Wallet, handed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right ones, changed at random places: whoever answers, the answers are the same, and so is where the next one begins."""
    monkeypatch.setattr(body, "BODY_S", 0.3)
    monkeypatch.setattr(run, "HEADERS_S", 0.3)
    # One and the same redemption goes to both, over and over.
    monkeypatch.setattr("server.store.nonces.digest", lambda _: os.urandom(16))
    chance = random.Random(46)
    shown = await token(server, wallet)
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    lines = [
        b"Content-Length: 0",
        b"Content-Length: 5",
        b"content-length : 0",
        b"Content-Length: +%d" % len(shown),
        b"Content-Length: %d, %d" % (len(shown), len(shown)),
        b"Content-Length: 0x10",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Expect: 100-continue",
        b"Upgrade: h2c",
        b"Connection: upgrade",
        b"Connection: close",
        b"Connection: Keep-Alive",
        b"Host: y",
        b"Accept-Language: en",
        b" folded",
        b"X: \x00",
        b"X: \xff\xfe",
        b"X",
        b": x",
    ]
    answered = 0
    for number in range(ROUNDS):
        begun = [b"POST /api/v1/halls/ISSUED/redeem HTTP/1.1", b"Host: x", b"Content-Length: %d" % len(shown)]
        sent = shown
        if number % 3 == 0:
            begun, sent = [b"POST /api/v1/halls/TESTED/" + chance.choice((b"join", b"nonce")) + b" HTTP/1.1", b"Host: x"], b""
        for _ in range(chance.randrange(3)):
            begun.insert(chance.randrange(1, len(begun) + 1), chance.choice(lines))
        raw = b"\r\n".join((*begun, b"", b"")) + sent
        if chance.random() < 0.4:
            at = chance.randrange(raw.index(b"\r\n\r\n") + 4)
            change = chance.choice((b"", b" ", b"\r\n", b"\n", b"\r", b"\0", b"\t", b"a", b"1", b"%", b"/", b"?", b"\x80"))
            raw = raw[:at] + change + raw[at + chance.randrange(2) :]
        handed.clear()
        ours = await one_by_one(server.node.port, raw, last, chance.choice((0, 0, 50)))
        answered += not handed or handed[0].startswith(b"GET /healthz")
        theirs = await one_by_one(plain, raw, last, 0)
        # What is closed while the rest of the pieces is coming may cut off the answer before it.
        assert _same(ours, theirs) or (not ours and b"HTTP/1.0 400 " in theirs), (raw, ours, theirs)
    assert answered > ROUNDS / 5, "the front answered too few of them itself"


def _same(ours: bytes, theirs: bytes) -> bool:
    """What is no HTTP is refused by aiohttp in any case: in words that quote what it had of it, and instead of answering
    what stood before it in the same piece. Behind an answer that ends the connection it is not read at all."""
    (ours, bad, _), (theirs, theirs_bad, _) = (known(one).partition(b"HTTP/1.0 400 Bad Request\r\n") for one in (ours, theirs))
    if theirs_bad and not bad and b"\r\nConnection: close\r\n" in ours:
        return ours.startswith(theirs)
    return bad == theirs_bad and (ours.startswith(theirs) if bad else ours == theirs)


def test_tickets_are_told_apart_only_by_their_length() -> None:
    ticket = base64.urlsafe_b64encode(os.urandom(39)).decode()
    assert known(f'{{"ticket":"{ticket}"}}'.encode()) == b'{"ticket":52}'
