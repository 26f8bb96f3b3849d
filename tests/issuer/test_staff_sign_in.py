"""Staff by single sign-on: a group of the provider gives a role, the browser carries the grant, the chat calls nobody."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from loadtests.client import Client
from loadtests.ports import free_ports
from moderation.context import ISSUER, Actor
from moderation.sentences import told
from protocol import commands as c
from protocol.bus import unpack
from protocol.entries import LinkMade
from protocol.grants import GRANT_S, Grant, read, signed, written
from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.setup import Admission, Issuer
from server.admission.grants import SKEW_S, granted
from server.app import running
from server.issuer.staff import StaffGrants, rule
from server.secret import Secret
from server.settings import BadSettings, Settings, load
from server.store.log import read_all
from tests.bound import BrowserKey, opened
from tests.issuer.provider import SECRET, providing, walk
from tests.issuer.serving import Served, browser, issuing
from tests.server.serving import Server
from tests.town import ORGANISER, SETUP, Town
from tests.waiting import until

EVIL = "<script>alert(1)</script>"
GROUPS = {
    "sora": ["staff", "town-hosts"],
    "bitna": ["town-hosts"],
    "doyun": ["heads-of-planning"],
    "both": ["heads-of-transport", "town-hosts"],
    "evil": ["town-hosts"],
    "nameless": ["town-hosts"],
    "chief": ["the-governor"],
}
NAMES = {"sora": "김소라", "doyun": "한도윤", "evil": EVIL + "\n\u202e" + "x" * 100, "both": "Suho"}
RULES = (
    "the-governor=host:host-1",
    "heads-of-planning=director:d1",
    "heads-of-transport=director:d2",
    "heads-of-nothing=director:d9",
    "town-hosts=host",
)
REVOKED_S = 2.0


@dataclass(slots=True)
class Both:
    """An issuer with a provider, and a chat whose town hall has its card."""

    issuer: Served
    chat: Server

    async def sign_in(self, login: str, query: str = "") -> str:
        """Where somebody ends who signs in as staff."""
        async with browser() as person:
            url = f"{self.issuer.issuer.url}/oidc/staff?code=TESTED{query}"
            place = await walk(person, url, login, stop=self.chat.node.url, back=self.chat.node.url)
            assert not [cookie for cookie in person.cookie_jar if cookie.key == "townhall-session"], "it left a session"
            return place

    async def grant(self, login: str, query: str = "") -> tuple[str, str]:
        """(role, grant) of somebody who may come in."""
        place = urlsplit(await self.sign_in(login, query))
        role, code = place.path.split("/")[1:]
        assert code == "TESTED" and not place.query
        return role, place.fragment.removeprefix("grant=")

    async def change(self, role: str, grant: str, code: str = "TESTED") -> tuple[int, Any]:
        """(status, Ack) of changing it for a link."""
        return await self.chat.ask("POST", f"/api/v1/halls/{code}/{role}/grant", grant)

    async def come_in(self, login: str, query: str = "") -> tuple[str, str, str]:
        """(role, ticket, link) of somebody who signed in."""
        role, grant = await self.grant(login, query)
        status, ack = await self.change(role, grant)
        assert status == 200, ack
        link = ack["data"]["link"]
        status, ack = await self.chat.ask("POST", f"/api/v1/halls/TESTED/{role}/ticket", ack["data"]["secret"])
        assert status == 200, ack
        return role, ack["data"]["ticket"], link

    async def organised(self) -> Any:
        """The town hall as its organiser sees it."""
        _, ack = await self.chat.ask("GET", "/api/v1/halls/TESTED/organiser", self.chat.key)
        return ack["data"]


@pytest.fixture(scope="module")
def port() -> int:
    """Of the issuers of these tests, one after another."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[str]:
    """A provider; its address."""
    with providing(port, GROUPS, NAMES) as address:
        yield address


@pytest.fixture
async def both(tmp_path: Path, provider: str, port: int) -> AsyncIterator[Both]:
    (tmp_path / "client-secret").write_text(SECRET)
    chosen = {
        "issuer_port": port,
        "oidc_issuer": provider,
        "oidc_client_id": "townhall",
        "oidc_client_secret_file": str(tmp_path / "client-secret"),
        "oidc_staff": RULES,
    }
    settings = Settings(port=0, data_dir=str(tmp_path / "chat"), drain_s=0.2)
    async with running(settings) as node, issuing(tmp_path / "issuer", **chosen) as issuer:
        chat = Server(node, issuer.session)
        body = {"title": "x", "chat_url": node.url, "kinds": ["invitation"], "code": "TESTED"}
        _, ack = await issuer.ask("POST", "/api/v1/issuances", issuer.issuer.organiser_key, json=body)
        hall = {"code": "TESTED", "setup": msgspec.to_builtins(SETUP), "admission": {"issuer": ack["data"]["issuer"]}}
        status, ack = await chat.ask("POST", "/api/v1/halls", chat.key, json=hall)
        assert status == 200, ack
        await chat.must("TESTED", "organiser", chat.key, "hall:open")
        yield Both(issuer, chat)


async def test_a_group_makes_somebody_host_under_their_own_name(both: Both) -> None:
    role, ticket, link = await both.come_in("sora")
    assert role == "host"
    await both.chat.must("TESTED", "host", ticket, "chat:slow", seconds=30)
    (shown,) = [one for one in (await both.organised())["links"] if one["link"] == link]
    assert shown["label"] == "김소라" and shown["state"] == "holds"
    assert 0 < shown["expires"] - time.time() <= limit("granted_link_s")
    runtime = await both.chat.node.gateway.directory.get("TESTED")
    assert runtime is not None
    sentences, entries = [], []
    async for seq, raw, text in read_all(both.chat.node.store, "TESTED"):
        entry = unpack(raw, text)
        entries.append(entry)
        sentences.append(told(runtime.hall, seq, entry, "ko"))
    assert "김소라 님이 통합 로그인으로 host 역할에 들어왔습니다" in "\n".join(sentences)
    (made,) = [entry for entry in entries if isinstance(entry, LinkMade) and entry.holder]
    assert made.by == "issuer" and made.made == link
    assert entries[-1].link == link, "what they do is in the log under their link"
    # Nothing that the provider said of them is there but the name.
    assert "sora" not in str(entries)


async def test_a_group_makes_somebody_the_director_or_host_it_names(both: Both) -> None:
    for login, role, id in (("doyun", "director", "d1"), ("chief", "host", "host-1")):
        got, ticket, link = await both.come_in(login)
        assert got == role
        runtime = await both.chat.node.gateway.directory.get("TESTED")
        assert runtime is not None and runtime.hall.links[link].id == id
        person = Client(both.chat.session, both.chat.node.url, "TESTED", role, ticket)
        await person.connect()
        await person.close()


async def test_whoever_has_two_roles_chooses(both: Both) -> None:
    assert (await both.grant("both"))[0] == "director"
    assert (await both.grant("both", "&role=host"))[0] == "host"


@pytest.mark.parametrize("query", ["", "&role=director"])
async def test_whoever_has_no_role_is_told(both: Both, query: str) -> None:
    login = "bitna" if query else "anybody"
    async with browser() as person:
        back = await walk(person, f"{both.issuer.issuer.url}/oidc/staff?code=TESTED{query}", login)
    assert parse_qs(urlsplit(back).query)["oidc"] == ["not_staff"]


@pytest.mark.parametrize(("query", "status"), [("?code=OTHER", 404), ("?code=TESTED&role=organiser", 400), ("?code=x", 400)])
async def test_what_nobody_is_given_cannot_be_asked_for(both: Both, query: str, status: int) -> None:
    async with browser() as person, person.get(f"{both.issuer.issuer.url}/oidc/staff{query}", allow_redirects=False) as answer:
        assert answer.status == status


async def test_an_issuer_without_rules_gives_no_roles(tmp_path: Path, provider: str) -> None:
    async with issuing(tmp_path, oidc_issuer=provider, oidc_client_id="townhall") as served:
        await served.issuance("oidc")
        _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/organiser", served.issuer.organiser_key)
        assert ack["data"]["issuer"]["staff_key"] == ""
        async with browser() as person, person.get(f"{served.issuer.url}/oidc/staff?code=TESTED") as answer:
            assert answer.status == 404


async def test_script_in_a_claim_is_a_name_and_no_more(both: Both) -> None:
    _, _, link = await both.come_in("evil")
    (shown,) = [one for one in (await both.organised())["links"] if one["link"] == link]
    assert shown["label"].startswith(EVIL) and len(shown["label"]) <= 40
    assert "\u202e" not in shown["label"] and "\n" not in shown["label"]
    headers = {"Authorization": f"Bearer {both.chat.key}"}
    for path in ("export/report.html", "export/record.jsonl", "audit.jsonl"):
        async with both.chat.session.get(f"{both.chat.node.url}/api/v1/halls/TESTED/{path}", headers=headers) as response:
            assert EVIL not in await response.text() or response.content_type != "text/html"


async def test_whom_the_provider_gives_no_name_is_known_by_address(both: Both) -> None:
    _, _, link = await both.come_in("nameless")
    assert [one["label"] for one in (await both.organised())["links"] if one["link"] == link] == ["nameless@town.example.org"]


async def test_a_grant_is_good_once(both: Both) -> None:
    role, grant = await both.grant("sora")
    answers = await asyncio.gather(*(both.change(role, grant) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] + [401] * 9
    assert {ack["error"]["code"] for status, ack in answers if status != 200} == {"not_admitted"}


async def test_the_link_of_a_grant_is_bound_in_the_same_call(both: Both) -> None:
    role, grant = await both.grant("sora")
    found = read(grant)
    assert found is not None
    made, mine = found[0].made, BrowserKey()
    _, nonce = await both.chat.ask("POST", "/api/v1/halls/TESTED/nonce")
    path, body = f"/api/v1/halls/TESTED/{role}/grant", mine.shown("TESTED", role, made, nonce["data"]["nonce"])
    wrong = mine.shown("TESTED", role, "0" * 8, nonce["data"]["nonce"])
    status, ack = await both.chat.ask("POST", path, grant, json=wrong)
    assert (status, ack["error"]["code"]) == (401, "not_admitted")
    status, ack = await both.chat.ask("POST", path, grant, json=body)
    assert status == 200 and ack["data"]["link"] == made
    url = f"{both.chat.node.url}/{role}/TESTED#{ack['data']['secret']}"
    status, ack = await both.chat.exchange(url)
    assert (status, ack["error"]["code"]) == (401, "link_elsewhere")
    status, ack = await opened(both.chat, url, BrowserKey())
    assert (status, ack["error"]["code"]) == (401, "link_elsewhere")
    assert (await opened(both.chat, url, mine))[0] == 200


async def test_a_grant_opens_no_other_door(both: Both) -> None:
    role, grant = await both.grant("sora")
    await both.chat.hall("OTHER")
    for where, code in (
        ("director", "TESTED"),
        ("overlay", "TESTED"),
        ("organiser", "TESTED"),
        ("audience", "TESTED"),
        (role, "OTHER"),
    ):
        status, ack = await both.change(where, grant, code)
        assert (status, ack["error"]["code"]) == (401, "not_admitted"), (where, code)
    for path in (f"{role}/ticket", f"{role}/commands"):
        body = {"command": "chat:pause", "payload": {"client_id": "pause-the-chat"}}
        status, _ = await both.chat.ask("POST", f"/api/v1/halls/TESTED/{path}", grant, json=body)
        assert status == 401
    assert (await both.change(role, grant))[0] == 200


async def test_revoking_ends_what_they_do_and_signing_in_again(both: Both) -> None:
    role, ticket, link = await both.come_in("sora")
    _, second, _ = await both.come_in("sora")
    _, other, _ = await both.come_in("bitna")
    people = [Client(both.chat.session, both.chat.node.url, "TESTED", role, one) for one in (ticket, second, other)]
    for person in people:
        await person.connect()
    await both.chat.must("TESTED", "organiser", both.chat.key, "link:revoke", link=link)
    async with asyncio.timeout(REVOKED_S):
        await until(lambda: not people[0].connected and not people[1].connected)
    assert people[2].connected
    status, ack = await both.change(*await both.grant("sora"))
    assert (status, ack["error"]["code"]) == (401, "link_revoked")
    # All of a role at once is another thing: whoever is in the group may come again.
    await both.chat.must("TESTED", "organiser", both.chat.key, "links:renew", role="host")
    async with asyncio.timeout(REVOKED_S):
        await until(lambda: not people[2].connected)
    await both.come_in("bitna")
    for person in people:
        await person.close()


# --- what the chat checks of a grant ---
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
NOW = 1_795_000_000
GOOD = Grant(code="TESTED", role="host", id="", label="누구", holder="ab" * 16, made="01234567", until=NOW + GRANT_S)


def hall(key: Ed25519PrivateKey | None = KEY) -> Any:
    """A town hall whose issuer grants with `key`."""
    town = Town()
    staff_key = "" if key is None else base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    town.hall.admission = Admission(issuer=Issuer(url="https://admit.example.org", key="A" * 563, staff_key=staff_key))
    return town.hall


def by(grant: Grant, key: Ed25519PrivateKey = KEY) -> str:
    return written(grant, key.sign(signed(grant)))


def why(found: object) -> str:
    return found.code if isinstance(found, Refusal) else ""


def test_a_grant_as_it_should_be_is_taken() -> None:
    assert granted(hall(), "host", by(GOOD), NOW) == GOOD


@pytest.mark.parametrize(
    ("changed", "now", "code"),
    [
        ({"code": "OTHER"}, NOW, "not_admitted"),
        ({"role": "director"}, NOW, "not_admitted"),
        ({}, NOW + GRANT_S + SKEW_S + 1, "sign_in"),
        ({"until": NOW + GRANT_S + SKEW_S + 1}, NOW, "sign_in"),
    ],
    ids=str,
)
def test_a_grant_that_is_not_is_refused(changed: dict[str, Any], now: int, code: str) -> None:
    assert why(granted(hall(), "host", by(msgspec.structs.replace(GOOD, **changed)), now)) == code


def test_a_grant_of_another_key_or_none_is_refused() -> None:
    foreign = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    assert why(granted(hall(), "host", by(GOOD, foreign), NOW)) == "not_admitted"
    assert why(granted(hall(None), "host", by(GOOD), NOW)) == "not_admitted"
    without = Town().hall
    assert why(granted(without, "host", by(GOOD), NOW)) == "not_admitted"


@pytest.mark.parametrize("place", range(0, 300, 7))
def test_an_altered_grant_is_refused(place: int) -> None:
    text = by(GOOD)
    place %= len(text)
    altered = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
    assert why(granted(hall(), "host", altered, NOW)) in ("not_admitted", "")
    found = read(altered)
    assert found is None or granted(hall(), "host", altered, NOW) in (GOOD, Refusal("not_admitted"))


@pytest.mark.parametrize("text", ["", ".", "x", "x.y", "한글.한글", "e30.e30", "a" * 3_000, by(GOOD).partition(".")[0]])
def test_what_is_no_grant_is_refused(text: str) -> None:
    assert why(granted(hall(), "host", text, NOW)) == "not_admitted"


def test_nobody_on_the_wire_can_say_that_somebody_signed_in() -> None:
    town = Town()
    link = c.NewLink(made="01234567", role="host", id="m-01234567", label="x", secret="0" * 64, holder="ab" * 16)
    assert town.refused(ORGANISER, c.MakeLinks, links=(link,), expires=town.now + 60).code == "not_allowed"
    town.must(Actor("organiser", id=ISSUER), c.MakeLinks, links=(link,), expires=town.now + 60)
    again = msgspec.structs.replace(link, made="01234568", id="m-01234568")
    town.must(ORGANISER, c.RevokeLink, link="01234567")
    assert town.refused(Actor("organiser", id=ISSUER), c.MakeLinks, links=(again,), expires=town.now + 60).code == "link_revoked"


def test_a_person_is_another_in_another_town_hall() -> None:
    grants = StaffGrants(Secret(b"s" * 32), RULES)
    claims = {"iss": "https://login.example.org", "sub": "1"}
    holders = set()
    for code in ("FIRST", "SECOND"):
        found = grants.granted(code, "", claims, ["town-hosts"])
        assert found is not None
        holders.add(found[0].holder)
    assert len(holders) == 2


@pytest.mark.parametrize("text", ["a=host", "/x=y=director:d1", "a=host:host-1"])
def test_a_rule_is_read(text: str) -> None:
    found = rule(text)
    assert f"{found.value}={found.role}" + (f":{found.id}" if found.id else "") == text


@pytest.mark.parametrize("text", ["a", "=host", "a=director", "a=organiser", "a=overlay", "a=host:", "a=host:A B", ""])
def test_a_rule_that_is_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(BadSettings):
        load(environ={}, given={"oidc_staff": [text]})
