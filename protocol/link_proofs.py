"""By what a browser shows that it is the one that a link is bound to, byte by byte. static/src/link/proof.ts makes the same.

proof = ECDSA-P256-SHA256 by the browser's key over "TH1 link" ‖ 0x00 ‖ code ‖ 0x00 ‖ role ‖ 0x00 ‖ link ‖ 0x00 ‖ nonce
"""

from typing import Annotated

import msgspec
from msgspec import Meta


class LinkProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST …/ROLE/ticket` and `…/ROLE/grant`. `key`: uncompressed point of P-256. `proof`: r ‖ s. All base64url."""

    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{87}$")]
    nonce: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$")]
    proof: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{86}$")]


def link_proven(code: str, role: str, link: str, nonce: bytes) -> bytes:
    """What the proof is over. `code` "": of no town hall."""
    return b"\0".join((b"TH1 link", code.encode(), role.encode(), link.encode(), nonce))
