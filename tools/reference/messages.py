"""docs/reference/messages.md."""

import json
from collections.abc import Iterable
from typing import Any

from protocol.commands import COMMANDS, QUERIES
from protocol.frames import FRAMES
from protocol.schema import schema
from tools.reference.table import code, table

VIEWS = ("AudienceFragment", "HostFragment", "DirectorFragment", "OverlayFragment")
NUMBER_MAX = 2**53


def page() -> str:
    """Every command, every frame, every part of a view, field by field."""
    shapes: dict[str, Any] = schema()["$defs"]
    told: set[str] = set(VIEWS)
    parts = [
        "# Messages on the wire\n",
        "Field by field. How they are used, and what is promised about them, says [the protocol](../protocol.md).\n"
        "A field with a default may be left out. In a command an unknown field is refused; in what the server sends,\n"
        "ignore it.\n",
    ]
    for head, kinds in (("Commands", COMMANDS), ("Queries", QUERIES)):
        parts.append(f"## {head}\n")
        for name, kind in kinds.items():
            told.add(kind.__name__)
            parts += _section(f"`{name}`", shapes[kind.__name__], f"From: {code(kind.roles)}.")
    parts += _section("Joining", shapes["Join"], level="##")
    parts += _section("The acknowledgement", shapes["Ack"], level="##")
    told |= {"Join", "Ack"}
    parts.append("## Frames\n")
    for name, frame in FRAMES.items():
        told.add(frame.__name__)
        parts += _section(f"`{name}`", shapes[frame.__name__])
    parts.append("## Views\n")
    parts.append("What the `entries` of `view:reset` and `view:changed` may be, by role; `k` says which it is.\n")
    parts.append(table(("view", "fragments"), [(view.removesuffix("Fragment"), _type(shapes[view])) for view in VIEWS]))
    parts.append("## Shapes\n")
    for name in sorted(shapes.keys() - told):
        parts += _section(name, shapes[name])
    return "\n".join(parts)


def _section(head: str, shape: dict[str, Any], more: str = "", level: str = "###") -> Iterable[str]:
    needed = shape.get("required", [])
    rows = [
        (f"`{name}`", _type(field), "needed" if name in needed else _default(field), _told(field))
        for name, field in shape.get("properties", {}).items()
    ]
    text = " ".join([*shape.get("description", "").split(), more]).strip()
    yield f"{level} {head}\n"
    if text:
        yield f"{text}\n"
    if rows:
        yield table(("field", "type", "default", ""), rows)


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(one) for one in field["anyOf"])
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "prefixItems" in field:
        return f"[{', '.join(_type(one) for one in field['prefixItems'])}]"
    if field.get("type") == "array":
        return f"list of {_type(field['items']) if field.get('items') else 'anything'}{_bounds(field, 'Items', '')}"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return f"{field.get('type', 'anything')}{_bounds(field, 'Length', ' characters')}{_range(field)}"


def _bounds(field: dict[str, Any], what: str, unit: str) -> str:
    low, high = field.get(f"min{what}"), field.get(f"max{what}")
    if low is None and high is None:
        return ""
    return f", {low or 0} to {high}{unit}" if high is not None else f", at least {low}{unit}"


def _range(field: dict[str, Any]) -> str:
    low = field.get("minimum")
    high = field.get("maximum")
    if high is None and field.get("exclusiveMaximum", NUMBER_MAX) < NUMBER_MAX:
        high = field["exclusiveMaximum"] - 1
    if low is None and high is None:
        return ""
    return f", {low} to {high}" if high is not None else f", at least {low}"


def _default(field: dict[str, Any]) -> str:
    return f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"


def _told(field: dict[str, Any]) -> str:
    inner: dict[str, Any] = next((one for one in field.get("anyOf", []) if one.get("description")), {})
    told = field.get("description") or inner.get("description", "")
    pattern = field.get("pattern") or inner.get("pattern")
    return f"{told}{': ' if told and pattern else ''}{f'`{pattern}`' if pattern else ''}"
