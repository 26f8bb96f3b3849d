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
    """Body of `POST /api/v1/halls/CODE/redeem`; all base64url without padding (protocol/credentials.py)."""

    prefix: Bytes
    signature: Bytes
    device_key: Bytes
    nonce: Bytes
    proof: Bytes


def shown(body: bytes) -> ShownToken | Refusal:
    """The token that `body` shows, not checked. Refuses `bad_request`."""
    asked = typed(parsed(body), Redeem)
    if isinstance(asked, Refusal):
        return asked
    return ShownToken(
        _bytes(asked.prefix), _bytes(asked.signature), _bytes(asked.device_key), _bytes(asked.nonce), _bytes(asked.proof)
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
