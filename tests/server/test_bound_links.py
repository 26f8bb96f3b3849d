"""A host's or director's link is bound to the browser that first opens it; its secret alone is then worth nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protocol.limits import limit
from tests.bound import BrowserKey, opened, parts
from tests.server.serving import Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as found:
        await found.hall()
        yield found


def said(answer: tuple[int, object]) -> str:
    status, ack = answer
    assert isinstance(ack, dict)
    return "" if status == 200 else str(ack["error"]["code"])


@pytest.mark.parametrize(("role", "id"), [("host", "host-1"), ("director", "d1")])
async def test_the_first_browser_has_it_and_nobody_else(server: Server, role: str, id: str) -> None:
    url = (await server.new_link(role, id=id))["url"]
    assert said(await server.exchange(url)) == ""  # a program, before
    mine, other = BrowserKey(), BrowserKey()
    status, ack = await opened(server, url, mine)
    assert status == 200 and ack["data"]["expires_in_s"] == limit("staff_ticket_s")
    status, _ = await server.send("TESTED", role, ack["data"]["ticket"], "message:check", ids=[])
    assert status != 401
    for attempt in (server.exchange(url), opened(server, url, other), server.exchange(url)):
        assert said(await attempt) == "link_elsewhere"
    assert said(await opened(server, url, mine)) == ""


async def test_of_many_browsers_at_once_one_is_the_first(server: Server) -> None:
    url = (await server.new_link("host"))["url"]
    answers = await asyncio.gather(*(opened(server, url, BrowserKey()) for _ in range(20)))
    assert sorted(said(answer) for answer in answers) == ["", *["link_elsewhere"] * 19]


async def test_it_stays_bound_over_a_restart_and_on_every_node(tmp_path: Path) -> None:
    async with serving(tmp_path) as one:
        await one.hall()
        url = (await one.new_link("host"))["url"]
        mine = BrowserKey()
        assert one.node.valkey is not None
        async with serving(
            tmp_path / "two", redis_url=one.node.valkey.url, secret_file=str(tmp_path / "secret"), public_url=one.node.url
        ) as two:
            assert said(await opened(two, url, mine)) == ""
            for node in (one, two):
                assert said(await node.exchange(url)) == "link_elsewhere"
                assert said(await opened(node, url, BrowserKey())) == "link_elsewhere"
                assert said(await opened(node, url, mine)) == ""
    async with serving(tmp_path) as again:
        assert said(await again.exchange(url)) == "link_elsewhere"
        assert said(await opened(again, url, mine)) == ""


@pytest.mark.parametrize("altered", [{"code": "OTHER"}, {"role": "director"}, {"link": "00000000"}])
async def test_a_proof_of_something_else_binds_nothing(server: Server, altered: dict[str, str]) -> None:
    url = (await server.new_link("host"))["url"]
    assert said(await opened(server, url, BrowserKey(), **altered)) == "not_admitted"
    assert said(await server.exchange(url)) == ""


async def test_a_proof_works_once(server: Server) -> None:
    url = (await server.new_link("host"))["url"]
    role, code, link, secret = parts(url)
    _, ack = await server.ask("POST", f"/api/v1/halls/{code}/nonce")
    body = BrowserKey().shown(code, role, link, ack["data"]["nonce"])
    path = f"/api/v1/halls/{code}/{role}/ticket"
    assert said(await server.ask("POST", path, secret, json=body)) == ""
    assert said(await server.ask("POST", path, secret, json=body)) == "stale_nonce"
    assert said(await opened(server, url, BrowserKey(), nonce="A" * 43)) == "stale_nonce"


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "{}", '{"key": "", "nonce": "", "proof": ""}', '{"key": 1}'])
async def test_what_is_no_proof_is_refused(server: Server, body: str) -> None:
    url = (await server.new_link("host"))["url"]
    role, code, _, secret = parts(url)
    assert said(await server.ask("POST", f"/api/v1/halls/{code}/{role}/ticket", secret, data=body)) == "bad_request"


async def test_a_key_that_is_no_point_is_refused(server: Server) -> None:
    url = (await server.new_link("host"))["url"]
    role, code, link, secret = parts(url)
    _, ack = await server.ask("POST", f"/api/v1/halls/{code}/nonce")
    body = BrowserKey().shown(code, role, link, ack["data"]["nonce"]) | {"key": "B" + "A" * 86}
    assert said(await server.ask("POST", f"/api/v1/halls/{code}/{role}/ticket", secret, json=body)) == "not_admitted"
    assert said(await server.exchange(url)) == ""


async def test_an_overlay_is_never_bound(server: Server) -> None:
    url = (await server.new_link("overlay"))["url"]
    assert said(await opened(server, url, BrowserKey())) == "bad_request"
    assert said(await server.exchange(url)) == said(await server.exchange(url)) == ""


async def test_a_revoked_link_says_so_rather_than_where_it_is_bound(server: Server) -> None:
    made = await server.new_link("host")
    mine = BrowserKey()
    await opened(server, made["url"], mine)
    await server.must("TESTED", "organiser", server.key, "link:revoke", link=made["link"])
    assert said(await opened(server, made["url"], mine)) == said(await server.exchange(made["url"])) == "link_revoked"


async def test_wrong_secrets_shut_out_nobody_who_has_a_right_one(server: Server) -> None:
    url = (await server.new_link("host"))["url"]
    path = "/api/v1/halls/TESTED/host/ticket"
    wrong = [said(await server.ask("POST", path, f"{n:08x}{'A' * 43}.{'B' * 22}")) for n in range(80)]
    assert wrong[0] == "not_admitted" and wrong[-1] == "too_many_joins"
    assert said(await server.exchange(url)) == ""
    assert said(await opened(server, url, BrowserKey())) == ""
