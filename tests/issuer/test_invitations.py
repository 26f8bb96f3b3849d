"""Invitations: one a person, told once, kept as a hash; on slips, in a CSV, by mail."""

import asyncio
import contextlib
import csv
import io
import re
import ssl
import subprocess
import warnings
from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from protocol.refusals import Refusal
from server.issuer.invitations import Guest, guests, is_address, normal
from tests.issuer.serving import Served, blinded, issuing
from tests.waiting import until

PEOPLE = "성명,이메일\n김하늘,sky@town.example.org\n이바다,sea@town.example.org\n"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with issuing(tmp_path / "data") as found:
        yield found


def rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


async def invited(served: Served, people: str = PEOPLE, code: str = "TESTED") -> list[dict[str, str]]:
    response = await served.invite(people, code=code)
    assert response.status == 200, response.raw
    return rows(response.raw)


# --- the file ---
@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (PEOPLE.encode("cp949"), [Guest("김하늘", "sky@town.example.org"), Guest("이바다", "sea@town.example.org")]),
        (b"name\nA B\n\n  C  \n", [Guest("A B", ""), Guest("C", "")]),
        (b"name\nA\nA\n", [Guest("A", ""), Guest("A", "")]),  # two people may share a name
        (b"Email;Name\nx@y.example;X\nX@Y.example;again\n", [Guest("X", "x@y.example")]),
        (b'name,note\n"=cmd()",x\n', [Guest("=cmd()", "")]),
    ],
)
def test_a_file_of_people_is_read(raw: bytes, found: list[Guest]) -> None:
    told = guests(raw, "en")
    assert not isinstance(told, Refusal) and told.guests == found


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "line 1"),
        (b"phone\n1\n", "line 1"),
        (b"name\n", "nobody"),
        (b"name,email\nA,not-an-address\n", "line 2: not-an-address"),
        (b'name,email\n"A,B\n', "quotation marks"),
        (b"name\n" + b"x" * 255 + b"\n", "line 2"),
        (b"name\nA\x07B\n", "line 2"),
        (b"\xff\xfe\x00", "CP949"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(raw: bytes, why: str) -> None:
    refusal = guests(raw, "en")
    assert isinstance(refusal, Refusal) and refusal.code == "bad_csv"
    assert why in refusal.params["why"], refusal.params["why"]


@pytest.mark.parametrize(
    "text", ["a@b", "@b.c", "a@b@c.d", "a b@c.d", "a@c.d\r\nBcc: x@y.z", "<a@c.d>", "가@c.d", "a@-c.d", "a@.", ""]
)
def test_what_is_no_address_is_not_written_to(text: str) -> None:
    assert not is_address(text)


# --- being eligible ---
async def test_each_invitation_is_good_for_one_entry(served: Served) -> None:
    await served.issuance("invitation")
    one, other = await invited(served)
    value = blinded()
    status, ack = await served.sign("invitation", one["code"], value)
    assert status == 200
    assert (await served.sign("invitation", one["code"], value))[1]["data"] == ack["data"]
    status, ack = await served.sign("invitation", one["code"])
    assert (status, ack["error"]["code"]) == (409, "already_issued")
    assert (await served.sign("invitation", other["code"]))[0] == 200


async def test_a_code_may_be_typed_as_people_do(served: Served) -> None:
    await served.issuance("invitation")
    one, _ = await invited(served)
    assert re.fullmatch(r"([A-Z0-9]{4}-){5}[A-Z0-9]{4}", one["code"])
    assert one["link"] == f"{served.issuer.url}/admit/TESTED#i={one['code']}"
    typed = f" {one['code'].lower().replace('-', ' ')} "
    assert normal(typed) == normal(one["code"])
    assert (await served.sign("invitation", typed))[0] == 200


@pytest.mark.parametrize("proof", ["", "x", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "' OR 1=1 --", "\ud800", "한글"])
async def test_what_is_no_invitation_is_refused(served: Served, proof: str) -> None:
    await served.issuance("invitation")
    await invited(served)
    status, ack = await served.sign("invitation", proof.encode("utf-8", "replace").decode())
    assert (status, ack["error"]["code"]) == (403, "not_eligible")


async def test_an_invitation_to_another_town_hall_is_refused(served: Served) -> None:
    await served.issuance("invitation", code="FIRST")
    await served.issuance("invitation", code="SECOND")
    one, _ = await invited(served, code="FIRST")
    status, ack = await served.sign("invitation", one["code"], code="SECOND")
    assert (status, ack["error"]["code"]) == (403, "not_eligible")


async def test_where_invitations_do_not_count_none_is_good(served: Served) -> None:
    await served.issuance("open")
    one, _ = await invited(served)
    assert (await served.sign("invitation", one["code"]))[0] == 403


async def test_whoever_is_invited_again_has_one_voice_still(served: Served) -> None:
    await served.issuance("invitation")
    first, _ = await invited(served)
    again, _ = await invited(served)
    assert (await served.sign("invitation", first["code"]))[0] == 403  # the newer one is the one that counts
    assert (await served.sign("invitation", again["code"]))[0] == 200
    third, _ = await invited(served, PEOPLE.replace("sky@", "SKY@"))
    status, ack = await served.sign("invitation", third["code"])
    assert (status, ack["error"]["code"]) == (409, "already_issued")


async def test_after_closing_no_invitation_is_left(served: Served, tmp_path: Path) -> None:
    await served.issuance("invitation")
    one, other = await invited(served)
    await served.sign("invitation", one["code"])
    key = served.issuer.organiser_key
    assert (await served.ask("POST", "/api/v1/issuances/TESTED/close", key))[0] == 200
    assert (await served.sign("invitation", other["code"]))[0] in (403, 409)
    _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/invitations", key)
    assert ack["data"]["invited"] == 0
    response = await served.invite(PEOPLE)
    assert response.json["error"]["code"] == "issuing_closed"


async def test_names_addresses_and_secrets_are_not_kept(served: Served, tmp_path: Path) -> None:
    await served.issuance("invitation")
    made = await invited(served)
    await served.sign("invitation", made[0]["code"])
    files = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"invited" in files  # the search finds what is there
    for one in made:
        for trace in (one["name"], one["address"], one["address"].partition("@")[0] + "@", one["code"], normal(one["code"])):
            assert trace.encode() not in files, trace


# --- handing out ---
async def test_slips_hold_a_qr_a_code_and_nothing_that_runs(served: Served) -> None:
    await served.issuance("invitation")
    response = await served.invite('name\n"<script>alert(1)</script>"\n김하늘\n', "html")
    page = response.raw.decode()
    assert (
        response.headers["Content-Type"] == "text/html; charset=utf-8" and "attachment" in response.headers["Content-Disposition"]
    )
    assert page.count("<svg") == page.count('class="slip"') == 2
    assert "<script" not in page and "&lt;script&gt;" in page and "김하늘" in page
    assert "src=" not in page and "@page" in page
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_no_cell_of_the_csv_is_a_formula(served: Served) -> None:
    await served.issuance("invitation")
    (one,) = await invited(served, 'name\n"=HYPERLINK(1)"\n')
    assert one["name"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("path", ["invitations", "invitations?form=csv", "invitations?form=mail"])
async def test_only_the_issuers_organiser_invites(served: Served, path: str) -> None:
    await served.issuance("invitation")
    for method in ("GET", "POST"):
        status, ack = await served.ask(method, f"/api/v1/issuances/TESTED/{path}", "x" * 64, data=PEOPLE.encode())
        assert (status, ack["error"]["code"]) == (401, "not_admitted")


async def test_unknown_forms_and_town_halls_are_told(served: Served) -> None:
    await served.issuance("invitation")
    assert (await served.invite(PEOPLE, "pdf")).json["error"]["code"] == "bad_request"
    assert (await served.invite(PEOPLE, code="NOBODY")).json["error"]["code"] == "unknown_hall"
    assert (await served.invite(PEOPLE, "mail")).json["error"]["code"] == "no_mail"


# --- mail ---
class Box:
    """What a mail server took. Addresses that begin with `no` are refused; a name and a password are asked for."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, Message]] = []
        self.secured: list[bool] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("no"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append((envelope.rcpt_tos[0], BytesParser(policy=default).parsebytes(envelope.content)))
        self.secured.append(session.ssl is not None)
        return "250 OK"


def _authenticated(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"townhall", b"a password")
    return AuthResult(success=good, handled=False)


@contextlib.asynccontextmanager
async def mail_server(box: Box, **options: Any) -> AsyncIterator[int]:
    """A real SMTP server on a free port of the loopback."""
    loop = asyncio.get_running_loop()

    def made() -> SMTP:
        with warnings.catch_warnings():
            # It warns of names and passwords without TLS: rightly, but not on the loopback of a test.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(box, hostname="mail.test", loop=loop, **options)

    server = await loop.create_server(made, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def box() -> AsyncIterator[tuple[Box, int]]:
    """A mail server without encryption that asks for a name and a password."""
    found = Box()
    async with mail_server(found, auth_require_tls=False, auth_required=True, authenticator=_authenticated) as port:
        yield found, port


async def test_invitations_go_out_by_mail_and_what_does_not_is_told(tmp_path: Path, box: tuple[Box, int]) -> None:
    letters, port = box
    (tmp_path / "password").write_text("a password\n")
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "no-reply@town.example.org"}
    login = {"smtp_user": "townhall", "smtp_password_file": str(tmp_path / "password")}
    async with issuing(tmp_path / "data", **mail, **login) as served:
        await served.issuance("invitation")
        response = await served.invite(PEOPLE + "박산,no-such@town.example.org\n최들,field@town.example.org\n", "mail")
        assert response.json["data"] == {"invited": 4, "holding": 4, "replaced": 0, "same_address": 0, "same_name": 0}
        key = served.issuer.organiser_key

        async def ended() -> Any:
            _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/invitations", key)
            return ack["data"] if not ack["data"]["sending"] else None

        state = await until(ended, 20)
        assert (state["sent"], state["total"], state["failed"]) == (3, 4, ["no-such@town.example.org"])
        assert [to for to, _ in letters.letters] == ["sky@town.example.org", "sea@town.example.org", "field@town.example.org"]
        letter = letters.letters[0][1]
        assert letter["From"] == "no-reply@town.example.org" and "직원 만남의 날" in letter["Subject"]
        text = letter.get_content()  # type: ignore[attr-defined]  # of an EmailMessage
        assert text.startswith("김하늘 님") and served.issuer.url in text
        code = re.search(r"#i=([A-Z0-9-]+)", text)
        assert code is not None
        assert (await served.sign("invitation", code[1]))[0] == 200
        response = await served.invite("name\nnobody\n", "mail")
        assert response.json["error"]["code"] == "guest_without_address"


async def test_a_wrong_password_is_told_as_failed(tmp_path: Path, box: tuple[Box, int]) -> None:
    letters, port = box
    (tmp_path / "password").write_text("wrong")
    mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "a@town.example.org"}
    login = {"smtp_user": "townhall", "smtp_password_file": str(tmp_path / "password")}
    async with issuing(tmp_path / "data", **mail, **login) as served:
        await served.issuance("invitation")
        await served.invite(PEOPLE, "mail")

        async def ended() -> Any:
            _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/invitations", served.issuer.organiser_key)
            return ack["data"] if not ack["data"]["sending"] else None

        state = await until(ended, 20)
        assert state["sent"] == 0 and len(state["failed"]) == 2 and not letters.letters


async def test_a_mail_server_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    await asyncio.to_thread(subprocess.run, [*made, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    found = Box()
    async with mail_server(found, tls_context=context, require_starttls=True) as port:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_from": "a@town.example.org"}
        async with issuing(tmp_path / "data", **mail) as served:
            await served.issuance("invitation")
            await served.invite(PEOPLE, "mail")

            async def ended() -> Any:
                _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/invitations", served.issuer.organiser_key)
                return ack["data"] if not ack["data"]["sending"] else None

            assert len((await until(ended, 20))["failed"]) == 2
    assert not found.letters
