"""Prints a log as sentences, as it stands and as it grows."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.sentences import told
from protocol.bus import unpack
from protocol.names import Language
from server.store import log as store_log
from server.store.client import Store

LOOK_S = 0.5


async def print_log(store: Store, code: str, lang: Language, zone: ZoneInfo, *, follow: bool) -> None:
    """One line an entry: seq, time, sentence. `follow`: until interrupted."""
    hall = Hall.empty()
    while True:
        for seq, body, text in await store_log.read(store, code, hall.seq):
            entry = unpack(body, text)
            evolve(hall, seq, entry)
            at = datetime.fromtimestamp(entry.at, zone).strftime("%H:%M:%S")
            print(f"{seq:>6} {at} {told(hall, seq, entry, lang)}", flush=follow)
        head = await store_log.head(store, code)
        if head is None or hall.seq < head.seq:
            continue
        if not follow:
            return
        await asyncio.sleep(LOOK_S)
