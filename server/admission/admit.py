"""Admission: from a token to somebody who may act. A participant id never leaves this module but as keyed hashes."""

import hashlib
import hmac
import secrets

from moderation.context import Actor
from moderation.hall import Hall
from protocol.names import Role
from protocol.refusals import Refusal
from server.admission.admitted import Admitted, Sender, participant, participant_key, spent, watching
from server.admission.links import Links
from server.admission.staff_tickets import StaffTickets
from server.admission.tickets import Tickets
from server.mac import Mac


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
        """`author_key`: of the town hall, None once it is closed. Refuses with `not_admitted`.

        In the audience of a town hall with an issuer `token` may be empty: to watch nobody needs to be anybody.
        """
        match role:
            case "audience":
                if not token and hall.admission is not None:
                    return self.watcher(secrets.token_bytes(32))
                holder = self.tickets.holder(hall.code, token)
                if holder is None:
                    return Refusal("not_admitted")
                if hall.admission is not None and holder.kind == "watch":
                    return self.watcher(hashlib.sha256(b"watching" + holder.id).digest())
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
        return None if admitted.link is None else self.links.why_not(hall, admitted.link)

    def participant(self, author_key: Mac | None, pid: bytes) -> Admitted:
        """The participant `pid`. `author_key`: of the town hall, None once it is closed."""
        if author_key is None:
            return Admitted("audience", spent, hashlib.sha256(pid).digest())
        return Admitted("audience", participant, participant_key(author_key, pid))

    def watcher(self, key: bytes) -> Admitted:
        """Somebody without a token. `key`: whatever they are told apart by."""
        return Admitted("audience", watching, key)

    def _staff(self, hall: Hall, role: Role, id: str, name: str, link: str | None = None) -> Admitted:
        def made(key: bytes) -> Sender:
            return Sender(Actor(role, id=id, link=link), key, None, key)

        key = hmac.digest(self._dedupe_key, f"{hall.code}|{role}|{id}|{link}".encode(), hashlib.sha256)
        return Admitted(role, made, key, id=id, name=name, link=link)
