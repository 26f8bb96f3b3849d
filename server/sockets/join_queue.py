"""Those who ask to join, let in a few at a time: a whole audience may come in the same second, and those who are in already
should not notice. When too many wait, the next ones are told when to come back.
"""

import asyncio
import random
import time
from collections import deque
from typing import Any

from protocol.commands import Join
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from server.sockets.audience import Audience

SLICE_S = 0.01
"""How long joins may hold up everything else."""
COME_BACK_MS = (2_000, 10_000)
"""Between these, drawn by chance."""


class JoinQueue:
    """Bounded by limits.joins_waiting."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Audience, Any]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, who: Audience, auth: Any) -> None:
        """`auth`: of the CONNECT. Answered at once where nobody waits."""
        if len(self._waiting) >= limit("joins_waiting"):
            lang: Language = "en" if isinstance(auth, dict) and auth.get("lang") == "en" else "ko"
            return who.refuse(Refusal("busy", retry_after_ms=random.randint(*COME_BACK_MS)), Join(code="", lang=lang))
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._serve)
        self._waiting.append((who, auth))

    def _serve(self) -> None:
        ends = time.monotonic() + SLICE_S
        while self._waiting:
            who, auth = self._waiting.popleft()
            if who.connection.holds(who):
                who.admit(auth)
            if time.monotonic() > ends:
                break
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._serve)
