"""The town hall's own acts: it opens rounds for those who wait with a token, and lets in together those who have shown one."""

import time
from collections.abc import Callable

from moderation.participation_rules import admit, next_round
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.lookout import Lookout
from server.halls.runtime import Runtime
from server.store.tokens import SpentTokens

MINUTE_S = 60


class Rounds(Lookout):
    """`node`: name of this node among those on the store. `clock`: unix seconds."""

    def __init__(
        self,
        directory: Directory,
        executor: Executor,
        tokens: SpentTokens,
        node: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(directory, "rounds")
        self._executor = executor
        self._tokens = tokens
        self._node = node
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
        number = hall.round.number if hall.round else 0
        if self._rounds_seen.get(runtime.code, number) != number:
            runtime.awaiting.clear(few=hall.round is not None and hall.round.few)
        self._rounds_seen[runtime.code] = number
        waiting, willing = await self._tokens.tell_awaiting(runtime.code, self._node, *runtime.awaiting.tallies())
        since = now - willing.longest_s if willing.count else None
        if decision := next_round(hall, waiting.count, willing.count, since, full_minute, int(now)):
            await self._executor.note(runtime, decision)
        arrived = await self.let_in(runtime, full_minute=full_minute)
        runtime.awaiting.everybody = waiting.count + arrived

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

    def _forget(self, code: str) -> None:
        for kept in (self._looked, self._arrived_since, self._rounds_seen):
            kept.pop(code, None)
