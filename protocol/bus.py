"""msgpack for the log and for pub/sub. A body is an entry without its text; the text stands beside the stream."""

from typing import Any, Final

import msgpack
import msgspec

from protocol.entries import ENTRIES, Entry
from protocol.upcasts import upcast

_TEXT_KINDS: Final = frozenset(k for k, e in ENTRIES.items() if "text" in e.__struct_fields__)


class UnknownEntry(Exception):
    """An entry of a newer program. Critical: a node that cannot read its log must drain itself, not skip."""


class LogCorrupt(Exception):
    """An entry that no version of the program wrote."""


def pack(entry: Entry) -> tuple[bytes, str | None]:
    """(body, text) of an entry, as the log keeps them."""
    raw: dict[str, Any] = msgspec.to_builtins(entry)
    text = raw.pop("text", None)
    if entry.version != 1:
        raw["v"] = entry.version
    return msgpack.packb(raw), text


def unpack(body: bytes, text: str | None) -> Entry:
    """The entry of a body and its text (None: there is none, or it was erased). Raises UnknownEntry, LogCorrupt."""
    try:
        raw = msgpack.unpackb(body)
        kind = raw["kind"]
    except Exception as error:
        raise LogCorrupt(f"not an entry: {error}") from None
    if kind not in ENTRIES:
        raise UnknownEntry(kind)
    version = raw.pop("v", 1)
    if version > ENTRIES[kind].version:
        raise UnknownEntry(f"{kind} version {version}")
    raw = upcast(kind, version, raw)
    if kind in _TEXT_KINDS:
        raw["text"] = text
    try:
        return msgspec.convert(raw, ENTRIES[kind])
    except msgspec.ValidationError as error:
        raise LogCorrupt(f"{kind}: {error}") from None
