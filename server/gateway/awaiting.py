"""From a waiting token to somebody who counts: genuine, and taken by no round yet. A token that is known costs no look at it."""

import base64
import time
from collections.abc import Callable
from typing import Any

from moderation.participation_rules import asks_few
from protocol.commands import AwaitRound
from protocol.credentials import waiting_key
from protocol.limits import limit
from protocol.refusals import Refusal
from server.admission.waiting import is_genuine, waiting_id
from server.buckets import Buckets
from server.halls.runtime import Runtime
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable
from server.store.waiting import SHORT, WaitingRooms


class Waiters:
    """`clock`: monotonic seconds."""

    def __init__(self, waiting: WaitingRooms, clock: Callable[[], float] = time.monotonic) -> None:
        self._waiting = waiting
        self._clock = clock
        self._checks = Buckets(limit("waiting_tokens_per_min"), 60)

    async def wait(self, runtime: Runtime, asked: AwaitRound, bucket: bytes, *, shared: bool) -> dict[str, Any] | Refusal:
        """The answer to somebody who waits. `bucket`: opaque key of theirs; `shared`: it is that of an address."""
        hall = runtime.hall
        spki = waiting_key(hall.admission.issuer) if hall.admission is not None else b""
        if not spki or not asked.prefix:
            return _told()
        prefix, signature = _bytes(asked.prefix), _bytes(asked.signature)
        id = waiting_id(runtime.code, spki, prefix)
        if runtime.awaiting.is_taken(id):
            return _told(spent=True)
        waited_s = runtime.awaiting.again(id, few=asked.few)
        if waited_s is None:
            if not shared and self._checks.take(bucket, self._clock()):
                return _told()
            # What many share is filled by nobody: a good token counts whatever others of the same address bring.
            if not is_genuine(runtime.code, spki, prefix, signature):
                return _told()
            try:
                if await self._waiting.taken(runtime.code, id[:SHORT]):
                    runtime.awaiting.take([id[:SHORT]])
                    return _told(spent=True)
            except (StoreUnavailable, StoreRefused, Busy):
                return Refusal("not_saved", retry_after_ms=1_000)
            if not runtime.awaiting.add(id, few=asked.few):
                return _told()
            waited_s = 0.0
        return _told(counted=True, few=asks_few(hall, runtime.awaiting.everybody, waited_s))


def _told(*, few: bool = False, counted: bool = False, spent: bool = False) -> dict[str, Any]:
    return {"few": few, "counted": counted, "spent": spent}


def _bytes(text: str) -> bytes:
    """Its length and letters were checked already (protocol.commands.AwaitRound)."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
