"""An issuer that is a process of its own, with a real provider of identities beside it, and a chat: reached over HTTP alone."""

import asyncio
import contextlib
import csv
import io
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog

from loadtests.ports import free_ports
from protocol.setup import Issuer
from server import telemetry
from server.app import running
from server.settings import Settings
from tests.anonymity.meeting import CODE, Chat
from tests.issuer.provider import SECRET, providing


@dataclass(slots=True)
class Apart:
    """`chat`: with its clock; `issuer_url` and `issuer_key`: of the other process, and its organiser's."""

    chat: Chat
    issuer_url: str
    issuer_key: str
    provider: str

    async def invite(self, guests: Sequence[tuple[str, str]]) -> dict[str, str]:
        """{address: code of the invitation} for (name, address) of each."""
        rows = "name,email\n" + "".join(f"{name},{address}\n" for name, address in guests)
        raw = await asked(self.chat.session, self.issuer_url, f"issuances/{CODE}/invitations?form=csv", self.issuer_key, rows)
        return {row["address"]: row["code"] for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))}


async def asked(session: aiohttp.ClientSession, url: str, path: str, key: str, body: Any) -> bytes:
    """What the organiser's interface answers to a POST that has to work."""
    data = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    async with session.post(f"{url}/api/v1/{path}", data=data, headers={"Authorization": f"Bearer {key}"}) as response:
        assert response.status == 200, await response.text()
        return await response.read()


@contextlib.asynccontextmanager
async def issuer_process(folder: Path, said: Path, environ: Mapping[str, str]) -> AsyncIterator[tuple[str, str]]:
    """`townhall issuer` on `folder`; (address, its organiser's key). All that it says goes into the file `said`."""
    with said.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "issuer", "--data", str(folder)),
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environ},
        )
    try:
        async with asyncio.timeout(30):
            while not (told := re.search(r"issuer: (\S+)/organiser#(\S+)\n", said.read_text())):
                assert process.returncode is None, said.read_text()
                await asyncio.sleep(0.05)
        yield told[1], told[2]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def apart(folder: Path, wall: Callable[[], float]) -> AsyncIterator[Apart]:
    """Both servers and a provider, with an issuance by invitation and single sign-on; the town hall is made by Chat.make.

    Below `folder`: `chat`, `issuer`, `logs`, `settings`. `wall`: the chat's clock.
    """
    for name in ("chat", "issuer", "logs", "settings"):
        (folder / name).mkdir()
    port = free_ports(1)[0]
    (folder / "settings" / "oidc-secret").write_text(SECRET)
    with providing(port, {}) as provider, (folder / "logs" / "chat").open("w") as log:
        environ = {
            "TOWNHALL_ISSUER_PORT": str(port),
            "TOWNHALL_ISSUER_DIR": str(folder / "issuer"),
            "TOWNHALL_OIDC_ISSUER": provider,
            "TOWNHALL_OIDC_CLIENT_ID": "townhall",
            "TOWNHALL_OIDC_CLIENT_SECRET_FILE": str(folder / "settings" / "oidc-secret"),
            "TOWNHALL_OIDC_ELIGIBLE": "staff",
        }
        # The files hold the same however they reach the disk; waiting for it is not what is tested here.
        settings = Settings(port=0, data_dir=str(folder / "chat"), drain_s=0.2, fsync="no")
        (folder / "settings" / "all").write_text(f"{settings}\n{environ}\n")
        async with (
            issuer_process(folder / "issuer", folder / "logs" / "issuer", environ) as (url, key),
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            handlers = list(logging.getLogger().handlers)
            telemetry.set_up(json=True)
            try:
                with contextlib.redirect_stderr(log):
                    async with running(settings, wall=wall) as node:
                        body = {"title": "만남의 날", "chat_url": node.url, "kinds": ["invitation", "oidc"], "code": CODE}
                        made = msgspec.json.decode(await asked(session, url, "issuances", key, body))
                        card = msgspec.convert(made["data"]["issuer"], Issuer)
                        yield Apart(Chat([node], card, session), url, key, provider)
            finally:
                structlog.reset_defaults()
                logging.getLogger().handlers = handlers
