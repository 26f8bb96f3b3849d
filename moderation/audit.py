"""The audit: a chain of hashes over the log, so that nobody can alter, drop or reorder what was done without it showing.

    digest(n) = SHA256(seq as 8 bytes ‖ body)        hash(n) = SHA256(hash(n-1) ‖ digest(n))        hash(0) = SHA256("townhall")

A body is an entry without its text (protocol/bus.py): erasing a text for good leaves the chain whole. The last hash is shown
at closing and in the report; whoever wrote it down can check the log against it for ever.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from moderation.hall import Hall
from protocol.bus import LogCorrupt, UnknownEntry, unpack
from protocol.entries import Entry

GENESIS: Final = hashlib.sha256(b"townhall").hexdigest()


def digest(seq: int, body: bytes) -> str:
    """Of one entry."""
    return hashlib.sha256(seq.to_bytes(8, "big") + body).hexdigest()


def chained(before: str, one: str) -> str:
    """The hash after the entry with digest `one`."""
    return hashlib.sha256(bytes.fromhex(before) + bytes.fromhex(one)).hexdigest()


def advance(hall: Hall, seq: int, body: bytes) -> None:
    """Note in `hall` that entry `seq` was applied."""
    hall.chain = chained(hall.chain or GENESIS, digest(seq, body))


def line(hall: Hall, seq: int, body: bytes, entry: Entry) -> dict[str, Any]:
    """Entry `seq`, applied to `hall`, as the audit tells it. What staff did is told whole; what participants did by digest."""
    found: dict[str, Any] = {"seq": seq, "digest": digest(seq, body), "hash": hall.chain}
    if entry.by:
        found["kind"] = str(type(entry).__struct_config__.tag)
        found["by"] = hall.name_of(entry.by)
        link = hall.links.get(entry.link or "")
        if link is not None:
            found["link"] = {"name": entry.link, "label": link.label}
        found["body"] = base64.b64encode(body).decode()
    return found


def first_bad(lines: Iterable[object], head: str | None = None) -> int | None:
    """The first seq at which an audit does not hold, None: it holds. `head`: the last hash as it was told elsewhere."""
    hash, seq = GENESIS, 0
    for seq, found in enumerate(lines, 1):
        if not isinstance(found, Mapping) or not _holds(hash, seq, found):
            return seq
        hash = str(found["hash"])
    return None if head is None or hash == head else seq + 1


def _holds(before: str, seq: int, found: Mapping[Any, Any]) -> bool:
    try:
        if found["seq"] != seq or chained(before, found["digest"]) != found["hash"]:
            return False
        if "body" not in found:
            return not set(found) - {"seq", "digest", "hash"}
        body = base64.b64decode(found["body"], validate=True)
        entry = unpack(body, None)
        kind = str(type(entry).__struct_config__.tag)
        named = (found.get("link") or {}).get("name")
        return digest(seq, body) == found["digest"] and found["kind"] == kind and named == entry.link
    except (KeyError, TypeError, ValueError, AttributeError, UnknownEntry, LogCorrupt):
        return False
