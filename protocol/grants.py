"""What an issuer tells the chat, through a browser, of somebody who signed in and is staff of a town hall.

    grant = base64url(JSON of Grant) ‖ "." ‖ base64url(Ed25519 signature over "TH1 staff grant" ‖ 0x00 ‖ JSON)

Staff are not anonymous; what the issuer knows of participants is never in it. The key stands in the issuer's card.
"""

import base64
import binascii
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from protocol.names import HallCode, LinkId, Seconds

GrantedRole = Literal["host", "director"]
"""Roles that single sign-on gives: an overlay cannot sign in, and an organiser's rights are those over the whole server."""
GRANT_S: Final = 120
"""How long a grant is good: the way from one page to the other."""
LABEL_LETTERS: Final = 40
HolderId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$", description="Keyed hash of an account, within one town hall")]
_SIGNED: Final = b"TH1 staff grant\0"


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`made`: name of the link that comes of it, so that a grant is good once. `id` "": a moderator whom `label` names."""

    code: HallCode
    role: GrantedRole
    id: Annotated[str, Meta(max_length=40)]
    label: Annotated[str, Meta(min_length=1, max_length=LABEL_LETTERS)]
    holder: HolderId
    made: LinkId
    until: Seconds


def signed(grant: Grant) -> bytes:
    """What the signature is over."""
    return _SIGNED + msgspec.json.encode(grant)


def written(grant: Grant, signature: bytes) -> str:
    """As it travels."""
    return f"{_b64(msgspec.json.encode(grant))}.{_b64(signature)}"


def read(text: str) -> tuple[Grant, bytes, bytes] | None:
    """(grant, what the signature is over, signature), not yet checked; None: it is none."""
    body, _, signature = text.partition(".")
    try:
        raw, mark = _unb64(body), _unb64(signature)
        return msgspec.json.decode(raw, type=Grant), _SIGNED + raw, mark
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
