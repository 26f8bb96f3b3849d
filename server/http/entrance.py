"""What every browser asks that comes in: a town hall's card, a ticket to watch with, a nonce, and a ticket for a token.

Asked through aiohttp (join.py, redeem.py) and through the front (server/front/asks.py): one bound, one answer.
"""

import base64
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from protocol.limits import limit
from protocol.refusals import Refusal
from server.admission.redeem import ShownToken
from server.buckets import Buckets
from server.gateway.gateway import Gateway
from server.gateway.redeem import Redeemer
from server.halls.runtime import Runtime
from server.http.shown import shown
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable

SPREAD_MS = 5_000
"""Over so long are those spread who are told to come again: a whole office shares one address."""
What = Literal["card", "join", "nonce", "redeem"]
GOES_ON: frozenset[What] = frozenset({"nonce"})
"""After the answer to anything else the connection is closed: what is asked next has nothing in common with it. A nonce is
followed by the proof over it.
"""
Told = dict[str, Any] | Refusal
"""`data` of an Ack, or why not."""


class Entrance:
    """`clock`: monotonic seconds."""

    def __init__(self, gateway: Gateway, redeemer: Redeemer, clock: Callable[[], float] = time.monotonic) -> None:
        self._gateway = gateway
        self._redeemer = redeemer
        self._clock = clock
        self._joins = Buckets(limit("joins_per_address_per_min"), 60)
        self._shown = Buckets(limit("joins_per_address_per_min"), 60)

    def too_many(self, what: What, address: Callable[[], bytes]) -> Refusal | None:
        """Whether one address asks too often (`too_many_joins`); to be asked once, before a body is read. `address`: its key."""
        match what:
            case "join":
                if wait_s := self._joins.take(address(), self._clock()):
                    return Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + random.randint(1, SPREAD_MS))
            case "redeem":
                if wait_s := self._shown.take(address(), self._clock()):
                    return Refusal("too_many_joins", retry_after_ms=int(wait_s * 1000) + 1)
        return None

    def told(self, what: What, code: str, body: bytes = b"") -> Told | Coroutine[Any, Any, Told]:
        """The answer, or what to await for it: where the town hall has to be loaded, or the store asked. `code`: as typed."""
        runtime = self._gateway.find_now(code)
        return self._later(what, code, body) if runtime is None else self._of(what, runtime, body)

    async def _later(self, what: What, code: str, body: bytes) -> Told:
        found = self._of(what, await self._gateway.find(code), body)
        return found if isinstance(found, dict | Refusal) else await found

    def _of(self, what: What, runtime: Runtime | Refusal, body: bytes) -> Told | Coroutine[Any, Any, Told]:
        if what == "redeem":
            # What is no token is told so first, wherever it was sent to.
            token = shown(body)
            if isinstance(token, Refusal):
                return token
            return runtime if isinstance(runtime, Refusal) else self._redeemed(runtime, token)
        if isinstance(runtime, Refusal):
            return runtime
        match what:
            case "nonce":
                return {"nonce": base64.urlsafe_b64encode(self._redeemer.nonce(runtime)).decode().rstrip("=")}
            case "join":
                return {"ticket": self._gateway.admission.tickets.issue(runtime.code)}
        hall = runtime.hall
        return {
            "code": hall.code,
            "title": hall.setup.title,
            "phase": hall.phase,
            "mode": hall.mode,
            "language": hall.setup.language,
            "admission": hall.admission,
        }

    async def _redeemed(self, runtime: Runtime, token: ShownToken) -> Told:
        try:
            ticket = await self._redeemer.redeem(runtime, token)
        except (StoreUnavailable, Busy):
            return Refusal("not_saved", retry_after_ms=1_000)
        except StoreRefused:
            return Refusal("disk_full", retry_after_ms=5_000)
        return ticket if isinstance(ticket, Refusal) else {"ticket": ticket, "good_for_s": limit("ticket_s")}
