"""Personal invitations: one a person, told once, kept as a hash.

From a CSV of names or addresses comes a secret for each row. Who it went to is known while the file is being made or the
mail sent, and then no more: kept are SHA-256 of the secret and the person's keyed id.
"""

import csv
import hashlib
import io
import secrets
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from aiohttp import web

from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import sentence
from protocol.setup import EligibilityKind
from server.csv_files import decoded, delimiter
from server.issuer.eligibility import Issuance
from server.issuer.issuances import Issuances
from server.issuer.ledger import Invited as Kept
from server.issuer.ledger import Ledger
from server.issuer.people import People, same_address

LETTERS: Final = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Without those that are mistaken for each other on paper."""
GROUPS, GROUP = 6, 4
"""24 letters of 30: 117 bits. Written in groups so that they can be typed from a slip."""
COLUMNS: Final = {
    "name": ("성명", "이름", "직원명", "name"),
    "address": ("이메일", "전자우편", "메일", "email", "e-mail", "mail", "address"),
}


class Guest(NamedTuple):
    """A row of the organiser's file. Either may be "", not both."""

    name: str
    address: str


class GuestList(NamedTuple):
    """`guests`: each address once. `same_address`, `same_name`: rows that share theirs with another row; the name where one of
    these has no address to be told apart by.
    """

    guests: list[Guest]
    same_address: int
    same_name: int


class Invitation(NamedTuple):
    """`url`: with the secret in its fragment."""

    guest: Guest
    secret: str
    url: str


class Invited(NamedTuple):
    """`holding`: how many invitations are good now; `replaced`: how many older ones are so no longer."""

    made: list[Invitation]
    holding: int
    replaced: int


def guests(raw: bytes, lang: Language) -> GuestList | Refusal:
    """The rows of a CSV file; or `bad_csv` with the line and the reason."""

    def bad(key: str, line: int = 0, **params: object) -> Refusal:
        why = sentence(lang, "csv", key, **params)
        return Refusal("bad_csv", {"why": sentence(lang, "csv", "line", line=line, why=why) if line else why})

    text = decoded(raw)
    if text is None:
        return bad("encoding")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    found: list[Guest] = []
    try:
        header = [unicodedata.normalize("NFC", cell).strip().casefold() for cell in next(rows, [])]
        places = {field: _first(header, aliases) for field, aliases in COLUMNS.items()}
        if not any(place is not None for place in places.values()):
            return bad("columns", 1, columns=", ".join(aliases[0] for aliases in COLUMNS.values()))
        for cells in rows:
            cell = {f: " ".join(cells[p].split()) for f, p in places.items() if p is not None and p < len(cells)}
            guest = Guest(cell.get("name", ""), cell.get("address", ""))
            if guest == Guest("", ""):
                continue
            if any(len(part) > limit("guest_letters") or not part.isprintable() for part in guest):
                return bad("too_long", rows.line_num, column=COLUMNS["name"][0], max=limit("guest_letters"))
            if guest.address and not is_address(guest.address):
                return bad("no_address", rows.line_num, address=guest.address)
            found.append(guest)
            if len(found) > limit("guests"):
                return bad("too_many_guests", rows.line_num, max=limit("guests"))
    except csv.Error:
        return bad("quotes", rows.line_num)
    return _told_apart(found) if found else bad("no_guests")


def _told_apart(rows: Sequence[Guest]) -> GuestList:
    addresses = Counter(same_address(row.address) for row in rows if row.address)
    names = Counter(row.name for row in rows if row.name)
    bare = {row.name for row in rows if not row.address}
    once = dict[str, Guest]()
    for place, row in enumerate(rows):
        once.setdefault(same_address(row.address) or f"#{place}", row)
    return GuestList(
        list(once.values()),
        sum(count for count in addresses.values() if count > 1),
        sum(count for name, count in names.items() if count > 1 and name in bare),
    )


def _first(header: Sequence[str], aliases: Sequence[str]) -> int | None:
    return next((place for place, name in enumerate(header) if name in aliases), None)


def is_address(text: str) -> bool:
    """Whether mail may be sent there: one `@`, a host after it, nothing that a header or a command could be made of."""
    name, at, host = text.rpartition("@")
    plain = text.isascii() and not set(text) & set(' \t\r\n<>(),;:\\"[]')
    return bool(plain and at and name and "@" not in name and "." in host.strip(".") and not host.startswith("-"))


def normal(secret: str) -> str:
    """As it was made, however it was typed: without spaces and hyphens, in capitals."""
    return "".join(letter for letter in secret.upper() if letter.isalnum())


def _hash(secret: str) -> bytes:
    return hashlib.sha256(normal(secret).encode()).digest()


class Invitations:
    """The way of being eligible by invitation. `url(code)`: of the issuer's page for a town hall."""

    kind: Final[EligibilityKind] = "invitation"

    def __init__(self, issuances: Issuances, people: People) -> None:
        self._issuances = issuances
        self._people = people

    def routes(self) -> Sequence[web.RouteDef]:
        """None of its own; the organiser's are in invitation_routes.py."""
        return ()

    async def person(self, request: web.Request, issuance: Issuance, proof: str) -> tuple[bytes, ...] | Refusal:
        """Whoever holds the invitation `proof`."""
        found = await self._issuances.on_ledger(partial(Ledger.invited, code=issuance.code, secret=_hash(proof)))
        return Refusal("not_eligible") if found is None else (found,)

    def given(self, request: web.Request, response: web.StreamResponse) -> None:
        """Nothing to drop: the ledger has bound the invitation's holder."""

    async def invite(self, issuance: Issuance, invited: Sequence[Guest], public_url: str) -> Invited:
        """A new invitation for each; an older one of the same address, or of the same row of a list of names, ends."""
        made, rows, names = list[Invitation](), list[Kept](), Counter[str]()
        for guest in invited:
            letters = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)]
            secret = "-".join("".join(letters[start : start + GROUP]) for start in range(0, len(letters), GROUP))
            if not guest.address:
                names[guest.name] += 1
            rows.append(Kept(_hash(secret), self._person(guest, names[guest.name])))
            made.append(Invitation(guest, secret, f"{public_url}/admit/{issuance.code}#i={secret}"))
        replaced = await self._issuances.on_ledger(partial(Ledger.invite, code=issuance.code, made=rows))
        return Invited(made, await self.count(issuance), replaced)

    async def void(self, issuance: Issuance) -> int:
        """End every invitation that nobody has used; how many those were. Used ones stay, so that an answer that was lost can
        be had again.
        """
        held = await self._issuances.on_ledger(partial(Ledger.invitations, code=issuance.code))
        used = await self._issuances.have(issuance, [one.person for one in held])
        unused = [one.secret for one, has in zip(held, used, strict=True) if not has]
        await self._issuances.on_ledger(partial(Ledger.void, code=issuance.code, secrets=unused))
        return len(unused)

    async def count(self, issuance: Issuance) -> int:
        """How many invitations hold."""
        return await self._issuances.on_ledger(partial(Ledger.count_invited, code=issuance.code))

    def _person(self, guest: Guest, place: int) -> bytes:
        return self._people.by_mail(guest.address) if guest.address else self._people.by_name(guest.name, place)
