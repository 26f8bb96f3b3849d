"""W-01 and W-02: role × command × town hall, every cell over real HTTP; and who may ask from where."""

import asyncio
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import aiohttp
import pytest

from protocol.commands import COMMANDS, QUERIES, names_for
from protocol.names import Role
from server.http.commands import ROLES
from tests.server.serving import Server, serving

NAMES = sorted((*COMMANDS, *QUERIES))


async def tokens(server: Server, code: str) -> dict[str, str]:
    """One of each role in the town hall `code`."""
    staff = {role: await server.link(role, code) for role in ("host", "director", "overlay")}
    return {**staff, "audience": await server.ticket(code), "organiser": server.key}


async def test_every_role_may_send_what_the_table_says_and_nothing_else(server: Server) -> None:
    await server.hall()
    mine = await tokens(server, "TESTED")
    cells = 0
    for role, token in mine.items():
        for name in NAMES:
            _, ack = await server.send("TESTED", role, token, name)
            # Without its fields a command is malformed: it got as far as being read, and changed nothing.
            allowed = name in names_for(role)
            code = ack["error"]["code"] if ack.get("error") else "ok"
            if not allowed:
                assert code == "not_allowed", (role, name, ack)
            else:
                assert code not in ("not_allowed", "not_admitted", "unknown_command"), (role, name, ack)
            cells += 1
    assert cells == len(get_args(Role)) * len(NAMES)


async def test_no_ticket_opens_another_role_or_another_town_hall(server: Server) -> None:
    await server.hall("FIRST")
    await server.hall("SECOND")
    first = await tokens(server, "FIRST")
    for held, token in first.items():
        for code in ("FIRST", "SECOND"):
            for role in ROLES:
                if held == role and (code == "FIRST" or held == "organiser"):
                    continue
                for path, method in (("commands", "POST"), ("stream", "GET"), ("ticket", "POST")):
                    body = {"command": "chat:pause", "payload": {"client_id": uuid4().hex}}
                    options: dict[str, Any] = {"json": body} if path == "commands" else {}
                    status, ack = await server.ask(method, f"/api/v1/halls/{code}/{role}/{path}", token, **options)
                    assert status in (400, 401) and not ack["ok"], (held, role, code, path, ack)
                    assert ack["error"]["code"] in ("not_admitted", "unknown_command")


async def test_a_director_acts_only_on_questions_that_are_theirs(server: Server) -> None:
    await server.hall()
    ticket, host = await server.ticket(), await server.link("host")
    ack = await server.must("TESTED", "audience", ticket, "message:post", text="예산은 언제 나오나요?", asked=True)
    await server.must("TESTED", "host", host, "question:route", message=ack["seq"], director="d1")
    other = await server.link("director", id="d2")
    for command, fields in (
        ("question:accept", {}),
        ("question:return", {"reason": "x"}),
        ("question:answer", {"text": "x"}),
        ("question:defer", {"due": "2099-01-01"}),
        ("question:finish", {}),
        ("answer:start", {}),
    ):
        _, refused = await server.send("TESTED", "director", other, command, message=ack["seq"], **fields)
        assert refused["error"]["code"] in ("not_yours", "wrong_fate", "not_on_air"), (command, refused)
    mine = await server.link("director", id="d1")
    await server.must("TESTED", "director", mine, "question:accept", message=ack["seq"])


async def test_a_participant_acts_only_on_messages_that_are_theirs(server: Server) -> None:
    await server.hall()
    mine, other = await server.ticket(), await server.ticket()
    ack = await server.must("TESTED", "audience", mine, "message:post", text="내 글")
    _, refused = await server.send("TESTED", "audience", other, "message:withdraw", message=ack["seq"])
    assert refused["error"]["code"] == "not_yours"
    body = {"command": "message:check", "payload": {"messages": [ack["seq"]]}}
    _, told = await server.ask("POST", "/api/v1/halls/TESTED/audience/commands", other, json=body)
    assert told["data"]["states"] == {str(ack["seq"]): {"state": "unknown"}}
    await server.must("TESTED", "audience", mine, "message:withdraw", message=ack["seq"])


# --- from where ---
HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FOREIGN = ("http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "http://{host}.evil.example", "file://", "")


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_opens_no_socket(server: Server, origin: str) -> None:
    await server.hall()
    host = server.node.url.removeprefix("http://")
    url = f"{server.node.url}/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with server.session.ws_connect(url, headers={"Origin": origin.format(host=host)}):
            pass
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("public_url", "host", "origin", "opens"),
    [
        ("", "evil.example", "http://evil.example", False),  # its name server says that it is here
        ("", "evil.example", "https://evil.example", False),
        ("", "evil.example:80", "http://evil.example:80", False),
        ("", "127.0.0.1.evil.example", "http://127.0.0.1.evil.example", False),
        ("", "localhost.evil.example", "http://localhost.evil.example", False),
        ("", "10.0.0.7:8420", "http://10.0.0.7:8420", True),
        ("", "[::1]:8420", "http://[::1]:8420", True),
        ("", "localhost:8420", "https://localhost:8420", True),
        ("", "10.0.0.7", "http://10.0.0.8", False),
        ("https://town.example.org", "town.example.org", "https://town.example.org", True),
        ("https://town.example.org", "town.example.org", "http://town.example.org", False),
        ("https://town.example.org", "intranet.example.org", "https://intranet.example.org", True),
        ("https://town.example.org", "evil.example", "http://evil.example", False),
    ],
)
async def test_the_host_that_a_page_was_led_to_is_ours_only_where_nobody_can_lead_a_name(
    tmp_path: Path, public_url: str, host: str, origin: str, opens: bool
) -> None:
    async with serving(tmp_path / "data", public_url=public_url, origins=("https://intranet.example.org",)) as server:
        for before in ("", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):  # the front's way, and aiohttp's
            reader, writer = await asyncio.open_connection("127.0.0.1", server.node.port)
            writer.write(before.encode())
            if before:
                await reader.readuntil(b"}")
            writer.write(HANDSHAKE.format(host=host, origin=origin).encode())
            status = int((await reader.readline()).split()[1])
            writer.close()
            assert status == (101 if opens else 403)


async def test_our_own_page_and_a_client_that_is_no_page_do(server: Server) -> None:
    url = f"{server.node.url}/socket.io/?EIO=4&transport=websocket"
    for headers in ({"Origin": server.node.url}, {}):
        async with server.session.ws_connect(url, headers=headers) as connection:
            assert (await connection.receive_str()).startswith("0{")


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-Real-IP": "203.0.113.9",
}


async def test_what_claims_to_be_forwarded_makes_no_foreign_origin_ours(server: Server) -> None:
    url = f"{server.node.url}/socket.io/?EIO=4&transport=websocket"
    for origin in ("http://evil.example", "https://evil.example"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with server.session.ws_connect(url, headers={**FORWARDED, "Origin": origin}):
                pass
        assert refused.value.status == 403


async def test_no_answer_lets_another_origin_read_it(server: Server) -> None:
    await server.hall()
    for path in ("/", "/t/TESTED", "/api/v1/halls/TESTED", "/.well-known/townhall", "/api/v1/halls/TESTED/qr.svg"):
        for method in ("GET", "OPTIONS"):
            asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST", **FORWARDED}
            async with server.session.request(method, server.node.url + path, headers=asked) as response:
                assert not [name for name in response.headers if name.lower().startswith("access-control-")]
                assert "Set-Cookie" not in response.headers
                text = await response.text()
                assert "evil.example" not in text and "203.0.113.9" not in text
                assert "evil" not in response.headers.get("Content-Security-Policy", "")


async def test_the_host_header_decides_nothing_that_is_handed_out(server: Server) -> None:
    await server.hall()
    headers = {"Host": "evil.example", "Authorization": f"Bearer {server.key}"}
    async with server.session.get(f"{server.node.url}/api/v1/halls/TESTED/organiser", headers=headers) as response:
        assert "evil.example" not in await response.text()


@pytest.mark.parametrize(
    ("trusted", "told"), [((), "127.0.0.2"), (("127.0.0.0/8",), "203.0.113.9"), (("10.0.0.0/8",), "127.0.0.2")]
)
async def test_an_address_is_believed_only_from_configured_proxies(tmp_path: Any, trusted: tuple[str, ...], told: str) -> None:
    from aiohttp.test_utils import make_mocked_request

    from server.http.address import Addresses, asked_from

    class Transport:
        def get_extra_info(self, name: str, default: object = None) -> object:
            return ("127.0.0.2", 5) if name == "peername" else default

    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}, transport=Transport())
    assert Addresses(trusted).of(*asked_from(request)) == told


@pytest.mark.parametrize(
    ("forwarded", "told"),
    [
        ("203.0.113.5:51001", "203.0.113.5"),
        ("203.0.113.5", "203.0.113.5"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("198.51.100.1:9, 203.0.113.5:51001, 127.0.0.3:80", "203.0.113.5"),
    ],
)
def test_the_port_that_a_proxy_writes_behind_an_address_is_no_part_of_it(forwarded: str, told: str) -> None:
    from server.http.address import Addresses

    assert Addresses(("127.0.0.0/8",)).of("127.0.0.2", forwarded) == told


async def test_two_nodes_with_one_secret_take_each_others_tickets_and_with_two_secrets_none(
    server: Server, tmp_path: Any
) -> None:
    assert server.node.valkey is not None
    await server.hall()
    host = await server.link("host")
    for secret, status in ((str(tmp_path / "data" / "secret"), 200), ("", 401)):
        folder = tmp_path / f"other-{status}"
        async with serving(folder, redis_url=server.node.valkey.url, secret_file=secret) as other:
            got, _ = await other.send("TESTED", "host", host, "chat:slow", seconds=3)
            assert got == status
