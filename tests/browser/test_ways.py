"""By invitation and by single sign-on in a real browser: in, hinted, shown what is stored, muted; a console that is revoked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from loadtests.ports import free_ports
from tests.browser.conftest import EASY
from tests.browser.test_entry import issuer_key, open_town_hall
from tests.faults.served import Served
from tests.issuer.provider import SECRET, providing

CODE = "WAYS24"
CALLED = "<img src=x onerror=alert(1)> 김소라"


async def host_link(session: aiohttp.ClientSession, served: Served) -> tuple[str, str]:
    """(address, name) of a new link of the first host."""
    headers = {"Authorization": f"Bearer {served.organiser}"}
    body = {"links": [{"role": "host", "id": "host-1", "label": "도지사"}]}
    async with session.post(f"{served.url}/api/v1/halls/{CODE}/links", json=body, headers=headers) as response:
        made = (await response.json())["data"]["links"][0]
    return made["url"], made["link"]


async def walk(served: Served, issuer: str, host: tuple[str, str], way: str, what: str) -> None:
    """Let the browser go that way; revoke the host's link when it has come so far."""
    process = await asyncio.create_subprocess_exec(
        "node",
        "tests/browser/ways.mjs",
        *(served.url, issuer, CODE, host[0], issuer_key(served), way, what),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = []
    async with asyncio.timeout(240):
        while line := (await process.stdout.readline()).decode():
            said.append(line)
            if line.startswith("ready to revoke"):
                headers = {"Authorization": f"Bearer {served.organiser}"}
                body = {"command": "link:revoke", "payload": {"client_id": uuid4().hex, "link": host[1]}}
                async with aiohttp.ClientSession(headers=headers) as session:
                    async with session.post(f"{served.url}/api/v1/halls/{CODE}/organiser/commands", json=body) as response:
                        assert response.status == 200
        await process.wait()
    assert process.returncode == 0 and said[-1] == "ok\n", "".join(said)


async def test_by_invitation(tmp_path: Path) -> None:
    served = Served(tmp_path / "data", issuer=True)
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, CODE, ["invitation"], **EASY)
            url = f"{issuer}/api/v1/issuances/{CODE}/invitations?form=csv"
            headers = {"Authorization": f"Bearer {issuer_key(served)}"}
            async with session.post(url, data="name\n김하늘\n".encode(), headers=headers) as response:
                link = (await response.read()).decode("utf-8-sig").splitlines()[1].split(",")[2]
            await walk(served, issuer, await host_link(session, served), "invitation", link)
    finally:
        await served.stop()


@pytest.fixture
def ports() -> tuple[int, int]:
    """Of a chat and its issuer: the provider has to know where people come back to."""
    chat, issuer = free_ports(2)
    return chat, issuer


@pytest.fixture
def provider(ports: tuple[int, int]) -> Iterator[str]:
    """A certified provider; its address."""
    with providing(ports[1], {"sora": ["town-hosts"]}, {"sora": CALLED}) as address:
        yield address


async def test_by_single_sign_on(tmp_path: Path, ports: tuple[int, int], provider: str) -> None:
    (tmp_path / "client-secret").write_text(SECRET)
    chosen = {
        "TOWNHALL_ISSUER_PORT": str(ports[1]),
        "TOWNHALL_OIDC_ISSUER": provider,
        "TOWNHALL_OIDC_CLIENT_ID": "townhall",
        "TOWNHALL_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "client-secret"),
        "TOWNHALL_OIDC_ELIGIBLE": "staff",
    }
    served = Served(tmp_path / "data", environ=chosen, issuer=True)
    served.port = ports[0]
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, CODE, ["oidc"], **EASY)
            await walk(served, issuer, await host_link(session, served), "oidc", "sky")
    finally:
        await served.stop()


async def test_staff_by_single_sign_on(tmp_path: Path, ports: tuple[int, int], provider: str) -> None:
    (tmp_path / "client-secret").write_text(SECRET)
    chosen = {
        "TOWNHALL_ISSUER_PORT": str(ports[1]),
        "TOWNHALL_OIDC_ISSUER": provider,
        "TOWNHALL_OIDC_CLIENT_ID": "townhall",
        "TOWNHALL_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "client-secret"),
        "TOWNHALL_OIDC_STAFF": "town-hosts=host",
    }
    served = Served(tmp_path / "data", environ=chosen, issuer=True)
    served.port = ports[0]
    await served.start()
    try:
        async with aiohttp.ClientSession() as session:
            issuer = await open_town_hall(session, served, CODE, ["invitation"], **EASY)
        process = await asyncio.create_subprocess_exec(
            "node",
            "tests/browser/staff.mjs",
            *(served.url, issuer, CODE, served.organiser, "sora", CALLED),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(180):
            said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
    finally:
        await served.stop()
