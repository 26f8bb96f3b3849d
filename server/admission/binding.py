"""A staff link is bound to the browser that first opens it: from then on its secret alone is worth nothing.

Browsers keep whole addresses, with their fragments, in history, sessions and icons; what is found there later must open
nothing. So the page makes a key that no script can read out, and shows with each ticket that it holds it. Programs that
send the secret alone go on working until a browser has opened the link.
"""

from typing import Final

from protocol.link_proofs import LinkProof
from protocol.names import Role
from protocol.refusals import Refusal
from server.admission.staff_tickets import StaffTickets
from server.link_proof import key_shown, nonce_of
from server.nonces import Nonces
from server.store.bound import BoundLinks
from server.store.nonces import SpentNonces

NEVER_BOUND: Final[frozenset[Role]] = frozenset({"overlay"})
"""Scenes of a broadcasting program are copied from machine to machine, with their addresses; and it keeps no history."""


class Binding:
    """`nonces`: those that `POST …/nonce` gives."""

    def __init__(self, tickets: StaffTickets, nonces: Nonces, spent: SpentNonces, bound: BoundLinks) -> None:
        self._tickets = tickets
        self._nonces = nonces
        self._spent = spent
        self._bound = bound

    async def ticket(self, code: str, role: Role, link: str, shown: LinkProof | None) -> str | Refusal:
        """A staff ticket for `link`, whose secret was shown; with `shown` the link is bound, where it is not yet.

        Refuses `link_elsewhere`, `stale_nonce`, `not_admitted`, `bad_request`. Raises StoreUnavailable, StoreRefused.
        """
        ticket = self._tickets.issue(code, role, link)
        if role in NEVER_BOUND:
            return ticket if shown is None else Refusal("bad_request", field="$")
        if shown is not None:
            return await self.bind(code, role, link, shown) or ticket
        return ticket if await self._bound.key(code, link) is None else Refusal("link_elsewhere")

    async def bind(self, code: str, role: Role, link: str, shown: LinkProof) -> Refusal | None:
        """None: the link is bound to the key that is shown, now or from before. Raises StoreUnavailable, StoreRefused."""
        nonce = nonce_of(shown)
        if not self._nonces.good(code, nonce):
            return Refusal("stale_nonce", retry_after_ms=0)
        key = key_shown(code, role, link, shown)
        if key is None:
            return Refusal("not_admitted")
        if not await self._spent.spend(code, nonce):
            return Refusal("stale_nonce", retry_after_ms=0)
        return None if await self._bound.bind(code, link, key) == key else Refusal("link_elsewhere")
