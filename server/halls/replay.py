"""A town hall read afresh from its log, for one who needs it whole and standing still: an export, a check."""

from moderation.audit import advance
from moderation.evolve import evolve
from moderation.hall import Hall
from protocol.bus import unpack
from server.store import log as store_log
from server.store.client import Store


async def replay(store: Store, code: str) -> Hall:
    """The state at the log's end. Other work goes on between its pages. Raises StoreUnavailable, LogCorrupt, Corrupt."""
    hall = Hall.empty()
    async for seq, body, text in store_log.read_all(store, code):
        evolve(hall, seq, unpack(body, text))
        advance(hall, seq, body)
    return hall
