"""docs/reference/limits.md."""

from protocol.limits import LIMITS
from tools.reference.table import table


def page() -> str:
    """Every bound a client can meet."""
    rows = [(f"`{name}`", f"{one.value:,}", one.unit, one.beyond, _code(one.code)) for name, one in LIMITS.items()]
    return (
        "# Limits\n\n"
        "Every bound a client can meet. They are the same on every server and are not settings. A text is counted in\n"
        "grapheme clusters (Unicode, UAX 29): what a reader takes for one character is one, however many bytes it has.\n"
        "A code is a [refusal](codes.md#refusals) or, of four digits, a [close code](codes.md#close-codes).\n\n"
        + table(("limit", "value", "unit", "beyond it", "code"), rows)
    )


def _code(code: str) -> str:
    return "–" if code == "-" else f"`{code}`"
