"""What becomes of polls by itself: figures are told in time, a closing that broke off is finished, votes are dropped."""

import time
from collections.abc import Callable

from moderation.context import Context
from moderation.decision import one
from moderation.poll_rules import closed
from server.halls.ballots import Ballots
from server.halls.directory import Directory
from server.halls.execute import Executor
from server.halls.lookout import Lookout
from server.halls.runtime import Runtime
from server.store.votes import Votes

SEALED_S = 5.0
"""How long whoever sealed a box has for writing down what came of it: longer than an append waits for a silent store."""


class Polls(Lookout):
    """`clock`: unix seconds; `monotonic`: seconds."""

    def __init__(
        self,
        directory: Directory,
        executor: Executor,
        ballots: Ballots,
        votes: Votes,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(directory, "polls")
        self._executor = executor
        self._ballots = ballots
        self._votes = votes
        self._clock = clock
        self._monotonic = monotonic
        self._sealed: dict[tuple[str, int], float] = {}
        """Since when this node has seen a box sealed whose poll is open in the log."""

    async def look(self, runtime: Runtime) -> None:
        """Do what is due in one town hall. Raises StoreUnavailable, StoreRefused, Busy."""
        if runtime.stopped:
            return
        await self._drop_closed(runtime)
        poll = runtime.hall.open_poll
        if poll is None:
            for key in [key for key in self._sealed if key[0] == runtime.code]:
                del self._sealed[key]
            return
        if told := await self._votes.tell(runtime.code, poll, len(runtime.hall.polls[poll].choices)):
            runtime.board.put_poll(*told)
        (box,) = await self._votes.boxes(runtime.code, [poll])
        if box in ("sealed", "dropped"):
            since = self._sealed.setdefault((runtime.code, poll), self._monotonic())
            if self._monotonic() - since >= SEALED_S:
                await self._finish(runtime, poll)

    async def _finish(self, runtime: Runtime, poll: int) -> None:
        """Whoever sealed the box is gone: write down what came of it."""
        tally = await self._ballots.seal(runtime, poll)
        if runtime.hall.open_poll == poll:
            context = Context(now=int(self._clock()), today="", tally=tally)
            await self._executor.note(runtime, one(closed(poll, "", context)))

    async def _drop_closed(self, runtime: Runtime) -> None:
        """Nodes die between the entry and the dropping; each poll is asked about until it is seen to be dropped."""
        ended = [poll.id for poll in runtime.hall.polls.values() if not poll.open and poll.id not in runtime.dropped_polls]
        boxes = await self._votes.boxes(runtime.code, ended)
        left = [poll for poll, box in zip(ended, boxes, strict=True) if box != "dropped"]
        if left:
            await self._ballots.drop(runtime, left)
        runtime.dropped_polls.update(ended)
