"""Personal invitations: one a person, told once, kept as a hash.

From a CSV of names or addresses comes a secret for each row. Who it went to is known while the file is being made or the
mail sent, and then no more: kept are SHA-256 of the secret and the person's keyed id.
"""

import csv
import hashlib
import io
import secrets
import sqlite3
import unicodedata
from collections.abc import Sequence
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
from server.issuer.ledger import Ledger
from server.issuer.people import People

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


class Invitation(NamedTuple):
    """`url`: with the secret in its fragment."""

    guest: Guest
    secret: str
    url: str


def guests(raw: bytes, lang: Language) -> list[Guest] | Refusal:
    """The rows of a CSV file, each address once; or `bad_csv` with the line and the reason."""

    def bad(key: str, line: int = 0, **params: object) -> Refusal:
        why = sentence(lang, "csv", key, **params)
        return Refusal("bad_csv", {"why": sentence(lang, "csv", "line", line=line, why=why) if line else why})

    text = decoded(raw)
    if text is None:
        return bad("encoding")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    found: dict[str, Guest] = {}
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
            found.setdefault(guest.address.casefold() or f"#{rows.line_num}", guest)
            if len(found) > limit("guests"):
                return bad("too_many_guests", rows.line_num, max=limit("guests"))
    except csv.Error:
        return bad("quotes", rows.line_num)
    return list(found.values()) or bad("no_guests")


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

    async def person(self, request: web.Request, issuance: Issuance, proof: str) -> bytes | Refusal:
        """Whoever holds the invitation `proof`."""
        digest = _hash(proof)

        def look(ledger: Ledger) -> bytes | None:
            sql = "SELECT person FROM invited WHERE code = ? AND secret = ?"
            row = ledger.connection.execute(sql, (issuance.code, digest)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._issuances.on_ledger(look) or Refusal("not_eligible")

    async def invite(self, issuance: Issuance, invited: Sequence[Guest], public_url: str) -> list[Invitation]:
        """A new invitation for each; an older one of the same address works no longer."""
        made, rows = [], []
        for guest in invited:
            letters = [secrets.choice(LETTERS) for _ in range(GROUPS * GROUP)]
            secret = "-".join("".join(letters[start : start + GROUP]) for start in range(0, len(letters), GROUP))
            digest = _hash(secret)
            person = self._people.by_mail(guest.address) if guest.address else self._people.by_invitation(digest)
            rows.append((issuance.code, digest, person))
            made.append(Invitation(guest, secret, f"{public_url}/admit/{issuance.code}#i={secret}"))
        # In no order that the file's could be told from.
        rows.sort()

        def keep(ledger: Ledger) -> None:
            db = ledger.connection
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany("DELETE FROM invited WHERE code = ? AND person = ?", [(code, person) for code, _, person in rows])
                db.executemany("INSERT INTO invited (code, secret, person) VALUES (?, ?, ?)", rows)
                db.execute("COMMIT")
            except sqlite3.Error:
                db.execute("ROLLBACK")
                raise

        await self._issuances.on_ledger(keep)
        return made

    async def count(self, issuance: Issuance) -> int:
        """How many invitations there are."""

        def look(ledger: Ledger) -> int:
            row = ledger.connection.execute("SELECT COUNT(*) FROM invited WHERE code = ?", (issuance.code,)).fetchone()
            return int(row[0])

        return await self._issuances.on_ledger(look)
