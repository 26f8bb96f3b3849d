"""Chat and issuer have different host names: equal ones are refused, and on this machine two names are taken."""

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.credentials import EXPONENT, KEY_BITS
from server.apart import apart, issuer_address, issuer_port, told_apart
from server.settings import Settings
from tests.issuer.serving import issuing
from tests.server.command import ran, started
from tests.server.serving import serving
from tests.server.test_cli import CSV
from tests.town import SETUP

TOWN = "https://town.example.org"


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, "apart"),
        ({"host": "localhost"}, "apart"),
        ({"host": "::1"}, "apart"),
        ({"public_url": TOWN, "issuer_public_url": "https://admit.example.org"}, "apart"),
        ({"public_url": TOWN, "issuer_public_url": TOWN}, "same"),
        ({"public_url": TOWN, "issuer_public_url": f"{TOWN}:8443"}, "same"),
        ({"public_url": TOWN, "issuer_public_url": "https://TOWN.example.org.:8443"}, "same"),
        ({"public_url": TOWN, "issuer_public_url": TOWN, "issuer": "none"}, "same"),
        ({"public_url": TOWN, "issuer_host": "town.example.org"}, "same"),
        ({"host": "0.0.0.0", "issuer_host": "0.0.0.0"}, "same"),
        ({"host": "10.0.0.1", "issuer_host": "10.0.0.1"}, "same"),
        ({"host": "10.0.0.1", "issuer_host": "10.0.0.1", "issuer": "none"}, "apart"),
        ({"issuer_public_url": "http://127.0.0.1:8421"}, "loopback"),
        ({"public_url": "http://localhost:1", "issuer_public_url": "http://localhost:2"}, "loopback"),
    ],
)
def test_the_names_of_the_two(settings: dict[str, Any], found: str) -> None:
    assert apart(Settings(**settings)).get("same_host", "apart") == found


@pytest.mark.parametrize(
    ("provider", "found"),
    [
        ("https://login.example.org", "apart"),
        (f"{TOWN}/realms/staff", "same"),
        (f"{TOWN}:8443", "same"),
        ("https://admit.example.org/x", "apart"),
    ],
)
def test_the_provider_has_another_name_than_the_chat(provider: str, found: str) -> None:
    settings = Settings(public_url=TOWN, issuer_public_url="https://admit.example.org", oidc_issuer=provider)
    assert apart(settings)["same_host_provider"] == found
    wrong, _ = told_apart(settings, "ko")
    assert bool(wrong) == (found == "same")


def test_on_this_machine_the_issuer_has_the_other_name() -> None:
    assert issuer_address(Settings(), issuer_port(Settings())) == "http://localhost:8421"
    assert issuer_address(Settings(host="localhost"), 1) == "http://127.0.0.1:1"
    assert issuer_address(Settings(issuer_host="127.0.0.2"), 1) == "http://127.0.0.2:1"


@pytest.mark.parametrize("command", ["serve", "demo", "issuer"])
async def test_equal_names_do_not_start(tmp_path: Path, command: str) -> None:
    names = {"TOWNHALL_PUBLIC_URL": TOWN, "TOWNHALL_ISSUER_PUBLIC_URL": f"{TOWN}:8443"}
    code, _, errors = await ran(command, "--port", "0", folder=tmp_path, **names)
    assert code == 1 and "town.example.org" in errors and "issuer_public_url" in errors
    assert not (tmp_path / "data").exists()


async def test_an_issuance_with_the_name_of_its_chat_is_refused(tmp_path: Path) -> None:
    names = {"TOWNHALL_ISSUER_PUBLIC_URL": f"{TOWN}:8443"}
    asked = ("issuance", "NOV24", "--title", "x", "--chat", TOWN)
    code, out, errors = await ran(*asked, folder=tmp_path, **names)
    assert code == 1 and "issuer_public_url" in errors and "Card" not in out
    (tmp_path / "directors.csv").write_text(CSV)
    made = ("create", "--title", "x", "--directors", "directors.csv", "--who", "open")
    code, _, errors = await ran(*made, folder=tmp_path, TOWNHALL_PUBLIC_URL=TOWN, **names)
    assert code == 1 and "issuer_public_url" in errors


async def test_on_this_machine_equal_names_are_told(tmp_path: Path) -> None:
    async with started("serve", "--port", "0", folder=tmp_path, TOWNHALL_ISSUER_PUBLIC_URL="http://127.0.0.1:1") as server:
        assert "127.0.0.1" in await server.says("Chat and issuer have the same host name")
        await server.says("listening on")


async def test_the_issuer_is_found_by_either_meaning_of_localhost(tmp_path: Path) -> None:
    async with issuing(tmp_path / "data") as found:
        assert found.issuer.url == f"http://localhost:{found.issuer.port}"
        for host in ("127.0.0.1", "[::1]", "localhost"):
            async with found.session.get(f"http://{host}:{found.issuer.port}/healthz") as response:
                assert response.status == 200


@pytest.mark.parametrize(
    ("public_url", "url", "code"),
    [
        (TOWN, "https://admit.example.org", None),
        (TOWN, f"{TOWN}:8443", "same_host"),
        (TOWN, "https://Town.example.org.", "same_host"),
        (TOWN, "https://town.example.org.:8443", "same_host"),
        (TOWN, "https://seen.example.org", "same_host"),
        (TOWN, "http://admit.example.org", "bad_issuer_url"),
        (TOWN, "javascript:alert(1)", "bad_issuer_url"),
        (TOWN, "https://admit.example.org/path", "bad_issuer_url"),
        (TOWN, "https://me@admit.example.org", "bad_issuer_url"),
        ("", "http://127.0.0.1:8421", None),
        ("", "http://localhost:8421", None),
    ],
)
async def test_a_card_is_taken_with_an_origin_of_another_name_alone(
    tmp_path: Path, public_url: str, url: str, code: str | None
) -> None:
    card = {"url": url, "key": issuer_key_text(), "kinds": ["open"]}
    body = {"code": "NOV24", "setup": msgspec.to_builtins(SETUP), "admission": {"issuer": card}}
    async with serving(tmp_path / "data", public_url=public_url) as server:
        host = {"Host": "seen.example.org"} if public_url else {}
        _, ack = await server.ask("POST", "/api/v1/halls?lang=en", server.key, json=body, headers=host)
    assert (None if ack["ok"] else ack["error"]["code"]) == code
    if code is not None:
        assert ack["error"]["field"] == "$.admission.issuer.url" and ack["error"]["message"]


@lru_cache
def issuer_key_text() -> str:
    """A public key as an issuer's card has it."""
    spki = rsa.generate_private_key(EXPONENT, KEY_BITS).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(spki).decode().rstrip("=")
