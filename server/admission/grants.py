"""Staff who signed in at the issuer: their grant is checked with the key in the town hall's first entry. No call is made."""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from moderation.hall import Hall
from protocol.grants import GRANT_S, Grant, read
from protocol.names import Role
from protocol.refusals import Refusal

SKEW_S = 60
"""By how much the issuer's clock may differ from ours."""


def granted(hall: Hall, role: Role, text: str, now: float) -> Grant | Refusal:
    """The grant `text`, if this town hall's issuer signed it for `role` here a moment ago. `now`: unix seconds.

    Refuses `not_admitted`, `sign_in` (it took too long), `link_revoked`.
    """
    key = hall.admission.issuer.staff_key if hall.admission is not None else ""
    found = read(text)
    if found is None or not key:
        return Refusal("not_admitted")
    grant, over, signature = found
    try:
        Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key + "=")).verify(signature, over)
    except (InvalidSignature, ValueError):
        return Refusal("not_admitted")
    if grant.code != hall.code or grant.role != role or grant.made in hall.links:
        return Refusal("not_admitted")
    if not -SKEW_S <= grant.until - now <= GRANT_S + SKEW_S:
        return Refusal("sign_in")
    return Refusal("link_revoked") if grant.holder in hall.barred else grant
