"""The town hall's own acts: it opens rounds for those who wait with a token, and lets in together those who have shown one."""

import time
from collections.abc import Callable

from moderation.decision import Decision
from moderation.hall import Hall
from moderation.participation_rules import admit, next_round
from protocol.entries import RoundOpened
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.lookout import Lookout
from server.halls.runtime import Runtime
from server.store.tokens import SpentTokens
from server.store.waiting import Waiting, WaitingRooms

MINUTE_S = 60


class Rounds(Lookout):
    """`clock`: unix seconds."""

    def __init__(
        self,
        directory: Directory,
        executor: Executor,
        tokens: SpentTokens,
        waiting: WaitingRooms,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(directory, "rounds")
        self._executor = executor
        self._tokens = tokens
        self._waiting = waiting
        self._clock = clock
        self._looked: dict[str, int] = {}
        self._arrived_since: dict[str, float] = {}
        self._rounds_seen: dict[str, int] = {}

    async def look(self, runtime: Runtime) -> None:
        """Do what is due in one town hall. Raises StoreUnavailable, StoreRefused, Busy."""
        hall = runtime.hall
        if hall.admission is None or hall.phase != "open" or runtime.stopped:
            self._forget(runtime.code)
            return
        now = self._clock()
        minute = int(now) // MINUTE_S
        full_minute = self._looked.get(runtime.code, minute) != minute
        self._looked[runtime.code] = minute
        await self._begun(runtime)
        waiting, willing = await self._waiting.tell(runtime.code, *runtime.awaiting.waiting())
        number = _number(hall)
        if self._due(runtime, waiting, willing, full_minute, now) is not None:
            # Which tokens earlier rounds have taken, by the store and not by what nodes have heard of it.
            taken = await self._waiting.begun(runtime.code, number, sorted(waiting.ids | willing.ids))
            runtime.awaiting.take(taken)
            waiting, willing = waiting.without(taken), willing.without(taken)
        decision = self._due(runtime, waiting, willing, full_minute, now)
        if decision is not None and _number(hall) == number:
            few = isinstance(decision.entries[0], RoundOpened) and decision.entries[0].few
            # Before the entry, and taken once that is there: whatever breaks off in between, no token counts in two rounds.
            await self._waiting.count(runtime.code, number, (willing if few else waiting).ids)
            # Not if one has begun meanwhile: those whom it takes are among these.
            if _number(hall) == number:
                await self._executor.note(runtime, decision)
        arrived = await self.let_in(runtime, full_minute=full_minute)
        runtime.awaiting.everybody = waiting.count + arrived

    def _due(self, runtime: Runtime, waiting: Waiting, willing: Waiting, full_minute: bool, now: float) -> Decision | None:
        since = now - willing.longest_s if willing.count else None
        return next_round(runtime.hall, waiting.count, willing.count, since, full_minute, int(now))

    async def let_in(self, runtime: Runtime, *, full_minute: bool = False) -> int:
        """Admit those who have arrived, if it is time; how many had. Raises StoreUnavailable, StoreRefused, Busy."""
        code, now = runtime.code, self._clock()
        arrived, willing = await self._tokens.arrived(code)
        await self._tokens.let_in(code, (arrived | willing) & runtime.hall.admitted)
        waiting = len(arrived - runtime.hall.admitted)
        since = self._arrived_since.setdefault(code, now)
        runtime.awaiting.arrived_s = now - since
        if not waiting:
            del self._arrived_since[code]
        elif decision := admit(runtime.hall, arrived, willing, since, full_minute, int(now)):
            await self._executor.note(runtime, decision)
        return waiting

    async def _begun(self, runtime: Runtime) -> None:
        """If a round has begun since the last look, or may have before this node had looked at all: those who counted do so no
        more. Raises StoreUnavailable, StoreRefused.
        """
        code, hall = runtime.code, runtime.hall
        number, seen = _number(hall), self._rounds_seen.get(code)
        if seen == number:
            return
        runtime.awaiting.take(await self._waiting.begun(code, number, runtime.awaiting.ids()))
        if seen is not None:
            runtime.awaiting.clear(few=hall.round is not None and hall.round.few)
        self._rounds_seen[code] = number

    def _forget(self, code: str) -> None:
        for kept in (self._looked, self._arrived_since, self._rounds_seen):
            kept.pop(code, None)
        self._waiting.forget(code)


def _number(hall: Hall) -> int:
    """Of the round that is, or was last."""
    return hall.round.number if hall.round else 0
