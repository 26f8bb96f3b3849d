"""The organiser's page: its address opens it in the first browser and nowhere else; programs have a key of their own."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from protocol.limits import limit
from tests.bound import BrowserKey
from tests.issuer.serving import issuing
from tests.server.command import ran, started
from tests.server.serving import Server, serving

HOUR_S, DAY_S = 3_600, 86_400


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Door:
    """The organiser's interface of the chat or of the issuer."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str, listed: str) -> None:
        self._session, self._url, self._listed = session, url, listed
        self.key = key

    async def ask(self, path: str, token: str = "", body: Any = None, method: str = "POST") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.request(method, self._url + path, headers=headers, json=body) as response:
            return response.status, await response.json()

    async def code(self, token: str = "") -> str:
        """A new opening code."""
        status, ack = await self.ask("/api/v1/organiser/openings", token or self.key)
        assert status == 200, ack
        return str(ack["data"]["url"]).partition("#")[2]

    async def opens(self, code: str, key: BrowserKey | None, **altered: str) -> tuple[int, Any]:
        """A browser with `key` asks for a ticket."""
        _, ack = await self.ask("/api/v1/organiser/nonce")
        said = {"role": "organiser", "link": code[:8], "nonce": ack["data"]["nonce"]} | altered
        body = key.shown("", said["role"], said["link"], said["nonce"]) if key else None
        return await self.ask("/api/v1/organiser/ticket", code, body)

    async def admits(self, token: str) -> str:
        """ "" or why not."""
        return said(await self.ask(self._listed, token, method="GET"))


def said(answer: tuple[int, Any]) -> str:
    status, ack = answer
    return "" if status == 200 else str(ack["error"]["code"])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as found:
        yield found


@pytest.fixture(params=["chat", "issuer"])
async def door(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Door]:
    if request.param == "chat":
        async with serving(tmp_path) as chat:
            yield Door(chat.session, chat.node.url, chat.key, "/api/v1/halls")
    else:
        async with issuing(tmp_path) as issuer:
            yield Door(issuer.session, issuer.issuer.url, issuer.issuer.organiser_key, "/api/v1/issuances")


async def test_the_first_browser_has_it_and_the_code_is_worth_nothing_from_then_on(door: Door) -> None:
    code, mine = await door.code(), BrowserKey()
    assert await door.admits(code) == ""  # a program, before
    status, ack = await door.opens(code, mine)
    assert status == 200 and ack["data"]["expires_in_s"] == limit("staff_ticket_s")
    assert await door.admits(ack["data"]["ticket"]) == ""
    for attempt in (door.opens(code, None), door.opens(code, BrowserKey()), door.ask("/api/v1/organiser/openings", code)):
        assert said(await attempt) == "opening_used"
    assert await door.admits(code) == "opening_used"
    assert said(await door.opens(code, mine)) == ""
    assert await door.admits(door.key) == ""


async def test_without_a_place_for_a_key_the_code_gives_tickets_until_it_is_bound(door: Door) -> None:
    code = await door.code()
    status, ack = await door.opens(code, None)
    assert status == 200 and await door.admits(ack["data"]["ticket"]) == ""


async def test_of_many_browsers_at_once_one_is_the_first(door: Door) -> None:
    code = await door.code()
    answers = [said(answer) for answer in await asyncio.gather(*(door.opens(code, BrowserKey()) for _ in range(20)))]
    assert sorted(answers) == ["", *["opening_used"] * 19]


@pytest.mark.parametrize("altered", [{"role": "host"}, {"link": "00000000"}])
async def test_a_proof_of_something_else_binds_nothing(door: Door, altered: dict[str, str]) -> None:
    code = await door.code()
    assert said(await door.opens(code, BrowserKey(), **altered)) == "not_admitted"
    assert said(await door.opens(code, BrowserKey(), nonce="A" * 43)) == "stale_nonce"
    assert await door.admits(code) == ""


async def test_a_proof_works_once(door: Door) -> None:
    code = await door.code()
    _, ack = await door.ask("/api/v1/organiser/nonce")
    body = BrowserKey().shown("", "organiser", code[:8], ack["data"]["nonce"])
    assert said(await door.ask("/api/v1/organiser/ticket", code, body)) == ""
    assert said(await door.ask("/api/v1/organiser/ticket", code, body)) == "stale_nonce"


@pytest.mark.parametrize("place", range(0, 74, 9))
async def test_an_altered_code_is_refused(door: Door, place: int) -> None:
    code = await door.code()
    altered = code[:place] + ("A" if code[place] != "A" else "B") + code[place + 1 :]
    assert await door.admits(altered) == said(await door.opens(altered, BrowserKey())) == "not_admitted"


async def test_guesses_are_counted_and_shut_out_nobody_who_knows(door: Door) -> None:
    code = await door.code()
    guesses = [await door.admits(f"{n:064x}") for n in range(limit("bad_secrets_per_address_per_min") + 10)]
    assert guesses[0] == "not_admitted" and guesses[-1] == "too_many_joins"
    assert said(await door.ask("/api/v1/organiser/ticket", "x" * 74)) == "too_many_joins"
    assert await door.admits(door.key) == await door.admits(code) == said(await door.opens(code, BrowserKey())) == ""


async def test_no_more_are_kept_than_the_bound_says(door: Door) -> None:
    opened, mine = await door.code(), BrowserKey()
    assert said(await door.opens(opened, mine)) == ""
    codes = [await door.code() for _ in range(limit("openings") + 2)]
    refused = [code for code in codes if await door.admits(code) == "opening_used"]
    assert len(refused) == 3 and codes[-1] not in refused
    assert said(await door.opens(opened, mine)) == ""  # those that end first go, and no browser that came in


async def test_an_address_ends_after_a_day_and_an_opened_one_after_a_month(tmp_path: Path) -> None:
    from server.issuer.openings import FiledOpenings
    from server.nonces import Nonces
    from server.openings import Openings
    from server.secret import Secret

    clock = Clock()
    openings = Openings(Secret(b"s" * 32), "key", FiledOpenings(tmp_path / "x.json"), Nonces(b"n" * 32, clock), clock)

    async def opens(code: str, key: BrowserKey) -> str:
        import base64

        import msgspec

        from protocol.link_proofs import LinkProof
        from protocol.refusals import Refusal

        nonce = base64.urlsafe_b64encode(openings.nonce()).decode().rstrip("=")
        shown = msgspec.convert(key.shown("", "organiser", code[:8], nonce), LinkProof)
        found = await openings.ticket(code, shown)
        return found.code if isinstance(found, Refusal) else ""

    late, opened, mine = (await openings.url("")).partition("#")[2], (await openings.url("")).partition("#")[2], BrowserKey()
    assert await opens(opened, mine) == ""
    ticket = openings.organisers.ticket()
    clock.now += limit("opening_h") * HOUR_S
    assert await opens(late, BrowserKey()) == "opening_used" and await opens(opened, mine) == ""
    assert await openings.admit(late) is not None and not openings.organisers.admit(ticket)
    clock.now += limit("opened_days") * DAY_S
    assert await opens(opened, mine) == "opening_used"
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o600


async def test_it_stays_bound_over_a_restart_and_on_every_node(tmp_path: Path) -> None:
    mine = BrowserKey()
    async with serving(tmp_path) as one:
        first = Door(one.session, one.node.url, one.key, "/api/v1/halls")
        code = await first.code()
        assert one.node.valkey is not None
        async with serving(tmp_path / "two", redis_url=one.node.valkey.url, secret_file=str(tmp_path / "secret")) as two:
            second = Door(two.session, two.node.url, two.key, "/api/v1/halls")
            assert said(await second.opens(code, mine)) == ""
            assert await first.admits(code) == await second.admits(code) == "opening_used"
    async with serving(tmp_path) as again:
        third = Door(again.session, again.node.url, again.key, "/api/v1/halls")
        assert await third.admits(code) == "opening_used"
        assert said(await third.opens(code, mine)) == ""


async def test_what_an_organiser_does_is_done_with_a_ticket_and_with_a_code_too(server: Server) -> None:
    await server.hall(opened=False)
    door = Door(server.session, server.node.url, server.key, "/api/v1/halls")
    code = await door.code()
    await server.must("TESTED", "organiser", code, "hall:open")
    ticket = (await door.opens(code, BrowserKey()))[1]["data"]["ticket"]
    await server.must("TESTED", "organiser", ticket, "links:renew", role="host")
    status, ack = await server.send("TESTED", "organiser", code, "hall:close")
    assert (status, ack["error"]["code"]) == (401, "opening_used")
    for path in ("organiser", "export/report.html", "audit.jsonl"):
        async with server.session.get(
            f"{server.node.url}/api/v1/halls/TESTED/{path}", headers={"Authorization": f"Bearer {ticket}"}
        ) as response:
            assert response.status == 200


async def test_the_command_prints_an_address_the_key_or_ends_all(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", folder=tmp_path) as served, aiohttp.ClientSession() as session:
        await served.says("listening on ")
        told = "\n".join(served.said)
        for name, flags, listed in (("organiser", (), "halls"), ("issuer", ("--issuer",), "issuances")):
            printed = re.search(rf"^{name}: (\S+)/organiser#(\S+)$", told, re.MULTILINE)
            assert printed is not None
            _, out, _ = await ran("organiser", *flags, "--key", folder=tmp_path)
            key = out.strip()
            assert re.fullmatch("[0-9a-f]{64}", key) and key not in told
            door = Door(session, printed[1], key, f"/api/v1/{listed}")
            _, out, _ = await ran("organiser", *flags, folder=tmp_path)
            assert out.startswith(f"{name}: {printed[1]}/organiser#")
            code = out.strip().partition("#")[2]
            assert await door.admits(key) == await door.admits(printed[2]) == await door.admits(code) == ""
            assert printed[2] != code
            _, out, _ = await ran("organiser", *flags, "--end", folder=tmp_path)
            assert await door.admits(printed[2]) == await door.admits(code) == "opening_used"
            assert await door.admits(out.strip().rpartition("#")[2]) == ""
        assert await served.ends(signal.SIGTERM) == 0
