"""The overlay's parameters, as its page understands them: read from the table in static/src/pages/overlay/parameters.ts."""

import re
from pathlib import Path

from tools.reference.table import table

SOURCE = Path(__file__).parent.parent.parent / "static" / "src" / "pages" / "overlay" / "parameters.ts"
_ROW = re.compile(r'\{ name: "([^"]+)", value: "([^"]+)", what: "([^"]+)" \}')


def page() -> str:
    """docs/reference/overlay.md. Raises ValueError if a row of the table is not understood."""
    rows = SOURCE.read_text("utf-8").partition("TABLE")[2].partition("\n];")[0]
    found = _ROW.findall(rows)
    if not found or len(found) != rows.count("name:"):
        raise ValueError(f"{len(found)} rows understood of {rows.count('name:')}")
    return f"""# Parameters of the overlay

Made by `make docs` from the overlay's own table. They stand in its address in front of the `#`:
`/overlay/CODE?ticker=1&scale=1.2#KEY`. A bare name means true; `0`, `false` and `no` mean false. Names are those of Social Stream
Ninja where it has one. What is not known is left alone, and a value out of its range becomes the nearest one in it.

{table(("parameter", "value", "what it does"), [(f"`{name}`", value, what) for name, value, what in found])}
Not taken over: `js` and `googlefont`. An overlay runs no script of others and asks no other host for anything.
[OBS](../howto/obs.md) says how to bring it in.
"""
