"""H4: whoever copies the issuer's folder, whenever and however often, learns from no byte of it who signed before whom.

A copy is made after each signing. In every file of it the rows of people are looked for, at every place; their order in the
file is held against the order in which they signed: over the whole file, within each page of it, and for the newest row alone.
"""

import asyncio
import math
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from protocol.setup import EligibilityKind
from server.issuer.blind import BlindSigner
from server.issuer.eligibility import Issuance
from server.issuer.issuances import Issuances
from server.issuer.issued import ROW, Asked, IssuedFiles
from server.issuer.ledger import Invited, Ledger
from tests.issuer.serving import blinded, issuing

PAGE = 4_096
Signing = Callable[[], Iterator[tuple[bytes, ...]]]
"""Signs once at each step; gives the values by which that person's row is found."""


class Order:
    """What the copies of one folder tell. Each figure is about 0, with a standard deviation of 1, if they tell nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._born: dict[bytes, int] = {}
        self._newest = self._copies = 0.0
        self.worst = 0.0

    def signed(self, values: Sequence[bytes], *, look: bool = True) -> None:
        """Somebody has signed: copy the folder, and look."""
        person = len(set(self._born.values()))
        self._born.update(dict.fromkeys(values, person))
        if not look:
            return
        for path in self._folder.rglob("*"):
            if path.is_file():
                self._look(path.read_bytes(), person)

    @property
    def newest(self) -> float:
        """How far from the middle of its neighbours the newest row lies, over all copies."""
        return 0.0 if not self._copies else self._newest * math.sqrt(12 / self._copies)

    def _look(self, raw: bytes, person: int) -> None:
        found = sorted((place, born) for value, born in self._born.items() for place in places(raw, value))
        if len(found) < 10:
            return
        self.worst = max(self.worst, abs(kendall([born for _, born in found])))
        pages: dict[int, list[int]] = {}
        for place, born in found:
            pages.setdefault(place // PAGE, []).append(born)
        score, variance = 0.0, 0.0
        for borns in pages.values():
            score += sum((b > a) - (b < a) for a, b in combinations(borns[:60], 2))
            variance += spread(len(borns[:60]))
            if person in borns and len(borns) > 1:
                self._newest += borns.index(person) / (len(borns) - 1) - 0.5
                self._copies += 1
        self.worst = max(self.worst, abs(score) / math.sqrt(variance))


def places(raw: bytes, value: bytes) -> Iterator[int]:
    """Every place of `value` in `raw`."""
    place = raw.find(value)
    while place >= 0:
        yield place
        place = raw.find(value, place + 1)


def spread(count: int) -> float:
    """Variance of Kendall's score of `count` without ties."""
    return max(count * (count - 1) * (2 * count + 5) / 18, 1.0)


def kendall(borns: Sequence[int]) -> float:
    """Kendall's score in standard deviations; of a sample of pairs at equal distances, so that 2,000 take no minutes."""
    step = max(1, len(borns) // 150)
    score = variance = 0.0
    for start in range(step):
        part = borns[start::step]
        score += sum((b > a) - (b < a) for a, b in combinations(part, 2))
        variance += spread(len(part))
    return score / math.sqrt(variance)


LIMIT = 5.0
"""Standard deviations. The copies of one run are much alike, so that a sound folder passes it once in hundreds of thousands."""


def in_files(folder: Path) -> Callable[[int], bytes]:
    files = IssuedFiles(folder / "issued", lambda code: True)

    def sign(number: int) -> bytes:
        person = secrets.token_bytes(32)
        assert files.enter([Asked("TESTED", (person,), secrets.token_bytes(32))]) == ["new"]
        return person

    return sign


def in_sqlite(folder: Path) -> Callable[[int], bytes]:
    """As it was: a table without rowids, sorted by the hash."""
    folder.mkdir()
    db = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
    for pragma in ("secure_delete = ON", "journal_mode = TRUNCATE", "synchronous = OFF"):
        with closing(db.execute(f"PRAGMA {pragma}")) as cursor:
            cursor.fetchall()
    db.execute("CREATE TABLE issued (code TEXT, person BLOB, blinded BLOB, PRIMARY KEY (code, person)) WITHOUT ROWID")

    def sign(number: int) -> bytes:
        person = secrets.token_bytes(32)
        db.execute("INSERT INTO issued VALUES (?, ?, ?)", ("TESTED", person, secrets.token_bytes(32)))
        return person

    return sign


@pytest.mark.parametrize("people", [20, 200, 2_000])
@pytest.mark.parametrize("broken", [False, True])
def test_no_copy_tells_who_signed_before_whom(tmp_path: Path, people: int, broken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # The files hold the same however they reach the disk.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder = tmp_path / "issuer"
    sign = (in_sqlite if broken else in_files)(folder)
    order = Order(folder)
    for number in range(people):
        order.signed([sign(number)], look=people <= 200 or number % 40 == 39)
    told = max(order.worst, abs(order.newest))
    assert told > LIMIT if broken else told < LIMIT, (order.worst, order.newest)


async def test_no_copy_of_a_real_issuer_tells_it(tmp_path: Path) -> None:
    """20 people with invitations, through its interface, invited anew in between; keys as they are stored are looked for."""
    folder = tmp_path / "data" / "issuer"
    async with issuing(tmp_path / "data") as served:
        await served.issuance("invitation")
        names = "".join(f"p{number}@town.example.org\n" for number in range(20))
        made = (await served.invite("email\n" + names)).raw.decode().splitlines()[1:]
        codes = [line.rsplit(",", 1)[1] for line in made]
        secrets.SystemRandom().shuffle(codes)
        order, before = Order(folder), set[bytes]()
        for number, code in enumerate(codes):
            assert (await served.sign("invitation", code))[0] == 200
            raw = (folder / "issued" / "TESTED").read_bytes()
            rows = {raw[start : start + ROW] for start in range(0, len(raw), ROW)}
            assert len(rows) == number + 1 and rows > before
            (new,) = rows - before
            before = rows
            order.signed([new[:32], new[32:]])
    assert max(order.worst, abs(order.newest)) < LIMIT


def test_invitations_made_again_tell_no_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.connection.execute("PRAGMA synchronous = OFF").close()
    order = Order(tmp_path)
    for _ in range(200):
        one = Invited(secrets.token_bytes(32), secrets.token_bytes(32))
        ledger.invite("TESTED", [one])
        order.signed([one.secret])
    ledger.close()
    assert max(order.worst, abs(order.newest)) < LIMIT


# --- what else a copy could tell ---
def test_sizes_times_and_names_are_those_of_the_number_alone(tmp_path: Path) -> None:
    folder = tmp_path / "issued"
    files = IssuedFiles(folder, lambda code: True)
    for number in range(1, 6):
        files.enter([Asked("TESTED", (secrets.token_bytes(32),), secrets.token_bytes(32))])
        path = folder / "TESTED"
        assert {one.name for one in folder.iterdir()} == {"TESTED", ".lock"}
        assert path.stat().st_size == number * ROW and path.stat().st_mtime == folder.stat().st_mtime == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (folder / ".lock").stat().st_size == 0


def test_what_is_replaced_is_overwritten_before_it_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "issued"
    files = IssuedFiles(folder, lambda code: True)
    people = [secrets.token_bytes(32) for _ in range(3)]
    files.enter([Asked("TESTED", (people[0],), secrets.token_bytes(32))])
    with (folder / "TESTED").open("rb") as held:
        files.enter([Asked("TESTED", (people[1],), secrets.token_bytes(32))])
        assert held.read() == bytes(ROW)
    with (folder / "TESTED").open("rb") as held:
        files.forget("TESTED")
        assert held.read() == bytes(2 * ROW) and not (folder / "TESTED").exists()
    (folder / ".new-left").write_bytes(people[2])
    with (folder / ".new-left").open("rb") as held:
        IssuedFiles(folder, lambda code: True)
        assert held.read() == bytes(32) and not (folder / ".new-left").exists()


# --- one person, whoever asks at the same time ---
def test_all_ids_of_a_person_are_bound(tmp_path: Path) -> None:
    files = IssuedFiles(tmp_path / "issued", lambda code: True)
    a, b, c, one, other = (secrets.token_bytes(32) for _ in range(5))

    def enter(*asked: tuple[tuple[bytes, ...], bytes]) -> list[str]:
        return list(files.enter([Asked("TESTED", people, value) for people, value in asked]))

    assert enter(((a,), one), ((a,), one), ((a,), other)) == ["new", "same", "other"]
    assert enter(((a, b), other)) == ["other"]
    assert enter(((b,), other)) == ["new"], "a refused request binds nothing"
    assert enter(((a, b), one)) == ["other"]
    assert enter(((a, c), one), ((c,), other)) == ["new", "other"]
    assert files.count("TESTED") == 2
    assert files.bound("TESTED", [a, b, c, secrets.token_bytes(32)]) == [True, True, True, False]


def test_two_processes_share_the_files(tmp_path: Path) -> None:
    """Each has its own; both write in turns, and neither takes back what the other has written."""
    both = [IssuedFiles(tmp_path / "issued", lambda code: True) for _ in range(2)]
    person = secrets.token_bytes(32)
    for turn in range(40):
        both[turn % 2].enter([Asked("TESTED", (secrets.token_bytes(32),), secrets.token_bytes(32))])
    assert both[0].enter([Asked("TESTED", (person,), b"1" * 32)]) == ["new"]
    assert both[1].enter([Asked("TESTED", (person,), b"2" * 32)]) == ["other"]
    assert both[0].count("TESTED") == both[1].count("TESTED") == 41


KINDS: tuple[EligibilityKind, ...] = ("open",)


async def made(folder: Path, change: Callable[[Issuances], Awaitable[None]]) -> None:
    issuances = Issuances(folder)
    await issuances.start()
    try:
        await change(issuances)
    finally:
        await issuances.stop()


async def test_what_another_process_has_closed_is_not_revived(tmp_path: Path) -> None:
    async def change(issuances: Issuances) -> None:
        found = await issuances.create("x", "ko", "http://localhost:1", KINDS, "CLOSED")
        assert isinstance(found, Issuance)
        value = secrets.token_bytes(383).rjust(384, b"\0")
        assert isinstance(await issuances.sign(found, b"first", value), bytes)
        beside = Issuances(tmp_path)
        closed = await beside.close_issuing(found)
        await beside.stop()
        assert closed.issued == 1
        # Ours still has the key in memory, and believes that it is open.
        answer = await issuances.sign(found, b"second", value)
        assert not isinstance(answer, bytes) and answer.code == "issuing_closed"
        assert not (tmp_path / "issued" / "CLOSED").exists()
        now = await issuances.get("CLOSED")
        assert now is not None and not now.open and await issuances.issued(now) == 1

    await made(tmp_path, change)


async def test_a_closing_that_was_cut_off_is_finished(tmp_path: Path) -> None:
    async def begin(issuances: Issuances) -> None:
        found = await issuances.create("x", "ko", "http://localhost:1", KINDS, "HALFWAY")
        assert isinstance(found, Issuance)
        await issuances.sign(found, b"first", secrets.token_bytes(383).rjust(384, b"\0"))

    async def look(issuances: Issuances) -> None:
        for _ in range(100):
            found = await issuances.get("HALFWAY")
            assert found is not None
            if not found.open and not (tmp_path / "issued" / "HALFWAY").exists():
                break
            await asyncio.sleep(0.02)
        assert found is not None and not found.open and found.issued == 1 and not (tmp_path / "issued" / "HALFWAY").exists()

    await made(tmp_path, begin)
    (tmp_path / "keys" / "HALFWAY.key").unlink()
    await made(tmp_path, look)


async def test_a_ledger_of_before_is_moved_and_leaves_nothing(tmp_path: Path) -> None:
    people = [secrets.token_bytes(32) for _ in range(5)]

    async def begin(issuances: Issuances) -> None:
        await issuances.create("x", "ko", "http://localhost:1", KINDS, "BEFORE")

    async def look(issuances: Issuances) -> None:
        found = await issuances.get("BEFORE")
        assert found is not None and await issuances.issued(found) == 5

    await made(tmp_path, begin)
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE issued (code TEXT, person BLOB, blinded BLOB, PRIMARY KEY (code, person)) WITHOUT ROWID")
        rows = [("BEFORE", person, secrets.token_bytes(32)) for person in people]
        db.executemany("INSERT INTO issued VALUES (?, ?, ?)", [*rows, ("GONE", people[0], people[0])])
    await made(tmp_path, look)
    raw = b"".join(one.read_bytes() for one in tmp_path.rglob("ledger*"))
    assert not [person for person in people if person in raw] and b"TABLE issued" not in raw
    assert not (tmp_path / "issued" / "GONE").exists()


# --- and fast ---
async def test_two_thousand_at_once_share_a_few_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = 0
    real = IssuedFiles._write

    def counted(self: IssuedFiles, code: str, rows: Sequence[bytes]) -> None:
        nonlocal writes
        writes += 1
        real(self, code, rows)

    async def change(issuances: Issuances) -> None:
        found = await issuances.create("x", "ko", "http://localhost:1", KINDS, "CROWD1")
        assert isinstance(found, Issuance)
        began = time.monotonic()
        asked = [issuances.sign(found, b"%d" % n, secrets.token_bytes(383).rjust(384, b"\0")) for n in range(2_000)]
        answers = await asyncio.gather(*asked)
        print(f"{2_000 / (time.monotonic() - began):,.0f} signings/s, {writes} writes")
        assert all(isinstance(answer, bytes) for answer in answers)
        assert await issuances.issued(found) == 2_000

    monkeypatch.setattr(IssuedFiles, "_write", counted)
    monkeypatch.setattr(BlindSigner, "sign", lambda self, value: value)
    await made(tmp_path, change)
    assert writes < 50


async def test_a_full_disk_is_told_and_binds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    served: str = blinded()
    async with issuing(tmp_path / "data") as found:
        await found.issuance("open")
        with monkeypatch.context() as patched:
            patched.setattr(IssuedFiles, "_write", full)
            status, ack = await found.sign("open", "a-browser-of-the-open-code", served)
            assert (status, ack["error"]["code"]) == (507, "disk_full")
        assert (await found.sign("open", "a-browser-of-the-open-code", served))[0] == 200
