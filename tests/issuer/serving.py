"""A real issuer on a free port of the loopback, and browsers that talk to it over HTTP."""

import base64
import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from server.issuer.run import RunningIssuer, running
from server.settings import Settings

CHAT = "http://127.0.0.1:9"
"""Where browsers would go back to; nobody listens there."""


def browser() -> aiohttp.ClientSession:
    """Somebody with cookies of their own, also for addresses that are no names."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.CookieJar(unsafe=True))


def blinded() -> str:
    """A value that could be a blinded one: below any modulus of 3,072 bits."""
    return base64.urlsafe_b64encode(b"\x00" + secrets.token_bytes(383)).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Answer:
    """Of HTTP, read."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw)


@dataclass(slots=True)
class Served:
    """An issuer, and its organiser."""

    issuer: RunningIssuer
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, token: str = "", **options: Any) -> tuple[int, Any]:
        """(status, JSON)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, self.issuer.url + path, headers=headers, **options) as response:
            return response.status, await response.json()

    async def issuance(self, *kinds: str, code: str = "TESTED", **more: Any) -> str:
        """A town hall's key; its code."""
        body = {"title": "직원 만남의 날", "chat_url": CHAT, "kinds": kinds, "code": code, **more}
        status, ack = await self.ask("POST", "/api/v1/issuances", self.issuer.organiser_key, json=body)
        assert status == 200, ack
        return code

    async def invite(self, csv: str | bytes, form: str = "csv", code: str = "TESTED", lang: str = "en") -> Answer:
        """The answer, read."""
        raw = csv if isinstance(csv, bytes) else csv.encode()
        url = f"{self.issuer.url}/api/v1/issuances/{code}/invitations?form={form}&lang={lang}"
        async with self.session.post(url, data=raw, headers={"Authorization": f"Bearer {self.issuer.organiser_key}"}) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def sign(
        self, kind: str, proof: str = "", value: str = "", *, by: aiohttp.ClientSession | None = None, code: str = "TESTED"
    ) -> tuple[int, Any]:
        """(status, Ack) of asking for a signature, as the issuer's own page does."""
        body = {"blinded": value or blinded(), "kind": kind, "proof": proof}
        headers = {"Origin": self.issuer.url, "Sec-Fetch-Site": "same-origin"}
        url = f"{self.issuer.url}/api/v1/issuances/{code}/sign"
        async with (by or self.session).post(url, json=body, headers=headers) as response:
            return response.status, await response.json()


@contextlib.asynccontextmanager
async def issuing(folder: Path, **settings: Any) -> AsyncIterator[Served]:
    """An issuer on `folder`."""
    chosen = Settings(data_dir=str(folder), port=0, **settings)
    async with running(chosen) as issuer, browser() as session:
        yield Served(issuer, session)
