"""Two keys a town hall: one signs entries, the other waiting tokens, in one request that binds the person to all of it."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from loadtests.blinding import Blinded, blind, finalize
from loadtests.entry import b64, unb64
from protocol.credentials import WAITING_TOKENS, Purpose, message, public_key, waiting_key
from protocol.setup import Issuer
from server.issuer.key_files import KeyFiles
from tests.issuer.serving import Served, blinded, issuing

PROOF = "a-browser-of-the-open-code"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with issuing(tmp_path / "data") as found:
        await found.issuance("open")
        yield found


async def signed(served: Served, asked: dict[str, Any]) -> tuple[int, Any]:
    body = {"kind": "open", "proof": PROOF, **asked}
    return await served.ask("POST", "/api/v1/issuances/TESTED/sign", json=body)


def token(spki: bytes) -> tuple[RSAPublicKey, bytes, Blinded]:
    """A waiting token under way."""
    key = load_der_public_key(spki)
    assert isinstance(key, RSAPublicKey)
    prepared = secrets.token_bytes(32) + message("waiting", "TESTED", spki, b"")
    return key, prepared, blind(key, prepared)


def test_the_bytes_are_those_of_the_page() -> None:
    cases = json.loads(Path("tests/golden/token.json").read_text())
    spki, device = unb64(cases["spki"]), unb64(cases["device_key"])
    purposes: tuple[Purpose, ...] = ("participant", "ballot", "waiting")
    told = {one: b64(message(one, cases["code"], spki, b"" if one == "waiting" else device)) for one in purposes}
    assert told == cases["messages"]


async def test_waiting_tokens_are_signed_by_the_second_key_and_by_no_other(served: Served) -> None:
    _, ack = await served.ask("GET", "/api/v1/issuances/TESTED")
    spki, entry = unb64(ack["data"]["waiting_key"]), unb64(ack["data"]["key"])
    assert spki != entry
    asked = [token(spki) for _ in range(WAITING_TOKENS)]
    value = blinded()
    status, ack = await signed(served, {"blinded": value, "waiting": [b64(one.blinded) for _, _, one in asked]})
    assert status == 200 and len(ack["data"]["waiting"]) == WAITING_TOKENS
    for (key, prepared, under_way), answer in zip(asked, ack["data"]["waiting"], strict=True):
        finalize(key, prepared, unb64(answer), under_way.inverse)
    # What the key of entries signs is no waiting token, and the other way round.
    other = load_der_public_key(entry)
    assert isinstance(other, RSAPublicKey)
    with pytest.raises(InvalidSignature):
        finalize(other, asked[0][1], unb64(ack["data"]["waiting"][0]), asked[0][2].inverse)


async def test_the_same_request_gets_the_same_answer_and_another_one_nothing(served: Served) -> None:
    value, waiting = blinded(), [blinded() for _ in range(WAITING_TOKENS)]
    status, first = await signed(served, {"blinded": value, "waiting": waiting})
    assert status == 200
    assert (await signed(served, {"blinded": value, "waiting": waiting}))[1]["data"] == first["data"]
    for other in ([], waiting[:-1], [*waiting[:-1], blinded()]):
        status, ack = await signed(served, {"blinded": value, "waiting": other})
        assert (status, ack["error"]["code"]) == (409, "already_issued")


@pytest.mark.parametrize("waiting", [[""], ["AA"], [blinded()] * (WAITING_TOKENS + 1)])
async def test_what_is_no_blinded_value_binds_nobody(served: Served, waiting: list[str]) -> None:
    status, ack = await signed(served, {"blinded": blinded(), "waiting": waiting})
    assert status in (400, 422) and ack["error"]["code"] in ("bad_blinded", "bad_request", "list_too_long"), ack
    assert (await signed(served, {"blinded": blinded()}))[0] == 200


async def test_the_card_has_both_keys(served: Served) -> None:
    _, ack = await served.ask("GET", "/api/v1/issuances/TESTED/organiser", served.issuer.organiser_key)
    card = Issuer(**{**ack["data"]["issuer"], "kinds": tuple(ack["data"]["issuer"]["kinds"])})
    assert public_key(card) != waiting_key(card) and len(waiting_key(card)) == len(public_key(card))
    assert waiting_key(Issuer(url="https://a", key=card.key)) == b""


async def test_a_town_hall_from_before_goes_on_without(served: Served, tmp_path: Path) -> None:
    (tmp_path / "data" / "issuer" / "keys" / "TESTED.waiting.key").unlink()
    assert (await signed(served, {"blinded": blinded(), "waiting": [blinded()]}))[1]["error"]["code"] == "bad_blinded"
    status, ack = await signed(served, {"blinded": blinded()})
    assert status == 200 and ack["data"]["waiting"] == []


async def test_closing_destroys_both_keys(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "issuer" / "keys"
    assert len(list(folder.iterdir())) == 3
    await served.ask("POST", "/api/v1/issuances/TESTED/close", served.issuer.organiser_key)
    assert not list(folder.iterdir()) and KeyFiles(folder).load("TESTED") is None
