"""Staff links: capabilities for one role in one town hall, labelled, expiring, revocable one by one.

`LINK RANDOM . MAC`: the link's name, 256 random bits, and our signature over both with town hall and role. Kept is only
SHA-256 of the random bits (protocol.entries.LinkMade); the signature refuses what was never ours without a look.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from moderation.hall import MODERATOR, Hall
from protocol.commands import NewLink
from protocol.names import Role, StaffRole
from protocol.refusals import Refusal
from protocol.views import RoleLink
from server.secret import Secret

NAME: Final = 8
"""Letters of a link's name at the head of its token."""
RANDOM_BYTES: Final = 32
_MAC: Final = 16


def organiser_key(secret: Secret) -> str:
    """The organiser's key for programs. It stands in no address."""
    return secret.key("organiser").hex()


class Links:
    """`public_url`: where people reach this server, without a slash at the end. `clock`: unix seconds."""

    def __init__(self, secret: Secret, public_url: str, clock: Callable[[], float] = time.time) -> None:
        self._key = secret.key("link")
        self._clock = clock
        self.organiser_key = organiser_key(secret)
        self.public_url = public_url

    def audience_url(self, code: str) -> str:
        """The address for everybody."""
        return f"{self.public_url}/t/{quote(code)}"

    def new(
        self, code: str, role: StaffRole, id: str, label: str, *, made: str = "", holder: str = ""
    ) -> tuple[NewLink, RoleLink]:
        """A link as the log will know it, and its address: told to whoever asked, and then forgotten.

        `id` "": a moderator who is not in the setup. `made`, `holder`: of a grant (grants.py); otherwise a name is drawn.
        """
        made, random = made or secrets.token_hex(NAME // 2), _text(secrets.token_bytes(RANDOM_BYTES))
        id = id or f"{MODERATOR}{made}"
        token = f"{made}{random}.{self._mac(code, role, made + random)}"
        address = f"{self.public_url}/{role}/{code}#{token}"
        new = NewLink(made=made, role=role, id=id, label=label, secret=_hash(random), holder=holder)
        return new, RoleLink(role, id, label, address, made)

    def link(self, hall: Hall, role: Role, token: str) -> str | Refusal:
        """The name of the link that `token` is the secret of. Refuses `not_admitted`, `link_expired`, `link_revoked`."""
        body, _, mac = token.partition(".")
        made, random = body[:NAME], body[NAME:]
        if not hmac.compare_digest(self._mac(hall.code, role, body).encode(), mac.encode()):
            return Refusal("not_admitted")
        known = hall.links.get(made)
        if known is None or known.role != role or not hmac.compare_digest(known.secret, _hash(random)):
            return Refusal("not_admitted")
        return self.why_not(hall, made) or made

    def why_not(self, hall: Hall, link: str) -> Refusal | None:
        """None: the link `link` admits now."""
        known = hall.links.get(link)
        if known is None:
            return Refusal("not_admitted")
        if known.revoked or not hall.is_staff(known.role, known.id):
            return Refusal("link_revoked")
        return None if known.holds(int(self._clock())) else Refusal("link_expired")

    def _mac(self, code: str, role: str, body: str) -> str:
        what = f"{code}|{role}|{body}".encode("utf-8", "surrogatepass")
        return _text(hmac.digest(self._key, what, hashlib.sha256)[:_MAC])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _hash(random: str) -> str:
    return hashlib.sha256(random.encode()).hexdigest()
