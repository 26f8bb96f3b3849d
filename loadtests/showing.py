"""Somebody who shows a token on a connection of their own, over HTTP as the page does it, and for little: it is the server that
is to have no time left, not they.
"""

import asyncio
import contextlib
import re
import socket
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from loadtests.blinding import Wallet
from loadtests.entry import b64, unb64
from protocol.credentials import PROOF_BYTES, proven

ANSWER_S = 60.0
"""How long an answer is waited for."""
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
_ECDSA = ec.ECDSA(SHA256())


class Refused(Exception):
    """`code`; `after_s`: when to come back."""

    def __init__(self, code: str, after_s: float) -> None:
        super().__init__(code)
        self.code = code
        self.after_s = after_s


class Token:
    """What a wallet shows, made ready but for the nonce and the proof."""

    __slots__ = ("_code", "_device", "_known", "_prepared")

    def __init__(self, wallet: Wallet) -> None:
        self._code = wallet.code
        self._device = wallet.device
        self._prepared = wallet.prepared
        self._known = {
            "prefix": b64(wallet.prefix),
            "signature": b64(wallet.signature),
            "device_key": b64(wallet.device_key),
        }

    def body(self, nonce: str) -> bytes:
        """Of the redemption."""
        r, s = decode_dss_signature(self._device.sign(proven(self._code, unb64(nonce), self._prepared), _ECDSA))
        proof = r.to_bytes(PROOF_BYTES // 2) + s.to_bytes(PROOF_BYTES // 2)
        return orjson.dumps({**self._known, "nonce": nonce, "proof": b64(proof)})


class _Visit(asyncio.Protocol):
    """`answer`: of what was asked last."""

    def __init__(self) -> None:
        self._came = b""
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(b"\r\n\r\n") + 4
        length = _LENGTH.search(self._came, 0, end) if end >= 4 else None
        if length is not None and len(self._came) >= end + int(length[1]):
            told, self._came = orjson.loads(self._came[end:]), b""
            if not self.answer.done():
                self.answer.set_result(told)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError())


async def show(token: Token, code: str, port: int, address: str) -> str:
    """A ticket, for somebody who comes from `address` of the loopback. Raises Refused, OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    peer = socket.socket()
    try:
        peer.setblocking(False)
        peer.bind((address, 0))
        await loop.sock_connect(peer, ("127.0.0.1", port))
    except BaseException:
        peer.close()
        raise
    transport, visit = await loop.create_connection(_Visit, sock=peer)
    try:
        nonce = (await _asked(transport, visit, code, "nonce", b"", port))["nonce"]
        return str((await _asked(transport, visit, code, "redeem", token.body(nonce), port))["ticket"])
    finally:
        transport.close()
        with contextlib.suppress(asyncio.CancelledError):
            visit.answer.cancel()


async def _asked(transport: asyncio.WriteTransport, visit: _Visit, code: str, what: str, body: bytes, port: int) -> Any:
    visit.answer = asyncio.get_running_loop().create_future()
    head = f"POST /api/v1/halls/{code}/{what} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    told = await asyncio.wait_for(visit.answer, ANSWER_S)
    if not told["ok"]:
        raise Refused(told["error"]["code"], (told["error"].get("retry_after_ms") or 1_000) / 1_000)
    return told["data"]
