"""One account is one voice, whatever becomes of its address; two people are two, however alike their addresses look."""

import json
import secrets
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protocol.refusals import Refusal
from server.issuer.blind import BlindSigner
from server.issuer.eligibility import Issuance
from server.issuer.invitations import Invitations, guests
from server.issuer.issuances import Issuances
from server.issuer.oidc import Oidc
from server.issuer.people import People, same_address
from server.secret import Secret
from server.settings import Settings
from tests.issuer.serving import Served, blinded, issuing
from tests.server.command import ran, started

PROVIDER = "https://login.example.org"
CAFE = "café@town.example.org"


class Town:
    """An issuer's books without its network, and single sign-on that is told what a provider would say."""

    def __init__(self, issuances: Issuances, issuance: Issuance) -> None:
        self.people = People(Secret(b"s" * 32))
        self.oidc = Oidc(Settings(), self.people, lambda: "https://admit.example.org")
        self.invitations = Invitations(issuances, self.people)
        self.issuances = issuances
        self.issuance = issuance

    async def entry(self, people: tuple[bytes, ...]) -> str:
        """ "entry" for a new blinded value, else the refusal."""
        value = secrets.token_bytes(383).rjust(384, b"\0")
        answer = await self.issuances.sign_all(self.issuance, people, value, ())
        return answer.code if isinstance(answer, Refusal) else "entry"

    async def signs_in(self, sub: str, **claims: Any) -> str:
        return await self.entry(self.oidc._who({"iss": PROVIDER, "sub": sub, **claims}))

    async def invited(self, address: str) -> str:
        """The same, by an invitation to `address`."""
        found = guests(f"email\n{address}\n".encode(), "en")
        assert not isinstance(found, Refusal)
        made = await self.invitations.invite(self.issuance, found.guests, "")
        person = await self.invitations.person(None, self.issuance, made.made[0].secret)  # type: ignore[arg-type]  # unused
        assert not isinstance(person, Refusal)
        return await self.entry(person)


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(BlindSigner, "sign", lambda self, value: value)
    issuances = Issuances(tmp_path)
    made = await issuances.create("x", "ko", "http://localhost:1", ("oidc", "invitation"), "VOICES")
    assert isinstance(made, Issuance)
    yield Town(issuances, made)
    await issuances.stop()


def mail(address: str, verified: object = True) -> dict[str, object]:
    return {"email": address, "email_verified": verified}


@pytest.mark.parametrize(
    "claims",
    [
        [mail("a@t.example", False), mail("a@t.example")],
        [mail("a@t.example"), mail("b@t.example"), mail("c@t.example"), {}],
        [mail("a@t.example", "true"), mail("a@t.example")],
        [mail("a@t.example"), mail("a@t.example", "true")],
        [mail(unicodedata.normalize("NFC", CAFE)), mail(unicodedata.normalize("NFD", CAFE))],
        [mail("A@T.example "), mail("a@t.example")],
        [{}, {}],
    ],
    ids=["unverified, then verified", "changed twice, then removed", "a string", "a string later", "Unicode", "case", "none"],
)
async def test_one_account_has_one_entry_whatever_its_address_does(town: Town, claims: list[dict[str, object]]) -> None:
    assert [await town.signs_in("one", **said) for said in claims] == ["entry", *["already_issued"] * (len(claims) - 1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("kim@t.example", "\u212aim@t.example"), ("strasse@t.example", "straße@t.example"), ("i@t.example", "İ@t.example")],
    ids=ascii,
)
async def test_two_people_whose_addresses_look_alike_are_two(town: Town, one: str, other: str) -> None:
    assert same_address(one) != same_address(other)
    assert await town.signs_in("other", **mail(other)) == "entry"
    assert await town.signs_in("one", **mail(one)) == "entry"


@pytest.mark.parametrize("verified", [False, "true", "false", 1, None])
async def test_an_address_counts_only_where_the_boolean_says_so(town: Town, verified: object) -> None:
    assert await town.invited("a@t.example") == "entry"
    assert await town.signs_in("another", **mail("a@t.example", verified)) == "entry"


async def test_an_invitation_and_a_sign_in_with_its_address_are_one_person(town: Town) -> None:
    assert await town.invited("a@t.example") == "entry"
    assert await town.signs_in("a", **mail("A@t.example")) == "already_issued"
    # Refused by the address, the account itself is bound to nothing.
    assert await town.signs_in("b", **mail("b@t.example")) == "entry"
    assert await town.invited("b@t.example") == "already_issued"
    assert await town.issuances.issued(town.issuance) == 2, "people are counted, not the ids that they are known by"


# --- lists of names, printed again ---
NAMES = "성명\n김하늘\n이바다\n김하늘\n"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with issuing(tmp_path / "data") as found:
        await found.issuance("invitation")
        yield found


async def codes(served: Served, people: str = NAMES) -> tuple[list[str], dict[str, int]]:

    answer = await served.invite(people)
    assert answer.status == 200, answer.raw
    return [line.rsplit(",", 1)[1] for line in answer.raw.decode().splitlines()[1:]], json.loads(answer.headers["X-Invitations"])


async def test_a_list_of_names_printed_again_ends_the_codes_of_the_same_rows(served: Served) -> None:
    first, told = await codes(served)
    assert told == {"invited": 3, "holding": 3, "replaced": 0, "same_address": 0, "same_name": 2}
    assert (await served.sign("invitation", first[0]))[0] == 200
    again, told = await codes(served)
    assert (told["invited"], told["holding"], told["replaced"]) == (3, 3, 3)
    for code in first:
        assert (await served.sign("invitation", code))[1]["error"]["code"] == "not_eligible"
    # The first row's entry was given out; the third row has the same name, and is somebody else.
    assert (await served.sign("invitation", again[0]))[1]["error"]["code"] == "already_issued"
    assert (await served.sign("invitation", again[2]))[0] == 200


async def test_two_rows_with_one_address_are_told(served: Served) -> None:
    made, told = await codes(served, "name,email\nA,x@t.example\nB,X@t.example\nC,c@t.example\nC,d@t.example\n")
    assert len(made) == 3 and (told["invited"], told["same_address"], told["same_name"]) == (3, 2, 0)


async def test_unused_invitations_can_be_ended(served: Served) -> None:
    made, _ = await codes(served)
    value = blinded()
    _, ack = await served.sign("invitation", made[0], value)
    key = served.issuer.organiser_key
    assert (await served.ask("DELETE", "/api/v1/issuances/TESTED/invitations", "x"))[0] == 401
    _, told = await served.ask("DELETE", "/api/v1/issuances/TESTED/invitations", key)
    assert told["data"] == {"voided": 2, "holding": 1}
    assert (await served.sign("invitation", made[1]))[1]["error"]["code"] == "not_eligible"
    assert (await served.sign("invitation", made[0], value))[1]["data"] == ack["data"], "an answer that was lost"


async def test_the_command_line_tells_the_same(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(NAMES + "박산\n", "utf-8")
    (tmp_path / "more.csv").write_text("name,email\nA,x@t.example\nB,x@t.example\n")
    async with started("issuer", "--issuer-port", "0", folder=tmp_path) as issuer:
        await issuer.says("issuer: ")
        await ran("issuance", "NOV24", "--title", "x", "--who", "invitation", folder=tmp_path)
        await ran("invite", "NOV24", "people.csv", folder=tmp_path)
        _, _, said = await ran("invite", "NOV24", "people.csv", folder=tmp_path)
        assert "4 invitations hold now. 4 earlier ones" in said and "2 rows have a name" in said
        _, _, said = await ran("invite", "NOV24", "more.csv", folder=tmp_path)
        assert "5 invitations hold now. 0 earlier ones" in said and "2 rows have an address" in said
        _, out, _ = await ran("invite", "NOV24", "--void", folder=tmp_path)
        assert out.startswith("5 unused invitations were ended")
        for arguments in ((), ("people.csv", "--void")):
            code, _, said = await ran("invite", "NOV24", *arguments, folder=tmp_path)
            assert code == 1 and "--void" in said
