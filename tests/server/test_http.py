"""Coming in and organising, over HTTP; and what happens to requests that are not as they should be."""

import asyncio
import gzip
import json
import time
from typing import Any

import msgspec
import pytest

from protocol.limits import LIMITS, Limit, limit
from protocol.setup import Setup
from server import telemetry
from server.gateway.gateway import Gateway
from server.http import body, run
from tests.server.serving import Server, serving
from tests.town import SETUP
from tests.waiting import until

RAW = {"Content-Type": "application/json"}


# --- coming in ---
async def test_the_card_of_a_town_hall_is_public_and_small(server: Server) -> None:
    await server.hall(opened=False)
    status, ack = await server.ask("GET", "/api/v1/halls/tested")
    assert status == 200
    told = {"code": "TESTED", "title": SETUP.title, "phase": "draft", "mode": "open", "language": "ko", "admission": None}
    assert ack["data"] == told


@pytest.mark.parametrize("code", ["NOSUCH", "x", "A" * 300, "%EB%B0%A9", "%00", "%FF", "*"])
async def test_an_unknown_code_is_told_in_the_language_of_the_request(server: Server, code: str) -> None:
    for method, path in (("GET", ""), ("POST", "/join"), ("GET", "/qr.svg")):
        status, ack = await server.ask(method, f"/api/v1/halls/{code}{path}?lang=en")
        assert (status, ack["ok"], ack["error"]["code"]) == (404, False, "unknown_hall")
        assert ack["error"]["message"].startswith("There is no")
    _, ack = await server.ask("GET", f"/api/v1/halls/{code}", headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"})
    assert "타운홀이 없습니다" in ack["error"]["message"]


async def test_everybody_who_joins_gets_a_ticket_of_their_own(server: Server) -> None:
    await server.hall()
    tickets = {await server.ticket() for _ in range(5)}
    assert len(tickets) == 5
    for ticket in tickets:
        await server.must("TESTED", "audience", ticket, "message:post", text="안녕하세요")


async def test_a_flood_of_joins_from_one_address_is_told_when_to_come_back(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setitem(LIMITS, "joins_per_address_per_min", Limit(3, "", "", "too_many_joins"))
    async with serving(tmp_path / "other") as other:
        await other.hall()
        for _ in range(3):
            await other.ticket()
        async with other.session.post(f"{other.node.url}/api/v1/halls/TESTED/join") as response:
            ack = await response.json()
            assert (response.status, ack["error"]["code"]) == (429, "too_many_joins")
            assert ack["error"]["retry_after_ms"] > 0 and int(response.headers["Retry-After"]) > 0
        # Nobody is believed about where they come from, unless they are a proxy that was named.
        forged = {"X-Forwarded-For": "203.0.113.9"}
        assert (await other.ask("POST", "/api/v1/halls/TESTED/join", headers=forged))[0] == 429


async def test_the_addresses_behind_a_named_proxy_are_counted_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setitem(LIMITS, "joins_per_address_per_min", Limit(1, "", "", "too_many_joins"))
    async with serving(tmp_path / "data", trusted_proxies=("127.0.0.0/8", "10.0.0.0/8")) as server:
        await server.hall()

        async def join(forwarded: str) -> int:
            return (await server.ask("POST", "/api/v1/halls/TESTED/join", headers={"X-Forwarded-For": forwarded}))[0]

        assert await join("203.0.113.9") == 200
        assert await join("203.0.113.9") == 429
        assert await join("203.0.113.10, 10.1.1.1") == 200
        # Whatever a client writes to the left of what the proxy saw does not help it.
        assert await join("1.2.3.4, 203.0.113.9") == 429


async def test_the_qr_of_a_town_hall_is_a_picture(server: Server) -> None:
    await server.hall()
    async with server.session.get(f"{server.node.url}/api/v1/halls/TESTED/qr.svg") as response:
        assert response.content_type == "image/svg+xml"
        assert (await response.read()).startswith(b"<svg")


# --- organising ---
ORGANISER = [
    ("GET", "/api/v1/halls"),
    ("POST", "/api/v1/halls"),
    ("GET", "/api/v1/halls/TESTED/organiser"),
    ("POST", "/api/v1/directors-csv"),
    ("POST", "/api/v1/qr"),
    ("POST", "/api/v1/halls/TESTED/links"),
    ("GET", "/api/v1/halls/TESTED/audit.jsonl"),
    ("GET", "/api/v1/halls/TESTED/export/record.jsonl"),
    ("POST", "/api/v1/halls/TESTED/organiser/commands"),
]


@pytest.mark.parametrize(("method", "path"), ORGANISER)
async def test_only_the_organiser_may(server: Server, method: str, path: str) -> None:
    await server.hall()
    host, ticket = await server.link("host"), await server.ticket()
    for token in ("", "x", server.key[:-1], server.key.upper(), host, ticket):
        status, ack = await server.ask(method, path, token, json={})
        assert (status, ack["error"]["code"]) == (401, "not_admitted"), token
    headers = {"Authorization": "Bearer \xff\xfe한"}
    assert (await server.ask(method, path, headers=headers, json={}))[0] == 401


async def test_a_town_hall_is_created_listed_opened_and_closed(server: Server) -> None:
    status, ack = await server.ask("POST", "/api/v1/halls", server.key, json={"setup": msgspec.to_builtins(SETUP)})
    made = ack["data"]
    code = made["code"]
    assert status == 200 and len(code) == 6 and made["phase"] == "draft"
    assert [link["role"] for link in made["made"]] == ["host", "host", "director", "director", "overlay"]
    assert made["audience_url"] == f"{server.node.url}/t/{code}"
    await server.must(code, "organiser", server.key, "hall:open")
    _, listed = await server.ask("GET", "/api/v1/halls", server.key)
    assert [(hall["code"], hall["phase"]) for hall in listed["data"]] == [(code, "open")]
    await server.must(code, "organiser", server.key, "hall:close")

    async def untied() -> bool:
        _, shown = await server.ask("GET", f"/api/v1/halls/{code}/organiser", server.key)
        return bool(shown["data"]["phase"] == "closed" and shown["data"]["untied"])

    await until(untied)


async def test_a_code_is_taken_once(server: Server) -> None:
    await server.hall()
    body = {"code": "TESTED", "setup": msgspec.to_builtins(SETUP)}
    status, ack = await server.ask("POST", "/api/v1/halls", server.key, json=body)
    assert (status, ack["error"]["code"], ack["error"]["field"]) == (409, "code_taken", "$.code")


async def test_of_ten_who_create_the_same_code_one_does(server: Server) -> None:
    body = {"code": "RACE", "setup": msgspec.to_builtins(SETUP)}
    answers = await asyncio.gather(*(server.ask("POST", "/api/v1/halls", server.key, json=body) for _ in range(10)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 9


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"title": ""}, "bad_request", "$.setup.title"),
        ({"title": " \u200b "}, "text_empty", "$.setup.title"),
        ({"title": "가" * 81}, "text_too_long", "$.setup.title"),
        ({"title": 5}, "bad_request", "$.setup.title"),
        ({"surprise": 1}, "bad_request", "$.setup"),
        ({"mode": "closed"}, "bad_request", "$.setup.mode"),
        ({"departments": []}, "no_such_department", "$.setup.directors[0].department"),
        ({"hosts": [{"id": "a", "name": "x"}, {"id": "a", "name": "y"}]}, "duplicate_id", "$.setup.hosts"),
        ({"hosts": [{"id": "A B", "name": "x"}]}, "bad_request", "$.setup.hosts[0].id"),
        ({"hosts": [{"id": f"h{n}", "name": "x"} for n in range(21)]}, "list_too_long", "$.setup.hosts"),
        ({"video": {"kind": "hls", "url": "javascript:alert(1)"}}, "bad_video", "$.setup.video.url"),
        ({"video": {"kind": "flash", "url": "https://a.example.org"}}, "bad_request", "$.setup.video.kind"),
    ],
)
async def test_a_setup_that_makes_no_sense_is_refused_at_its_place(server: Server, change: Any, code: str, field: str) -> None:
    body = {"setup": {**msgspec.to_builtins(SETUP), **change}}
    status, ack = await server.ask("POST", "/api/v1/halls", server.key, json=body)
    assert (ack["error"]["code"], ack["error"]["field"]) == (code, field)
    assert 400 <= status < 500
    assert (await server.ask("GET", "/api/v1/halls", server.key))[1]["data"] == []


async def test_a_csv_becomes_departments_and_directors_that_can_be_created(server: Server) -> None:
    raw = "부서명,담당자\n기획조정실,한도윤\n".encode("cp949")
    status, ack = await server.ask("POST", "/api/v1/directors-csv", server.key, data=raw)
    assert status == 200
    setup = {"title": "만남의 날", **ack["data"]}
    assert (await server.ask("POST", "/api/v1/halls", server.key, json={"setup": setup}))[0] == 200
    status, ack = await server.ask("POST", "/api/v1/directors-csv?lang=en", server.key, data=b"a,b\n1,2\n")
    assert (status, ack["error"]["code"]) == (422, "bad_csv")
    assert "line 1: Columns are missing" in ack["error"]["message"]


async def test_any_link_becomes_a_qr(server: Server) -> None:
    url = f"{server.node.url}/api/v1/qr"
    headers = {"Authorization": f"Bearer {server.key}"}
    async with server.session.post(url, headers=headers, json={"text": "https://town.example.org/#가"}) as response:
        assert response.status == 200 and (await response.read()).startswith(b"<svg")
    for text in ("", "x" * 1_001, None, 5):
        assert (await server.ask("POST", "/api/v1/qr", server.key, json={"text": text}))[0] == 400


# --- requests that are not as they should be ---
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"[" * 100_000,
        b'{"setup":' * 50 + b"1" + b"}" * 50,
        b"1" * 5_000,
        b"NaN",
        b'{"setup": "\\ud800"}',
        b'{"code": "abc", "setup": {"title": "x"}}',
        b'{"code": null}',
    ],
)
async def test_a_body_that_is_no_setup_is_refused(server: Server, body: bytes) -> None:
    status, ack = await server.ask("POST", "/api/v1/halls", server.key, data=body, headers=RAW)
    assert (status, ack["error"]["code"]) == (400, "bad_request")


async def test_a_body_over_its_bound_is_refused_without_being_read(server: Server) -> None:
    size = limit("setup_bytes") + 1

    async def endless() -> Any:
        for _ in range(10_000):
            yield b"x" * 65_536

    for data in (b"x" * size, endless()):
        try:
            status, ack = await server.ask("POST", "/api/v1/halls", server.key, data=data, headers=RAW)
        except ConnectionError:
            continue  # the server closed while we were still sending
        assert (status, ack["error"]["code"]) == (413, "too_big")


async def test_a_compressed_body_is_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    headers = {**RAW, "Content-Encoding": "gzip"}
    status, ack = await server.ask("POST", "/api/v1/halls", server.key, data=bomb, headers=headers)
    assert (status, ack["error"]["code"]) == (413, "too_big")


async def test_a_body_that_does_not_come_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.node.port)
    writer.write(
        f"POST /api/v1/halls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nContent-Length: 100\r\n\r\n{{".encode()
    )
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX-Slow: "])
async def test_a_connection_that_never_asks_is_closed(sent: bytes, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEADERS_S", 0.5)
    async with serving(tmp_path / "data") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.node.port)
        began = time.monotonic()
        writer.write(sent)
        while time.monotonic() - began < 10:
            if sent:
                writer.write(b"a")
            try:
                async with asyncio.timeout(0.1):
                    assert await reader.read(1) == b""
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("it is still open")
        writer.close()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_another_method_is_not_allowed(server: Server, method: str) -> None:
    async with server.session.request(method, f"{server.node.url}/api/v1/halls") as response:
        assert response.status == 405


async def test_a_bug_in_a_handler_is_answered_with_a_number_that_is_in_the_log(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    telemetry.set_up(json=True)

    async def fails(*_: Any) -> None:
        raise RuntimeError("카나리아")

    monkeypatch.setattr(Gateway, "find", fails)
    status, ack = await server.ask("GET", "/api/v1/halls/SECRET?lang=en")
    assert (status, ack["error"]["code"]) == (500, "internal")
    logged = capsys.readouterr().err
    line = json.loads(logged.splitlines()[-1])
    assert line["number"] in ack["error"]["message"]
    assert line["route"] == "/api/v1/halls/{code}"
    assert "SECRET" not in logged and "카나리아" not in logged


def test_setup_is_what_these_tests_think() -> None:
    assert msgspec.convert(msgspec.to_builtins(SETUP), Setup) == SETUP
