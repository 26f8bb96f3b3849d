"""W-03: a staff link admits to its one place until it expires or is revoked; its secret is told once and kept nowhere."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.client import Client, NotAdmitted
from moderation.hall import Hall
from protocol.limits import limit
from protocol.refusals import Refusal
from server.admission.admit import Admission
from server.admission.admitted import Admitted
from server.admission.links import Links
from server.admission.staff_tickets import StaffTickets
from server.admission.tickets import Tickets
from server.secret import Secret
from tests.server.command import ran, started
from tests.server.serving import Server, serving
from tests.town import ORGANISER, Town
from tests.waiting import until

SECRET = Secret(b"s" * 32)
REVOKED_S = 2.0


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A town hall in the rules, and its admission, on one clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.town = Town()
        self.links = Links(SECRET, "https://town.example.org", self.clock)
        tickets = StaffTickets(SECRET, self.clock)
        self.admission = Admission(Tickets(SECRET, self.clock), tickets, self.links, "key", SECRET.key("dedupe"))

    def make(self, role: str = "host", id: str = "host-1", days: int = 1) -> str:
        """The secret of a new link."""
        from protocol import commands as c

        new, told = self.links.new("TESTED", role, id, "누구")  # type: ignore[arg-type]  # one of the three
        self.town.must(ORGANISER, c.MakeLinks, links=(new,), expires=self.town.now + days * 86_400)
        return told.url.partition("#")[2]

    def exchange(self, role: str, secret: str) -> str | Refusal:
        return self.admission.exchange(self.town.hall, role, secret)  # type: ignore[arg-type]  # also what is no role

    def admit(self, role: str, ticket: str, hall: Hall | None = None) -> Admitted | Refusal:
        return self.admission.admit(hall or self.town.hall, b"a" * 32, role, ticket)  # type: ignore[arg-type]  # also what is no role


def code(found: object) -> str:
    return found.code if isinstance(found, Refusal) else ""


@pytest.mark.parametrize(("role", "id"), [("host", "host-2"), ("director", "d1"), ("overlay", "overlay")])
def test_a_link_admits_to_its_own_place_only(role: str, id: str) -> None:
    desk = Desk()
    secret = desk.make(role, id)
    ticket = desk.exchange(role, secret)
    assert isinstance(ticket, str)
    found = desk.admit(role, ticket)
    assert isinstance(found, Admitted) and found.id == id and found.sender.voter is None
    assert found.link == found.sender.actor.link == secret[:8]
    for other in {"audience", "host", "director", "overlay", "organiser"} - {role}:
        assert code(desk.exchange(other, secret)) == "not_admitted"
        assert code(desk.admit(other, ticket)) == "not_admitted"
    assert code(desk.admit(role, secret)) == "not_admitted"  # the secret itself opens no connection


@pytest.mark.parametrize("place", range(0, 76, 3))
def test_an_altered_secret_is_refused(place: int) -> None:
    desk = Desk()
    secret = desk.make()
    altered = secret[:place] + ("A" if secret[place : place + 1] != "A" else "B") + secret[place + 1 :]
    assert code(desk.exchange("host", altered)) == "not_admitted"


@pytest.mark.parametrize("secret", ["", "x", ".", "0123abcd.", "é" * 80, "\ud800", "한글.한글", "a" * 3_000])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    desk = Desk()
    desk.make()
    assert code(desk.exchange("host", secret)) == "not_admitted"
    assert code(desk.admit("host", secret)) == "not_admitted"


def test_a_secret_signed_elsewhere_is_refused() -> None:
    desk = Desk()
    other = Links(Secret(b"t" * 32), "https://town.example.org", desk.clock)
    _, told = other.new("TESTED", "host", "host-1", "x")
    assert code(desk.exchange("host", told.url.partition("#")[2])) == "not_admitted"


def test_a_secret_of_another_town_hall_is_refused() -> None:
    desk = Desk()
    secret = desk.make()
    ticket = desk.exchange("host", secret)
    assert isinstance(ticket, str)
    elsewhere = Desk()
    elsewhere.town.hall.code = "OTHER"
    elsewhere.town.hall.links = desk.town.hall.links
    assert code(elsewhere.exchange("host", secret)) == "not_admitted"
    assert code(elsewhere.admit("host", ticket)) == "not_admitted"


def test_a_signed_secret_that_the_log_does_not_know_is_refused() -> None:
    desk = Desk()
    _, told = desk.links.new("TESTED", "host", "host-1", "x")
    assert code(desk.exchange("host", told.url.partition("#")[2])) == "not_admitted"


def test_a_link_expires_for_newcomers_and_for_those_who_are_in() -> None:
    desk = Desk()
    secret = desk.make(days=1)
    desk.clock.now = desk.town.now + 86_400 - 1
    ticket = desk.exchange("host", secret)
    assert isinstance(ticket, str)
    inside = desk.admit("host", ticket)
    assert isinstance(inside, Admitted) and desk.admission.still(desk.town.hall, inside) is None
    desk.clock.now += 1
    assert code(desk.exchange("host", secret)) == code(desk.admit("host", ticket)) == "link_expired"
    assert code(desk.admission.still(desk.town.hall, inside)) == "link_expired"


def test_a_ticket_is_good_for_ten_minutes_and_a_replayed_one_for_nothing() -> None:
    desk = Desk()
    ticket = desk.exchange("host", desk.make())
    assert isinstance(ticket, str)
    desk.clock.now += limit("staff_ticket_s") - 1
    assert isinstance(desk.admit("host", ticket), Admitted)
    desk.clock.now += 1
    assert code(desk.admit("host", ticket)) == "not_admitted"


@pytest.mark.parametrize("place", range(0, 34, 4))
def test_an_altered_ticket_is_refused(place: int) -> None:
    desk = Desk()
    ticket = desk.exchange("host", desk.make())
    assert isinstance(ticket, str)
    altered = ticket[:place] + ("A" if ticket[place] != "A" else "B") + ticket[place + 1 :]
    assert code(desk.admit("host", altered)) == "not_admitted"


def test_a_revoked_link_ends_its_tickets_too() -> None:
    from protocol import commands as c

    desk = Desk()
    secret, other = desk.make(), desk.make()
    ticket, others = desk.exchange("host", secret), desk.exchange("host", other)
    assert isinstance(ticket, str) and isinstance(others, str)
    desk.town.must(ORGANISER, c.RevokeLink, link=secret[:8])
    assert code(desk.exchange("host", secret)) == code(desk.admit("host", ticket)) == "link_revoked"
    assert isinstance(desk.admit("host", others), Admitted)


# --- on real sockets ---
@pytest.fixture
async def nodes(server: Server, tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """Two nodes on one store, with the same secret."""
    assert server.node.valkey is not None
    secret = str(tmp_path / "data" / "secret")
    async with serving(tmp_path / "other", redis_url=server.node.valkey.url, secret_file=secret) as other:
        yield server, other


async def test_revoking_closes_live_connections_on_every_node_and_nobody_elses(nodes: tuple[Server, Server]) -> None:
    one, two = nodes
    await one.hall()
    lent, kept = await one.new_link("host", id="host-1"), await one.new_link("host", id="host-1")
    people: dict[str, list[Client]] = {"lent": [], "kept": []}
    for name, link in (("lent", lent), ("kept", kept)):
        for node in (one, two):
            status, ack = await one.exchange(link["url"])
            assert status == 200
            person = Client(node.session, node.node.url, "TESTED", "host", ack["data"]["ticket"])
            await person.connect()
            people[name].append(person)
    runtime = await one.node.gateway.directory.get("TESTED")
    assert runtime is not None and runtime.live(lent["link"]) == 1
    await one.must("TESTED", "organiser", one.key, "link:revoke", link=lent["link"])
    async with asyncio.timeout(REVOKED_S):
        await until(lambda: not any(person.connected for person in people["lent"]))
    assert all(person.bye is not None and person.bye["code"] == 3506 for person in people["lent"])
    assert all(person.connected for person in people["kept"])
    assert runtime.live(lent["link"]) == 0 and runtime.live(kept["link"]) == 1
    for node in nodes:
        status, ack = await node.exchange(lent["url"])
        assert (status, ack["error"]["code"]) == (401, "link_revoked")
    for person in people["kept"]:
        await person.close()


async def test_revoking_closes_an_open_stream(server: Server) -> None:
    await server.hall()
    link = await server.new_link("overlay")
    _, ack = await server.exchange(link["url"])
    headers = {"Authorization": f"Bearer {ack['data']['ticket']}"}
    url = f"{server.node.url}/api/v1/halls/TESTED/overlay/stream"
    async with server.session.get(url, headers=headers) as response:
        assert response.status == 200
        await server.must("TESTED", "organiser", server.key, "link:revoke", link=link["link"])
        async with asyncio.timeout(REVOKED_S):
            assert b"3506" in await response.content.read()


async def test_whoever_leaves_the_setup_is_out_at_once(server: Server) -> None:
    import msgspec

    from tests.town import SETUP

    await server.hall()
    person = Client(server.session, server.node.url, "TESTED", "host", await server.link("host", id="host-2"))
    await person.connect()
    without = msgspec.to_builtins(msgspec.structs.replace(SETUP, hosts=SETUP.hosts[:1]))
    await server.must("TESTED", "organiser", server.key, "hall:configure", setup=without)
    async with asyncio.timeout(REVOKED_S):
        await until(lambda: not person.connected)


async def test_an_act_stands_in_the_log_with_the_link_it_was_done_with(server: Server) -> None:
    await server.hall()
    link = await server.new_link("host", label="보조 진행자")
    _, ack = await server.exchange(link["url"])
    await server.must("TESTED", "host", ack["data"]["ticket"], "chat:pause")
    runtime = await server.node.gateway.directory.get("TESTED")
    assert runtime is not None
    await until(lambda: runtime.hall.paused)
    from protocol.bus import unpack
    from server.store import log as store_log

    entries = [unpack(body, text) for _, body, text in await store_log.read(server.node.store, "TESTED", 0)]
    assert entries[-1].by == f"host:m-{link['link']}" and entries[-1].link == link["link"]
    assert runtime.hall.name_of(entries[-1].by) == "보조 진행자"


async def test_the_organiser_sees_the_links_and_not_their_secrets(server: Server) -> None:
    await server.hall()
    people = {"host": "host-1", "director": "d1", "overlay": ""}
    made: list[Any] = [await server.new_link(role, id=id) for role, id in people.items()]
    status, ack = await server.ask("GET", "/api/v1/halls/TESTED/organiser", server.key)
    shown = {link["link"]: link for link in ack["data"]["links"]}
    assert status == 200 and {link["link"] for link in made} <= set(shown)
    assert all(link["state"] == "holds" and link["label"] for link in shown.values())
    for link in made:
        assert link["url"].partition("#")[2][8:] not in str(ack)


@pytest.mark.parametrize(
    "wanted",
    [
        {"links": []},
        {"links": [{"role": "organiser", "label": "x"}]},
        {"links": [{"role": "audience", "label": "x"}]},
        {"links": [{"role": "host", "label": ""}]},
        {"links": [{"role": "host", "label": "x", "id": "../x"}]},
        {"links": [{"role": "host", "label": "x"}], "days": 0},
        {"links": [{"role": "host", "label": "x"}], "days": 367},
    ],
)
async def test_links_for_nobody_are_refused(server: Server, wanted: Any) -> None:
    await server.hall()
    status, ack = await server.ask("POST", "/api/v1/halls/TESTED/links", server.key, json=wanted)
    assert (status, ack["error"]["code"]) == (400, "bad_request")


async def test_a_connection_without_a_ticket_is_told_so(server: Server) -> None:
    await server.hall()
    secret = (await server.new_link("host"))["url"].partition("#")[2]
    with pytest.raises(NotAdmitted):
        await Client(server.session, server.node.url, "TESTED", "host", secret).connect()


async def test_no_secret_and_no_ticket_is_in_any_log_or_file(tmp_path: Path) -> None:
    (tmp_path / "directors.csv").write_text("부서명,담당자\n기획조정실,한도윤\n")
    log = tmp_path / "log"
    async with started("serve", "--port", "0", folder=tmp_path, stderr=log) as served:
        await served.says("listening on ")
        _, out, _ = await ran(
            "create", "--title", "x", "--directors", "directors.csv", "--code", "NOV24", "--who", "link", folder=tmp_path
        )
        _, more, _ = await ran("links", "NOV24", "--make", "host", "--label", "보조", "--days", "2", folder=tmp_path)
        secrets = [line.partition("#")[2].split()[0] for line in (out + more).splitlines() if "#" in line]
        assert len(secrets) == 4
        from aiohttp import ClientSession

        from loadtests.client import staff_ticket

        tickets = []
        async with ClientSession() as session:
            for line in (out + more).splitlines():
                if "#" in line:
                    tickets.append(await staff_ticket(session, line.partition(": ")[2].split()[0]))
        _, listed, _ = await ran("links", "NOV24", folder=tmp_path)
        name = listed.splitlines()[1].split()[0]
        _, listed, _ = await ran("links", "NOV24", "--revoke", name, folder=tmp_path)
        assert next(line for line in listed.splitlines() if line.startswith(name)).endswith("revoked")
        _, listed, _ = await ran("links", "NOV24", "--revoke", "director", folder=tmp_path)
        assert listed.count("revoked") == 2
        assert await served.ends(signal.SIGTERM) == 0
        said = "\n".join(served.said)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"link.made" in files  # the search finds what is there
    for trace in (*secrets, *tickets):
        assert trace not in log.read_text() and trace not in said
        assert trace.encode() not in files and trace[8:40].encode() not in files
