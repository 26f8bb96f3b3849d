"""What a browser keeps on its disk opens nothing: every secret in the bytes of a real profile is tried against the servers."""

import re
from pathlib import Path
from typing import Any

from protocol.names import Role
from tests.bound import BrowserKey
from tests.browser.house import House, opening
from tests.browser.profile import browsed, kept
from tests.town import SETUP

STAFF: tuple[Role, ...] = ("host", "director")
FRAGMENT = re.compile(r"/(?:host|director|organiser|t|admit)(?:/[A-Za-z0-9]+)?(?:\?[^#\s]*)?#([!-~]{8,})")
LINK = re.compile(r"[0-9a-f]{8}[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}")
"""The secret of a link, wherever it stands."""


def secrets_in(text: str) -> set[str]:
    """What stands behind `#` in addresses of ours, whole and without what SQLite wrote behind it; and all that looks so."""
    found = set(LINK.findall(text))
    for fragment in FRAGMENT.findall(text):
        found.add(fragment)
        found |= set(re.findall(r"[A-Za-z0-9_.-]{16,}", fragment))
        found |= {fragment[:length] for length in (43, 64, 74) if len(fragment) > length}
    return found


class Thief:
    """Has the profile's secrets, and neither its keys nor a browser in which a page is open."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.refused: set[str] = set()

    async def opens(self, secret: str) -> list[str]:
        """Doors that `secret` opens, alone and with a key of the thief's own."""
        house, found = self._house, []
        hall = f"{house.served.url}/api/v1/halls/{house.code}"
        command = {"command": "chat:pause", "payload": {"client_id": "thief-pauses-it"}}
        for role in STAFF:
            for body in (None, await self._proof(f"{hall}/nonce", house.code, role, secret)):
                found += [f"{role} ticket"] if await self._goes(f"{hall}/{role}/ticket", secret, body) else []
            found += [f"{role} grant"] if await self._goes(f"{hall}/{role}/grant", secret) else []
            found += [f"{role} commands"] if await self._goes(f"{hall}/{role}/commands", secret, command) else []
        for name, url, listed in (("chat", house.served.url, "halls"), ("issuer", house.issuer, "issuances")):
            door = f"{url}/api/v1/organiser"
            for body in (None, await self._proof(f"{door}/nonce", "", "organiser", secret)):
                found += [f"{name} organiser ticket"] if await self._goes(f"{door}/ticket", secret, body) else []
            for path in ("organiser/openings", listed):
                found += [f"{name} {path}"] if await self._goes(f"{url}/api/v1/{path}", secret, {}, expects=(200, 400)) else []
        return found

    async def _proof(self, address: str, code: str, role: str, secret: str) -> dict[str, str]:
        nonce = (await self._ask(address, ""))[1]["data"]["nonce"]
        return BrowserKey().shown(code, role, secret[:8], nonce)

    async def _goes(self, url: str, secret: str, body: Any = None, expects: tuple[int, ...] = (200,)) -> bool:
        """`expects`: answers to whoever was let in."""
        status, ack = await self._ask(url, secret, body)
        if status not in expects:
            self.refused.add(str(ack["error"]["code"]))
        return status in expects

    async def _ask(self, url: str, secret: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with self._house.http.post(url, headers=headers, json=body) as response:
            return response.status, await response.json()


async def addresses(house: House) -> dict[str, str]:
    """New ones, for one browser: of a host, of a director, of the organiser at the chat and at the issuer."""
    told = re.search(r"issuer: (\S+)/organiser#(\S+)", house.served.said)
    assert told is not None
    found = {role: await house.address(role) for role in (*STAFF, "organiser")}
    return found | {"issuer": await opening(house.http, told[1], told[2])}


async def test_no_secret_in_a_profile_opens_anything(admitting: House, tmp_path: Path) -> None:
    house, thief = admitting, Thief(admitting)
    for page, url in (await addresses(house)).items():
        assert await thief.opens(url.partition("#")[2]), f"{page}: it opens nothing before, either"

    # What a thief with a key of its own has bound is lost to everybody: others for the browser.
    opened = await addresses(house)
    ready = dict.fromkeys(STAFF, f"body >> text={SETUP.title}") | {"organiser": ".halls button", "issuer": ".halls button"}
    profile = tmp_path / "profile"
    await browsed(profile, [{"url": url, "ready": ready[page]} for page, url in opened.items()])
    text = kept(profile)
    found = secrets_in(text)
    for url in opened.values():
        assert url.partition("#")[2] in found, "the browser keeps no addresses: this test would find nothing"
    thief.refused.clear()
    assert [(secret, doors) for secret in found if (doors := await thief.opens(secret))] == []
    assert {"link_elsewhere", "opening_used"} <= thief.refused

    # In the same browser an address without its secret goes on working, as a bookmark would.
    await browsed(profile, [{"url": url.partition("#")[0], "ready": ready[page]} for page, url in opened.items()])
