"""The browsers' codec: orjson makes bytes, msgspec validates what comes in, frames are joins of ready fragments."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
import orjson

from protocol.commands import COMMANDS, QUERIES, Command, Query
from protocol.frames import CHANGED, RESET
from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.views import Fragment


class BadJson(ValueError):
    """Not JSON, nested too deeply, or with numbers no client of ours sends."""


def loads(data: bytes | str) -> Any:
    """JSON value of `data`. Raises BadJson; nesting beyond limits.json_depth counts as bad before anything is built."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if _depth(raw) > limit("json_depth"):
        raise BadJson("nested too deeply")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadJson(str(error)) from None


def _depth(raw: bytes) -> int:
    """Upper bound of the nesting: brackets inside strings are skipped only when the cheap count is suspicious."""
    if raw.count(b"[") + raw.count(b"{") <= limit("json_depth"):
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def dumps(value: Any) -> bytes:
    """Compact JSON bytes of plain values and of our structs; those without a detour by plain values."""
    if isinstance(value, msgspec.Struct):
        return msgspec.json.encode(value)
    return orjson.dumps(value, default=plain, option=orjson.OPT_NON_STR_KEYS)


def plain(value: Any) -> Any:
    """Our structs as plain values, for orjson. Raises TypeError for anything else."""
    if isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value, str_keys=True)
    raise TypeError(f"{type(value).__name__} does not travel")


def command(name: object, payload: object) -> Command | Query | Refusal:
    """The typed command of a wire name and its payload, or a refusal that says which field is wrong (`$.client_id`)."""
    kind = (COMMANDS.get(name) or QUERIES.get(name)) if isinstance(name, str) else None
    if kind is None:
        return Refusal("unknown_command")
    if not isinstance(payload, dict) or "command" in payload:
        return Refusal("bad_request", field="$")
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        return Refusal("bad_request", params={"why": what}, field=where.rstrip("`") or "$")


def fragment(value: Fragment) -> bytes:
    """One fragment, encoded once and for all who see it."""
    return dumps(value)


def changed(after: int, seq: int, fragments: Iterable[bytes]) -> bytes:
    """The JSON of a `Frame`."""
    return b'{"after":%d,"seq":%d,"entries":[%b]}' % (after, seq, b",".join(fragments))


def position(epoch: int, seq: int) -> bytes:
    """The JSON of a `Frame` that covers nothing: where its reader should stand."""
    return b'{"after":%d,"seq":%d,"entries":[],"epoch":%d}' % (seq, seq, epoch)


def reset(epoch: int, seq: int, fragments: Iterable[bytes]) -> bytes:
    """The JSON of a `Snapshot`."""
    return b'{"epoch":%d,"seq":%d,"entries":[%b]}' % (epoch, seq, b",".join(fragments))


def packet(namespace: str, name: str, body: bytes) -> bytes:
    """Socket.IO v5 EVENT packet in an Engine.IO v4 message: `42/audience,["view:changed",{...}]`."""
    return b'42%b,["%b",%b]' % (namespace.encode(), name.encode(), body)


def stream_item(name: Literal["view:changed", "view:reset"] | str, body: bytes, position: str = "") -> bytes:
    """The same as an item of a Server-Sent Events stream (WHATWG HTML, 9.2); `position` is its id: `EPOCH-SEQ`."""
    head = b"id: %b\n" % position.encode() if position and name in (CHANGED, RESET) else b""
    return b"%bevent: %b\ndata: %b\n\n" % (head, name.encode(), body)
