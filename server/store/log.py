"""Reading the log: a range with its texts, a head, which town halls there are."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from server.store.client import Store, guarded
from server.store.keys import HALLS, Keys

PAGE = 1_000
"""Entries read in one go."""

Stored = tuple[int, bytes, str | None]
"""(seq, body, text or None)"""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands. `desk`, `gate`: seq of the last entry that raised the lane."""

    epoch: int
    seq: int
    desk: int
    gate: int


async def head(store: Store, code: str) -> Head | None:
    """None: no such town hall. Raises StoreUnavailable."""
    with guarded(write=False):
        values = await store.of(code).hmget(Keys(code).head, ["epoch", "seq", "desk", "gate"])
    if values[0] is None:
        return None
    return Head(*(int(value or 0) for value in values))


async def read(store: Store, code: str, after: int, count: int = PAGE) -> list[Stored]:
    """Up to `count` entries after seq `after`, in order. Raises StoreUnavailable."""
    keys = Keys(code)
    with guarded(write=False):
        client = store.of(code)
        rows = await client.xrange(keys.log, min=f"({after}-0", count=count)
        if not rows:
            return []
        seqs = [int(id.split(b"-")[0]) for id, _ in rows]
        texts = await client.hmget(keys.texts, [str(seq) for seq in seqs])
    return [
        (seq, fields[b"b"], None if text is None else text.decode())
        for seq, (_, fields), text in zip(seqs, rows, texts, strict=True)
    ]


async def read_all(store: Store, code: str) -> AsyncIterator[Stored]:
    """The whole log, page by page."""
    after = 0
    while page := await read(store, code, after):
        for stored in page:
            yield stored
        after = page[-1][0]


async def hall_codes(store: Store) -> list[str]:
    """Codes of all town halls, sorted."""
    with guarded(write=False):
        return sorted(code.decode() for code in await store.listed.smembers(HALLS))


async def register(store: Store, code: str) -> None:
    """Put a code into the list of town halls."""
    with guarded(write=True):
        await store.listed.sadd(HALLS, code)
