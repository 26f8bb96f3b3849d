"""Those who ask to join, let in a few at a time: a whole audience may come in the same second, and those who are in already
should not notice. When too many wait, the next ones are told when to come back.
"""

import random
from typing import Any

from protocol.commands import Join
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from server.sockets.audience import Audience
from server.turns import Turns

COME_BACK_MS = (2_000, 10_000)
"""Between these, drawn by chance."""


class JoinQueue:
    """Bounded by limits.joins_waiting."""

    def __init__(self) -> None:
        self._turns: Turns[tuple[Audience, Any]] = Turns(_admit)

    def __len__(self) -> int:
        return len(self._turns)

    def put(self, who: Audience, auth: Any) -> None:
        """`auth`: of the CONNECT."""
        if len(self._turns) >= limit("joins_waiting"):
            lang: Language = "en" if isinstance(auth, dict) and auth.get("lang") == "en" else "ko"
            return who.refuse(Refusal("busy", retry_after_ms=random.randint(*COME_BACK_MS)), Join(code="", lang=lang))
        self._turns.put((who, auth))


def _admit(asked: tuple[Audience, Any]) -> None:
    who, auth = asked
    if who.connection.holds(who):
        who.admit(auth)
