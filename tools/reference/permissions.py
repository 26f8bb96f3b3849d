"""docs/reference/permissions.md."""

from typing import get_args

from moderation.permissions import PHASES
from protocol.commands import COMMANDS, QUERIES
from protocol.names import Phase
from tools.reference.table import code, table


def page() -> str:
    """Who may send which command in which phase."""
    phases: tuple[Phase, ...] = get_args(Phase)
    rows = [
        (f"`{name}`", code(kind.roles), *("yes" if phase in PHASES[name] else "–" for phase in phases))
        for name, kind in COMMANDS.items()
    ]
    queries = [(f"`{name}`", code(kind.roles)) for name, kind in QUERIES.items()]
    return (
        "# Permissions\n\n"
        "Who may send which command, and in which phase of the town hall. Whoever is not named is refused with\n"
        "`not_allowed`; in another phase the refusal is `wrong_phase`, for the audience `hall_draft` or `hall_closed`.\n\n"
        + table(("command", "roles", *phases), rows)
        + "\nThese change no log and may be sent in every phase:\n\n"
        + table(("query", "roles"), queries)
    )
