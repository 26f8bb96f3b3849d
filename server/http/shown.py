"""A token as it comes over HTTP, in base64url, and as it is checked, in bytes."""

import base64
import binascii
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.refusals import Refusal
from server.admission.redeem import ShownToken
from server.http.body import parsed, typed

Bytes = Annotated[str, Meta(max_length=1_000, pattern=r"^[A-Za-z0-9_-]*$")]


class Redeem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/v1/halls/CODE/redeem`; values base64url without padding (protocol/credentials.py).

    `few`: I will come in with fewer than are let in together.
    """

    prefix: Bytes
    signature: Bytes
    device_key: Bytes
    nonce: Bytes
    proof: Bytes
    few: bool = False


def shown(body: bytes) -> ShownToken | Refusal:
    """The token that `body` shows, not checked. Refuses `bad_request`."""
    asked = typed(parsed(body), Redeem)
    if isinstance(asked, Refusal):
        return asked
    return ShownToken(
        prefix=_bytes(asked.prefix),
        signature=_bytes(asked.signature),
        device_key=_bytes(asked.device_key),
        nonce=_bytes(asked.nonce),
        proof=_bytes(asked.proof),
        few=asked.few,
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
