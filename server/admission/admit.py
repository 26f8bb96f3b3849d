"""Admission: from a token to somebody who may act. A participant id never leaves this module but as keyed hashes."""

import hashlib
import hmac
from dataclasses import dataclass

from moderation.context import Actor
from moderation.hall import Hall
from protocol.names import Role
from protocol.refusals import Refusal
from server.admission.links import Links
from server.admission.staff_tickets import StaffTickets
from server.admission.tickets import Tickets
from server.mac import Mac

NOBODY = "0" * 16
"""Author tag of everybody once a town hall is closed: no message has it."""


def author_tag(author_key: Mac, pid: bytes) -> str:
    """What stands in the log for the participant `pid`. `author_key`: of the town hall."""
    return author_key.of(b"tag" + pid)[:8].hex()


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who came in. `bucket`: opaque key for rate limits. `voter`: opaque key for gauges, None for staff and once closed."""

    role: Role
    id: str
    name: str
    actor: Actor
    bucket: bytes
    voter: bytes | None
    dedupe_key: bytes

    def dedupe(self, client_id: str) -> bytes:
        """Opaque key of (this sender, client id): nobody can guess or burn another's."""
        return hmac.digest(self.dedupe_key, client_id.encode(), hashlib.sha256)[:16]


class Admission:
    """`organiser_key`: whoever shows it may create and run town halls."""

    def __init__(
        self, tickets: Tickets, staff_tickets: StaffTickets, links: Links, organiser_key: str, link_dedupe_key: bytes
    ) -> None:
        self.tickets = tickets
        self.staff_tickets = staff_tickets
        self.links = links
        self._organiser_key = organiser_key
        self._dedupe_key = link_dedupe_key

    def is_organiser(self, token: str) -> bool:
        """Whether `token` is the organiser key."""
        return hmac.compare_digest(token.encode(), self._organiser_key.encode())

    def admit(self, hall: Hall, author_key: Mac | None, role: Role, token: str) -> Admitted | Refusal:
        """`author_key`: of the town hall, None once it is closed. Refuses with `not_admitted`."""
        match role:
            case "audience":
                holder = self.tickets.holder(hall.code, token)
                if holder is None:
                    return Refusal("not_admitted")
                if hall.admission is not None and holder.kind == "watch":
                    return _watching(holder.id)
                return self.participant(author_key, holder.id)
            case "organiser":
                if not self.is_organiser(token):
                    return Refusal("not_admitted")
                return self._staff(hall, role, "organiser", "")
            case _:
                link = self.staff_tickets.link(hall.code, role, token)
                why = Refusal("not_admitted") if link is None else self.links.why_not(hall, link)
                if link is None or why is not None:
                    return why or Refusal("not_admitted")
                known = hall.links[link]
                return self._staff(hall, role, known.id, hall.name_of(f"{role}:{known.id}"), link)

    def exchange(self, hall: Hall, role: Role, token: str) -> str | Refusal:
        """A ticket for the secret of a staff link. Refuses `not_admitted`, `link_expired`, `link_revoked`."""
        link = self.links.link(hall, role, token)
        return link if isinstance(link, Refusal) else self.staff_tickets.issue(hall.code, role, link)

    def still(self, hall: Hall, admitted: Admitted) -> Refusal | None:
        """Whether who was admitted may still act: asked anew for each command. None: yes."""
        link = admitted.actor.link
        return None if link is None else self.links.why_not(hall, link)

    def participant(self, author_key: Mac | None, pid: bytes) -> Admitted:
        """The participant `pid`. `author_key`: of the town hall, None once it is closed."""
        if author_key is None:
            spent = hashlib.sha256(pid).digest()
            return Admitted("audience", "", "", Actor("audience", author=NOBODY), spent, None, spent)

        def derived(purpose: bytes) -> bytes:
            return author_key.of(purpose + pid)

        actor = Actor("audience", author=author_tag(author_key, pid), seed=int.from_bytes(derived(b"name")[:8], "big"))
        return Admitted("audience", "", "", actor, derived(b"bucket"), derived(b"voter")[:16], derived(b"dedupe"))

    def _staff(self, hall: Hall, role: Role, id: str, name: str, link: str | None = None) -> Admitted:
        key = hmac.digest(self._dedupe_key, f"{hall.code}|{role}|{id}|{link}".encode(), hashlib.sha256)
        return Admitted(role, id, name, Actor(role, id=id, link=link), key, None, key)


def _watching(id: bytes) -> Admitted:
    """Somebody without a token: no tag, no vote, no name."""
    key = hashlib.sha256(b"watching" + id).digest()
    return Admitted("audience", "", "", Actor("audience"), key, None, key)
