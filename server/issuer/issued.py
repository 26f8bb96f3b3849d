"""Who has a signature: one file a town hall, of rows in the order of their values, written anew as a whole.

    row = person ‖ blinded        person = HMAC-SHA256(pepper of the town hall, opaque id), blinded = SHA256(blinded values)

A database keeps the order in which rows came: in its cells, pages, free list and journal. Here each change writes a new file
with all rows, sorted; the file that it replaces is overwritten before it is gone. Times of file and folder are set to a
constant. A person who is known by several ids has a row for each, with the same `blinded`. The signature itself is not kept:
signing is deterministic, so that the same blinded values get the same answer again.

What remains: of two copies of the file, the difference tells who came in between, and its size how many ids there are. The
file system itself notes when the file was made (ctime, birth time): the moment of the last signature, of which no copy made by
ordinary means knows. Where a disk copies on write, or where power fails between rename and overwriting, the blocks of the file
that was replaced live on until they are used again.
"""

import contextlib
import fcntl
import os
import secrets
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

HASH = 32
ROW = 2 * HASH

Entered = Literal["new", "same", "other", "closed"]
"""What the file says of a person who asks: had none, asks again with the same blinded values, with others; no more are given."""


class Asked(NamedTuple):
    """`people`: every id that one person is known by, keyed. `blinded`: what they are bound to."""

    code: str
    people: tuple[bytes, ...]
    blinded: bytes


class IssuedFiles:
    """`folder` is made with mode 0700. `open(code)`: whether entries are given out still; asked while nobody else writes.

    Safe for several processes: whoever writes holds the lock of the folder. Not for the event loop: it waits for the disk.
    """

    def __init__(self, folder: Path, open: Callable[[str], bool]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._open = open
        with self._locked():
            for left in folder.glob(".new-*"):  # of a process that ended while it wrote
                _erase(left)

    def enter(self, asked: Sequence[Asked]) -> list[Entered]:
        """Bind each person to their blinded values, unless one of their ids is bound. One write a town hall, on disk when the
        call returns. Of many at once with one id the first counts.
        """
        found: dict[int, Entered] = {}
        with self._locked():
            for code in dict.fromkeys(one.code for one in asked):
                places = [place for place, one in enumerate(asked) if one.code == code]
                found.update(zip(places, self._enter(code, [asked[place] for place in places]), strict=True))
        return [found[place] for place in range(len(asked))]

    def count(self, code: str) -> int:
        """How many people have a signature."""
        return len({row[HASH:] for row in self._rows(code)})

    def bound(self, code: str, people: Sequence[bytes]) -> list[bool]:
        """Of each keyed id, whether it has a signature."""
        rows = self._rows(code)
        return [_blinded(rows, person) is not None for person in people]

    def forget(self, code: str) -> None:
        """Overwrite the file, and delete it. Idempotent."""
        if (self._folder / code).exists():
            with self._locked():
                _erase(self._folder / code)
                self._timeless()

    def _enter(self, code: str, asked: Sequence[Asked]) -> list[Entered]:
        if not self._open(code):
            return ["closed"] * len(asked)
        rows, fresh, found = self._rows(code), dict[bytes, bytes](), list[Entered]()
        for one in asked:
            bound = {person: fresh.get(person) or _blinded(rows, person) for person in one.people}
            missing = [person for person, blinded in bound.items() if blinded is None]
            if any(blinded not in (None, one.blinded) for blinded in bound.values()):
                found.append("other")
            else:
                found.append("new" if missing else "same")
                fresh.update(dict.fromkeys(missing, one.blinded))
        if fresh:
            self._write(code, sorted([*rows, *(person + blinded for person, blinded in fresh.items())]))
        return found

    def _rows(self, code: str) -> list[bytes]:
        try:
            raw = (self._folder / code).read_bytes()
        except FileNotFoundError:
            return []
        return [raw[start : start + ROW] for start in range(0, len(raw), ROW)]

    def _write(self, code: str, rows: Sequence[bytes]) -> None:
        path, made = self._folder / code, self._folder / f".new-{secrets.token_hex(16)}"
        try:
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(b"".join(rows))
                file.flush()
                os.utime(file.fileno(), (0, 0))
                os.fsync(file.fileno())
            with contextlib.ExitStack() as stack:
                # Held open, the file that is replaced can still be overwritten when it has no name any more.
                old = stack.enter_context(path.open("r+b")) if path.exists() else None
                made.rename(path)
                self._timeless()
                if old is not None:
                    _overwrite(old.fileno())
        except OSError:
            _erase(made)
            raise

    def _timeless(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.utime(descriptor, (0, 0))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _blinded(rows: Sequence[bytes], person: bytes) -> bytes | None:
    place = bisect_left(rows, person)
    return rows[place][HASH:] if place < len(rows) and rows[place].startswith(person) else None


def _overwrite(descriptor: int) -> None:
    os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)


def _erase(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            _overwrite(file.fileno())
        path.unlink()
