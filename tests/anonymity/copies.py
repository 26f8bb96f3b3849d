"""Copies of both servers' folders and of the store's memory over the life of a town hall, and what can be tried with any set of
them. Nothing here knows how the files are made: values are looked for at every place.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.anonymity.test_canary import memory

PAGE = 4_096
Guess = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class File:
    """One file of a copy, with what is copied along."""

    content: bytes
    changed: float


@dataclass(frozen=True, slots=True)
class Copy:
    """`issuer`, `chat`: {name: file}; `store`: the memory of its process. `when`: words."""

    at: float
    when: str
    issuer: dict[str, File]
    chat: dict[str, File]
    store: bytes = b""


@dataclass(slots=True)
class Life:
    """All that there is. `rows`: {person: values by which their row can be known, made with all of the issuer's keys};
    `tokens`: {token: values that lead to it, with the chat's keys as long as it has them}. `batches`: tokens of those who were
    let in together, in the order of the log; `spoken`: tokens by their first message.
    """

    rows: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    tokens: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)
    batches: list[list[bytes]] = field(default_factory=list)
    spoken: list[bytes] = field(default_factory=list)


def copied(folder: Path) -> dict[str, File]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): File(path.read_bytes(), path.stat().st_mtime)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def take(folder: Path, at: float, when: str, store_pid: int | None) -> Copy:
    """Copy both folders below `folder`, and the store's memory."""
    return Copy(at, when, copied(folder / "issuer"), copied(folder / "chat"), memory(store_pid) if store_pid is not None else b"")


def place(content: bytes, values: Iterable[bytes]) -> int:
    """Of the first of these values that is there; -1: none is."""
    return next((found for found in map(content.find, values) if found >= 0), -1)


def in_order(content: bytes, marks: dict[str, tuple[bytes, ...]]) -> list[str]:
    """Whoever is there, as they stand."""
    found = [(place(content, values), who) for who, values in marks.items()]
    return [who for where, who in sorted(found) if where >= 0]


def tokens_in_order(content: bytes, marks: dict[bytes, tuple[bytes, ...]]) -> list[bytes]:
    """The same of tokens."""
    found = [(place(content, values), token) for token, values in marks.items()]
    return [token for where, token in sorted(found) if where >= 0]


def files_with(files: dict[str, File], marks: Iterable[tuple[bytes, ...]], least: int = 2) -> list[tuple[str, File]]:
    """The files in which several stand."""
    values = list(marks)
    return [(name, file) for name, file in files.items() if sum(place(file.content, one) >= 0 for one in values) >= least]


def newest_first(content: bytes, marks: dict[str, tuple[bytes, ...]]) -> list[str]:
    """As a database fills its pages: from the end, so that the newest row of a page stands first in it. Page by page, the
    rows at the same depth of each page after each other.
    """
    pages: dict[int, list[tuple[int, str]]] = {}
    for who, values in marks.items():
        where = place(content, values)
        if where >= 0:
            pages.setdefault(where // PAGE, []).append((where, who))
    columns = [[who for _, who in sorted(page)] for page in pages.values()]
    return [column[depth] for depth in range(max(map(len, columns), default=0)) for column in columns if depth < len(column)]


# --- attacks: one copy ---
def rows_and_tokens(life: Life, copy: Copy) -> Guess:
    """Who stands first at the issuer stands first at the chat."""
    rows = in_order(_all(copy.issuer), life.rows)
    return dict(zip(rows, tokens_in_order(_all(copy.chat), life.tokens), strict=False))


def rows_and_tokens_backwards(life: Life, copy: Copy) -> Guess:
    """Who stands last there stands first here."""
    rows = in_order(_all(copy.issuer), life.rows)
    return dict(zip(reversed(rows), tokens_in_order(_all(copy.chat), life.tokens), strict=False))


def rows_and_memory(life: Life, copy: Copy) -> Guess:
    """The same, with the order in which the store's memory has the tokens."""
    rows = in_order(_all(copy.issuer), life.rows)
    return dict(zip(rows, tokens_in_order(copy.store, life.tokens), strict=False))


def newest_rows_and_batches(life: Life, copy: Copy) -> Guess:
    """The newest rows at the issuer are those who were let in last: the log tells those, also after closing."""
    for _, file in files_with(copy.issuer, life.rows.values()):
        people = newest_first(file.content, life.rows)
        later = [token for batch in reversed(life.batches) for token in batch]
        return dict(zip(people, later, strict=False))
    return {}


def rows_and_words(life: Life, copy: Copy) -> Guess:
    """Who stands first at the issuer spoke first; the log keeps that."""
    return dict(zip(in_order(_all(copy.issuer), life.rows), life.spoken, strict=False))


def newest_rows_and_words(life: Life, copy: Copy) -> Guess:
    """The newest rows are those who spoke first last."""
    for _, file in files_with(copy.issuer, life.rows.values()):
        return dict(zip(newest_first(file.content, life.rows), reversed(life.spoken), strict=False))
    return {}


ONE_COPY: dict[str, Callable[[Life, Copy], Guess]] = {
    attack.__name__: attack
    for attack in (
        rows_and_tokens,
        rows_and_tokens_backwards,
        rows_and_memory,
        newest_rows_and_batches,
        rows_and_words,
        newest_rows_and_words,
    )
}


# --- attacks: all copies ---
def came_between(life: Life) -> Guess:
    """Whose row came between two copies is whose token came between them, or in the next; in the order of their places."""
    guess: Guess = {}
    rows: set[str] = set()
    tokens: set[bytes] = set()
    left: list[str] = []
    for copy in life.copies:
        here = [who for who in in_order(_all(copy.issuer), life.rows) if who not in rows]
        there = [token for token in tokens_in_order(_all(copy.chat), life.tokens) if token not in tokens]
        rows.update(here)
        tokens.update(there)
        left += here
        if there:
            chosen, left = left[-len(there) :], left[: -len(there)]
            guess |= dict(zip(chosen, there, strict=False))
    return guess


def where_rows_came(life: Life) -> Guess:
    """As above, and within what came between two copies as a database fills its pages."""
    guess: Guess = {}
    rows: set[str] = set()
    tokens: set[bytes] = set()
    for copy in life.copies:
        here = [who for _, file in files_with(copy.issuer, life.rows.values()) for who in newest_first(file.content, life.rows)]
        new = [who for who in dict.fromkeys(here) if who not in rows]
        there = [token for token in tokens_in_order(_all(copy.chat), life.tokens) if token not in tokens]
        rows.update(new)
        tokens.update(there)
        guess |= {who: token for who, token in zip(reversed(new), there, strict=False) if who not in guess}
    return guess


def size_and_batches(life: Life) -> Guess:
    """How many more rows there are in each copy, in the order of the last one's rows, against the batches in the log."""
    last = next((copy for copy in reversed(life.copies) if in_order(_all(copy.issuer), life.rows)), None)
    if last is None:
        return {}
    people = in_order(_all(last.issuer), life.rows)
    return dict(zip(people, (token for batch in life.batches for token in batch), strict=False))


ALL_COPIES: dict[str, Callable[[Life], Guess]] = {
    attack.__name__: attack for attack in (came_between, where_rows_came, size_and_batches)
}


# --- what two folders have in common, and what tells a time ---
WINDOW = 16


def windows(content: bytes) -> Iterator[bytes]:
    """Every WINDOW bytes, but for such as are no value: text, numbers that count up, zeros."""
    for start in range(len(content) - WINDOW + 1):
        window = content[start : start + WINDOW]
        if len(set(window)) > WINDOW // 2:
            yield window


def in_common(issuer: Sequence[bytes], chat: Sequence[bytes], known: bytes) -> set[bytes]:
    """Values that stand on both sides and are not among what is `known` to everybody."""
    here = {window for content in issuer for window in windows(content)}
    found = set()
    for content in chat:
        found |= {window for start in range(len(content)) if (window := content[start : start + WINDOW]) in here}
    return {window for window in found if not _is_text(window) and not _holds(window, known)}


def _is_text(window: bytes) -> bool:
    """Names of fields, addresses. Of a random value some windows are not."""
    return sum(0x20 <= byte < 0x7F for byte in window) >= WINDOW // 2 + 2


def _holds(window: bytes, known: bytes) -> bool:
    return any(window[start : start + WINDOW // 2] in known for start in range(WINDOW // 2 + 1))


def tells_time(copy: Copy, rows: Iterable[tuple[bytes, ...]], since: float) -> list[str]:
    """Files with rows whose time of change lies after `since`: it is that of the last signing."""
    return [name for name, file in files_with(copy.issuer, rows, 1) if file.changed > since]


def _all(files: dict[str, File]) -> bytes:
    return b"\0".join(file.content for _, file in sorted(files.items()))
