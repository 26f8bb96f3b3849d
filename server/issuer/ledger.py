"""Who has a signature, in SQLite: keyed hashes without order or time. And which town halls there are, with their keys.

    issuance(code, …)                     one row a town hall
    invited(code, secret, person)         invitations: secret = SHA256(secret), person = opaque id (people.py)
    issued(code, person, blinded)         person = HMAC-SHA256(pepper of the town hall, opaque id), blinded = SHA256(blinded)

The signature itself is not kept: signing is deterministic, so that the same blinded value gets the same answer again.
WITHOUT ROWID: rows lie in the order of the hashes, and nothing counts them up. `secure_delete`: what is deleted is zeroed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from server.issuer.eligibility import Issuance

_SCHEMA = """
CREATE TABLE IF NOT EXISTS issuance (code TEXT PRIMARY KEY, facts BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issued (
    code TEXT NOT NULL, person BLOB NOT NULL, blinded BLOB NOT NULL, PRIMARY KEY (code, person)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invited (
    code TEXT NOT NULL, secret BLOB NOT NULL, person BLOB NOT NULL, PRIMARY KEY (code, secret)
) WITHOUT ROWID;
"""
Entered = Literal["new", "same", "other"]
"""What the ledger says of a person who asks: had none, asks again with the same blinded value, with another one."""


class Ledger:
    """Not safe for threads: its owner calls it from one (issuances.py). Every write is on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        for pragma in ("secure_delete = ON", "journal_mode = TRUNCATE", "synchronous = FULL", "trusted_schema = OFF"):
            with closing(self._db.execute(f"PRAGMA {pragma}")) as cursor:
                cursor.fetchall()
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """For a way of being eligible that keeps a table of its own; on the owner's thread only."""
        return self._db

    def put(self, issuance: Issuance) -> bool:
        """Keep a new issuance; False: there is one of this code."""
        facts = msgspec.msgpack.encode(issuance)
        done = self._db.execute("INSERT OR IGNORE INTO issuance (code, facts) VALUES (?, ?)", (issuance.code, facts))
        return done.rowcount == 1

    def replace(self, issuance: Issuance) -> None:
        """Keep the issuance as it is now."""
        facts = msgspec.msgpack.encode(issuance)
        self._db.execute("UPDATE issuance SET facts = ? WHERE code = ?", (facts, issuance.code))

    def get(self, code: str) -> Issuance | None:
        """None: there is none."""
        row = self._db.execute("SELECT facts FROM issuance WHERE code = ?", (code,)).fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0], type=Issuance)

    def all(self) -> Iterator[Issuance]:
        """By code."""
        for (facts,) in self._db.execute("SELECT facts FROM issuance ORDER BY code").fetchall():
            yield msgspec.msgpack.decode(facts, type=Issuance)

    def enter(self, code: str, person: bytes, blinded: bytes) -> Entered:
        """Bind `person` to `blinded`, unless they are bound. Atomic: of many at once one is the first."""
        done = self._db.execute("INSERT OR IGNORE INTO issued (code, person, blinded) VALUES (?, ?, ?)", (code, person, blinded))
        if done.rowcount == 1:
            return "new"
        row = self._db.execute("SELECT blinded FROM issued WHERE code = ? AND person = ?", (code, person)).fetchone()
        return "same" if row is not None and row[0] == blinded else "other"

    def count(self, code: str) -> int:
        """How many have a signature."""
        return int(self._db.execute("SELECT COUNT(*) FROM issued WHERE code = ?", (code,)).fetchone()[0])

    def forget(self, code: str) -> int:
        """Delete who was invited and who had a signature, and rewrite the file; the count comes back."""
        count = self.count(code)
        self._db.execute("DELETE FROM issued WHERE code = ?", (code,))
        self._db.execute("DELETE FROM invited WHERE code = ?", (code,))
        self._db.execute("VACUUM")
        return count
