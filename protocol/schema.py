"""JSON Schema of all that travels between server and pages; types.ts is made from it.

`python -m protocol.schema` prints it.
"""

from typing import Any

import msgspec

from protocol import closings, commands, frames, limits, refusals, views


def schema() -> dict[str, Any]:
    """One document: `$defs` of every struct, and the tables (commands by role, codes, limits) as `x-townhall`."""
    structs: list[Any] = [
        *commands.COMMANDS.values(),
        *commands.QUERIES.values(),
        commands.Join,
        *frames.FRAMES.values(),
    ]
    structs += [frames.Ack, views.OrganiserHall, views.Fate]
    unions = {
        "AudienceFragment": views.AudienceFragment,
        "HostFragment": views.HostFragment,
        "DirectorFragment": views.DirectorFragment,
        "OverlayFragment": views.OverlayFragment,
    }
    shapes, defs = msgspec.json.schema_components([*structs, *unions.values()], ref_template="#/$defs/{name}")
    for name, shape in zip(unions, shapes[len(structs) :], strict=True):
        defs[name] = shape
    for kind in (*commands.COMMANDS.values(), *commands.QUERIES.values()):
        # The tag is the name it is sent under, not a field of the payload.
        defs[kind.__name__]["properties"].pop("command")
        defs[kind.__name__]["required"].remove("command")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "townhall",
        "$defs": defs,
        "x-townhall": {
            "protocol": frames.PROTOCOL,
            "commands": {n: c.__name__ for n, c in (*commands.COMMANDS.items(), *commands.QUERIES.items())},
            "frames": {n: f.__name__ for n, f in frames.FRAMES.items()},
            "refusals": {c: {"temporary": k.temporary, "status": k.status} for c, k in refusals.REFUSALS.items()},
            "closings": {str(c): {"reason": r, "comes_back": closings.comes_back(c)} for c, r in closings.CLOSINGS.items()},
            "limits": {n: item.value for n, item in limits.LIMITS.items()},
        },
    }


if __name__ == "__main__":
    import sys

    import orjson

    sys.stdout.buffer.write(orjson.dumps(schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
