"""Who waits for a round on all nodes, by the ids of their waiting tokens; and which of those a round has taken."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from protocol.limits import limit
from server.store.batches import Batches
from server.store.client import Store, guarded
from server.store.gauges import PRESENT_S, VOTERS_MAX
from server.store.keys import Keys

SHORT = 8
"""Bytes of an id that nodes tell each other."""
TOLD_MAX = limit("awaiting_told")
"""Ids that one node tells of one town hall: those that have waited longest. Further ones are not counted."""
WAITED_MAX = 2 * VOTERS_MAX
"""Waiting tokens of one town hall that rounds have taken. Beyond that none counts any more."""
AGAIN_S = 4.0
"""A node tells what has not changed so often; what is told stands in the store's files."""
COUNTED = files("server.store").joinpath("counted.lua").read_text("ascii")
_TIME = 6
_WAIT = 4


@dataclass(frozen=True, slots=True)
class Waiting:
    """Browsers that wait for a round: the short ids of their tokens, and for how many seconds the first of them has."""

    ids: frozenset[bytes]
    longest_s: float

    @property
    def count(self) -> int:
        """How many."""
        return len(self.ids)

    def without(self, ids: set[bytes]) -> "Waiting":
        """All but these."""
        return Waiting(self.ids - ids, self.longest_s)


NOBODY = Waiting(frozenset(), 0.0)


class WaitingRooms:
    """`node`: name of this node among those on the store."""

    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node
        self._told: dict[str, tuple[frozenset[bytes], frozenset[bytes], float]] = {}
        self._looks: Batches[str, bytes, bool] = Batches(self._look, most=256, waiting_max=20_000)

    async def tell(self, code: str, everybody: Waiting, willing: Waiting) -> tuple[Waiting, Waiting]:
        """Tell who waits on this node, and who of them will come in with few; all nodes' come back, each id once.

        Raises StoreUnavailable, StoreRefused.
        """
        keys, now = Keys(code), time.time()
        told = self._told.get(code)
        again = told is None or told[:2] != (everybody.ids, willing.ids) or not 0 <= now - told[2] < AGAIN_S
        with guarded(write=True):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                for key, own in ((keys.waiting, everybody), (keys.waiting_few, willing)):
                    if again:
                        pipe.hset(key, self._node, _packed(own, now))
                        pipe.expire(key, 10 * PRESENT_S)
                for key in (keys.waiting, keys.waiting_few):
                    pipe.hgetall(key)
                *_, all_nodes, all_willing = await pipe.execute()
        if again:
            self._told[code] = everybody.ids, willing.ids, now
        return _union(all_nodes.values(), now), _union(all_willing.values(), now)

    async def count(self, code: str, round_number: int, ids: Collection[bytes]) -> None:
        """These count towards the round after that of this number: once there is one they are taken, whatever becomes of us.

        Raises StoreUnavailable, StoreRefused.
        """
        keys = Keys(code)
        with guarded(write=True):
            script = self._store.where(code).script(COUNTED)
            await script(keys=[keys.waited, keys.counted, keys.counted_after], args=[round_number, WAITED_MAX, *sorted(ids)])

    async def begun(self, code: str, round_number: int, ids: Sequence[bytes]) -> set[bytes]:
        """The round of this number is there: those who counted towards it are taken. Which of `ids` have been, by any round.

        Raises StoreUnavailable, StoreRefused.
        """
        await self.count(code, round_number, ())
        return {id for id, taken in zip(ids, await self._taken(code, ids), strict=True) if taken}

    async def taken(self, code: str, id: bytes) -> bool:
        """Whether a round has taken the token with this short id. Raises StoreUnavailable, StoreRefused, Busy."""
        return await self._looks.ask(code, id)

    async def _look(self, code: str, ids: list[bytes]) -> list[bool | Exception]:
        return list(await self._taken(code, ids))

    async def _taken(self, code: str, ids: Sequence[bytes]) -> list[bool]:
        if not ids:
            return []
        key = Keys(code).waited
        with guarded(write=False):
            async with self._store.of(code).pipeline(transaction=False) as pipe:
                pipe.zcard(key)
                pipe.execute_command("ZMSCORE", key, *ids)
                held, scores = await pipe.execute()
        return [held >= WAITED_MAX or score is not None for score in scores]

    def forget(self, code: str) -> None:
        """The town hall is closed; the store forgets with its tokens (tokens.py)."""
        self._told.pop(code, None)


def _packed(waiting: Waiting, now: float) -> bytes:
    """Time, longest wait, ids in the order of their bytes."""
    head = int(now).to_bytes(_TIME, "big") + min(int(waiting.longest_s), 2**32 - 1).to_bytes(_WAIT, "big")
    return head + b"".join(sorted(waiting.ids))


def _union(told: Iterable[bytes], now: float) -> Waiting:
    """Of what nodes have told lately."""
    ids, longest_s = set[bytes](), 0
    for value in told:
        at, waited, rest = int.from_bytes(value[:_TIME], "big"), value[_TIME : _TIME + _WAIT], value[_TIME + _WAIT :]
        if now - at > PRESENT_S or not rest:
            continue
        ids.update(rest[place : place + SHORT] for place in range(0, len(rest), SHORT))
        longest_s = max(longest_s, int.from_bytes(waited, "big"))
    return Waiting(frozenset(ids), float(longest_s))
