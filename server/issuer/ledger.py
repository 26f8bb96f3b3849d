"""Which town halls there are, and their invitations, in SQLite. Who has a signature stands elsewhere (issued.py).

    issuance(code, …)                     one row a town hall
    invited(code, secret, person)         invitations: secret = SHA256(secret), person = opaque id (people.py)

After each change of `invited` the file is written anew in the order of the keys, with nothing of before in it (VACUUM, in
memory): a page of SQLite keeps the order in which its rows came. `secure_delete`: what is deleted is zeroed.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from server.issuer.eligibility import Issuance

_SCHEMA = """
CREATE TABLE IF NOT EXISTS issuance (code TEXT PRIMARY KEY, facts BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invited (
    code TEXT NOT NULL, secret BLOB NOT NULL, person BLOB NOT NULL, PRIMARY KEY (code, secret)
) WITHOUT ROWID;
"""


_PRAGMAS = (
    *("secure_delete = ON", "journal_mode = TRUNCATE", "synchronous = FULL"),
    *("trusted_schema = OFF", "temp_store = MEMORY"),
)


class Invited(NamedTuple):
    """`secret`: SHA-256 of it. `person`: an opaque id."""

    secret: bytes
    person: bytes


class Ledger:
    """Not safe for threads: its owner calls it from one (issuances.py). Every write is on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        # SQLite would make the file as the umask says, and its journal as the file is.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        for pragma in _PRAGMAS:
            with closing(self._db.execute(f"PRAGMA {pragma}")) as cursor:
                cursor.fetchall()
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def bound_before(self) -> list[tuple[str, bytes, bytes]]:
        """(code, person, blinded) of a version that kept who has a signature here; then they can be dropped."""
        there = self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'issued'").fetchone()
        return self._db.execute("SELECT code, person, blinded FROM issued").fetchall() if there else []

    def drop_bound_before(self) -> None:
        """Drop that table, and every trace of the order in which it was filled. Idempotent."""
        if self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'issued'").fetchone():
            self._db.execute("DROP TABLE issued")
            self._db.execute("VACUUM")

    @property
    def connection(self) -> sqlite3.Connection:
        """For whoever looks into the file; on the owner's thread only."""
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

    # --- invitations ---
    def invited(self, code: str, secret: bytes) -> bytes | None:
        """Who holds the invitation with this hash; None: there is none."""
        row = self._db.execute("SELECT person FROM invited WHERE code = ? AND secret = ?", (code, secret)).fetchone()
        return None if row is None else bytes(row[0])

    def invite(self, code: str, made: Sequence[Invited]) -> int:
        """Keep these; older ones of the same people end. How many those were comes back."""
        with self._rewritten():
            before = self._db.total_changes
            self._db.executemany("DELETE FROM invited WHERE code = ? AND person = ?", [(code, one.person) for one in made])
            ended = self._db.total_changes - before
            self._db.executemany(
                "INSERT INTO invited (code, secret, person) VALUES (?, ?, ?)", [(code, *one) for one in sorted(made)]
            )
        return ended

    def invitations(self, code: str) -> list[Invited]:
        """In the order of the hashes."""
        sql = "SELECT secret, person FROM invited WHERE code = ? ORDER BY secret"
        return [Invited(bytes(secret), bytes(person)) for secret, person in self._db.execute(sql, (code,))]

    def void(self, code: str, secrets: Sequence[bytes]) -> None:
        """End these invitations."""
        with self._rewritten():
            self._db.executemany("DELETE FROM invited WHERE code = ? AND secret = ?", [(code, one) for one in secrets])

    def count_invited(self, code: str) -> int:
        """How many invitations hold."""
        return int(self._db.execute("SELECT COUNT(*) FROM invited WHERE code = ?", (code,)).fetchone()[0])

    def forget(self, code: str) -> None:
        """Delete who was invited. Idempotent."""
        if self.count_invited(code):
            with self._rewritten():
                self._db.execute("DELETE FROM invited WHERE code = ?", (code,))

    @contextmanager
    def _rewritten(self) -> Iterator[None]:
        """A transaction, after which the file is written anew."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("VACUUM")
