"""What a client may send: Engine.IO v4 messages that are Socket.IO v5 packets, of the kinds we offer and no others.

Refused, each by closing the connection: attachments, packets of kinds that only a server sends, names that are reserved,
JSON nested deeply, namespaces that are not ours. The first one is enough; it is counted, not logged one by one.
"""

import base64
import random
import re
from dataclasses import dataclass
from typing import Any, Literal

from protocol import wire
from protocol.commands import names_for
from protocol.limits import limit
from protocol.names import Role
from server.sockets.frame_reader import BadFrame

NAMESPACES: dict[str, Role] = {"/audience": "audience", "/host": "host", "/director": "director", "/overlay": "overlay"}
_PACKET = re.compile(r"4(?P<kind>[012])(?P<namespace>/[a-z]{1,16}),(?P<id>[0-9]{0,9})(?P<data>.*)", re.DOTALL)
_RESERVED = ("connect", "disconnect", "connect_error", "*", "message")
_KINDS: dict[str, Literal["connect", "leave", "event"]] = {"0": "connect", "1": "leave", "2": "event"}


@dataclass(slots=True)
class Packet:
    """`id`: what the acknowledgement is sent under, "" if none is wanted. `data`: of a CONNECT its auth, else the event."""

    kind: Literal["connect", "leave", "event"]
    namespace: str
    role: Role
    id: str
    data: Any


def new_sid() -> bytes:
    """A name for a connection, 16 letters. Not a secret: without polling nothing can be asked for by it."""
    return base64.urlsafe_b64encode(random.randbytes(12))


def packet(raw: bytes, inside: tuple[str, ...]) -> Packet:
    """A message as a packet. `inside`: namespaces that were joined. Raises BadFrame."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadFrame(1007, "malformed") from None
    found = _PACKET.fullmatch(text)
    role = NAMESPACES.get(found["namespace"]) if found else None
    if found is None or role is None:
        raise BadFrame(3501, "malformed")
    if len(raw) > limit("staff_frame_bytes" if role in ("host", "director") else "frame_bytes"):
        raise BadFrame(3503, "too_big")
    try:
        data = wire.loads(found["data"]) if found["data"] else None
    except wire.BadJson:
        raise BadFrame(3501, "malformed") from None
    if found["kind"] != "0" and found["namespace"] not in inside:
        raise BadFrame(3501, "not_joined")
    match found["kind"], data:
        case ("0", None | dict()) | ("1", None):
            pass
        case "2", [str() as name, dict()] if name in names_for(role):
            pass
        case "2", [str() as name, *_]:
            # A name or a payload that is not ours is answered with a refusal, but these never reach a handler.
            if name in _RESERVED:
                raise BadFrame(3501, "reserved_name")
        case _:
            raise BadFrame(3501, "malformed")
    return Packet(_KINDS[found["kind"]], found["namespace"], role, found["id"], data)
