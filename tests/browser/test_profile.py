"""What a browser keeps on its disk opens nothing: every secret in the bytes of a real profile is tried against the servers."""

import re
from pathlib import Path
from typing import Any

from protocol.names import Role
from tests.bound import BrowserKey
from tests.browser.house import House
from tests.browser.profile import browsed, kept
from tests.town import SETUP

STAFF: tuple[Role, ...] = ("host", "director")
FRAGMENT = re.compile(r"/(?:host|director|organiser|t|admit)(?:/[A-Za-z0-9]+)?(?:\?[^#\s]*)?#([!-~]{8,})")
LINK = re.compile(r"[0-9a-f]{8}[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}")
"""The secret of a link, wherever it stands."""


def secrets_in(text: str) -> set[str]:
    """What stands behind `#` in addresses of ours, whole and without what SQLite wrote behind it; and secrets of links."""
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
        """Doors that `secret` opens."""
        house, found = self._house, []
        hall = f"{house.served.url}/api/v1/halls/{house.code}"
        for role in STAFF:
            nonce = (await self._ask(f"{hall}/nonce", ""))[1]["data"]["nonce"]
            proof = BrowserKey().shown(house.code, role, secret[:8], nonce)
            command = {"command": "chat:pause", "payload": {"client_id": "thief-pauses-it"}}
            for body in (None, proof):
                found += [f"{role} ticket"] if await self._goes(f"{hall}/{role}/ticket", secret, body) else []
            found += [f"{role} grant"] if await self._goes(f"{hall}/{role}/grant", secret, None) else []
            found += [f"{role} commands"] if await self._goes(f"{hall}/{role}/commands", secret, command) else []
        return found

    async def _goes(self, url: str, secret: str, body: Any) -> bool:
        status, ack = await self._ask(url, secret, body)
        if status != 200:
            self.refused.add(str(ack["error"]["code"]))
        return status == 200

    async def _ask(self, url: str, secret: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with self._house.http.post(url, headers=headers, json=body) as response:
            return response.status, await response.json()


async def test_no_secret_in_a_profile_opens_anything(house: House, tmp_path: Path) -> None:
    staff = {role: await house.address(role) for role in STAFF}
    ready = f"body >> text={SETUP.title}"
    thief = Thief(house)
    for role, url in staff.items():
        assert f"{role} ticket" in await thief.opens(url.partition("#")[2]), "it opens nothing before, either"
        # What a thief with a key of its own has bound is lost to everybody: another one for the browser.
        staff[role] = await house.address(role)
    await browsed(tmp_path / "profile", [{"url": url, "ready": ready} for role, url in staff.items()])

    text = kept(tmp_path / "profile")
    found = secrets_in(text)
    for url in staff.values():
        assert url.partition("#")[2] in found, "the browser keeps no addresses: this test would find nothing"
    thief.refused.clear()
    assert [(secret, doors) for secret in found if (doors := await thief.opens(secret))] == []
    assert "link_elsewhere" in thief.refused

    # In the same browser an address without its secret goes on working, as a bookmark would be.
    again = [{"url": url.partition("#")[0], "ready": ready} for role, url in staff.items()]
    await browsed(tmp_path / "profile", again)
