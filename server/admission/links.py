"""Staff links: capabilities for one role in one town hall. Nothing is stored; renewing a role's links ends the old ones."""

import base64
import hashlib
import hmac
from urllib.parse import quote

from moderation.hall import Hall
from protocol.names import Role
from protocol.views import RoleLink
from server.admission.secret import Secret


class Links:
    """`public_url`: where people reach this server, without a slash at the end."""

    def __init__(self, secret: Secret, public_url: str) -> None:
        self._key = secret.key("link")
        self.organiser_key = secret.key("organiser").hex()
        self.public_url = public_url

    def organiser_url(self) -> str:
        """Address of the organiser's page, with the key in its fragment."""
        return f"{self.public_url}/organiser#{self.organiser_key}"

    def token(self, hall: Hall, role: Role, id: str) -> str:
        """`ID.MAC`: 256 bits that only this secret makes."""
        generation = hall.link_generations.get(role, 0)
        what = f"{hall.code}|{role}|{id}|{generation}".encode()
        mac = hmac.digest(self._key, what, hashlib.sha256)
        return f"{id}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def holder(self, hall: Hall, role: Role, token: str) -> str | None:
        """The id of the host, director or overlay that `token` is for; None: not (or no longer) valid."""
        id, _, _ = token.partition(".")
        if not hmac.compare_digest(self.token(hall, role, id).encode(), token.encode()):
            return None
        return id if id in self._ids(hall, role) else None

    def _ids(self, hall: Hall, role: Role) -> set[str]:
        match role:
            case "host":
                return {host.id for host in hall.setup.hosts}
            case "director":
                return {director.id for director in hall.setup.directors}
            case "overlay":
                return {"overlay"}
        return set()

    def audience_url(self, code: str) -> str:
        """The address for everybody."""
        return f"{self.public_url}/t/{quote(code)}"

    def all(self, hall: Hall) -> tuple[RoleLink, ...]:
        """Every link to hand out. The secret stands in the fragment, which browsers do not send."""

        def staff(role: Role, id: str, name: str) -> RoleLink:
            return RoleLink(role, id, name, f"{self.public_url}/{role}/{hall.code}#{self.token(hall, role, id)}")

        return (
            RoleLink("audience", "", "", self.audience_url(hall.code)),
            *(staff("host", host.id, host.name) for host in hall.setup.hosts),
            *(staff("director", director.id, director.name) for director in hall.setup.directors),
            staff("overlay", "overlay", ""),
        )
