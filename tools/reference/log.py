"""docs/reference/log.md."""

from protocol.entries import ENTRIES
from tools.reference.table import code, table


def page() -> str:
    """The entries of the log."""
    rows = [
        (
            f"`{kind}`",
            entry.version,
            code(sorted(entry.needs)),
            code(sorted(entry.raises)),
            code(name for name in entry.__struct_fields__ if name not in ("at", "by")),
        )
        for kind, entry in ENTRIES.items()
    ]
    return (
        "# The log\n\n"
        "Every entry has `at` (unix time, whole seconds) and `by` (`host:ID`, `director:ID`, `organiser`, or empty where a\n"
        "participant acted or nobody). An entry is appended only if nothing has raised the lane it *needs* since it was\n"
        "decided; it *raises* lanes itself. Texts stand beside the log, so that erasing one is real.\n\n"
        + table(("kind", "version", "needs", "raises", "fields"), rows)
    )
