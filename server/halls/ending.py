"""A town hall that nobody closes ends by itself: so many hours after it opened, as its setup says (Setup.closes_after_h)."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from moderation.context import Context
from moderation.hall_rules import close_itself
from server.halls.ballots import Ballots
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.lookout import Lookout
from server.halls.runtime import Runtime

log = structlog.get_logger()

SURE_S = 60.0
"""How long its time has to be over before it is closed: closing cannot be undone, and a clock that jumped is put right."""


class Ending(Lookout):
    """`zone`: where the office is. `clock`: unix seconds; `monotonic`: seconds."""

    def __init__(
        self,
        directory: Directory,
        executor: Executor,
        ballots: Ballots,
        *,
        zone: str = "Asia/Seoul",
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(directory, "ending")
        self._executor = executor
        self._ballots = ballots
        self._zone = ZoneInfo(zone)
        self._clock = clock
        self._monotonic = monotonic
        self._due_since: dict[str, float] = {}

    async def look(self, runtime: Runtime) -> None:
        """Close the town hall if its time is over. Raises StoreUnavailable, StoreRefused, Busy."""
        if runtime.stopped or close_itself(runtime.hall, self._context()) is None:
            self._due_since.pop(runtime.code, None)
            return
        since = self._due_since.setdefault(runtime.code, self._monotonic())
        if self._monotonic() - since < SURE_S:
            return
        poll = runtime.hall.open_poll
        tally = await self._ballots.seal(runtime, poll) if poll is not None else None
        # While the box was sealed the log may have moved on: what is decided is decided on the state as it is now.
        if runtime.hall.open_poll != poll:
            return
        decision = close_itself(runtime.hall, self._context(tally))
        if decision is not None and await self._executor.note(runtime, decision):
            log.info("hall_closed_by_itself", hall=runtime.code)
            await self._directory.closed(runtime)

    def _context(self, tally: Sequence[int] | None = None) -> Context:
        now = int(self._clock())
        today = datetime.fromtimestamp(now, self._zone).date().isoformat()
        return Context(now=now, today=today, tally=tally)
