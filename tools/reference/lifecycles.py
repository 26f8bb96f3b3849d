"""docs/reference/lifecycles.md."""

from collections.abc import Iterable, Mapping
from typing import get_args

from moderation.hall_rules import PHASES
from moderation.message import OPEN_FATES
from moderation.message_rules import MESSAGE_STATES
from moderation.question_rules import MERGE_TARGETS, QUESTION_FATES
from protocol.names import FateState, MessageState
from tools.reference.table import code, table

Froms = Iterable[str | None]
PLAIN = "(plain message)"
FATES: tuple[FateState, ...] = get_args(FateState)
STATES: tuple[MessageState, ...] = get_args(MessageState)


def page() -> str:
    """Of town halls, messages and questions."""
    halls: dict[str, tuple[Froms, str]] = {name: ([start], end) for name, (start, end) in PHASES.items()}
    return (
        "# Lifecycles\n\n"
        "What each command does to a town hall, a message, a question. From any other state it is refused, with `wrong_phase`,\n"
        "`wrong_state`, `wrong_fate` or, where somebody was quicker, `already_done`, `already_picked` or `already_on_air`.\n\n"
        "## A town hall\n\n"
        + _rows(halls, ["draft", "open", "closed"])
        + "\n## A message\n\nIt begins `visible`, or `held` where the town hall is reviewed or a filter found something.\n\n"
        + _rows(MESSAGE_STATES, STATES)
        + "\n## A question\n\n"
        "A plain message becomes a question when it is asked as one (`asked`) or picked (`queued`). Every question has exactly\n"
        "one fate. A dash: the command leaves it as it is.\n\n"
        + _rows(QUESTION_FATES, (None, *FATES))
        + f"\nA question can be merged into one that is {code(fate for fate in FATES if fate in MERGE_TARGETS)}.\n"
        f"When the town hall closes, what is still {code(OPEN_FATES)} becomes `deferred`, with the date by which it is\n"
        "answered in writing.\n"
    )


def _rows(moves: Mapping[str, tuple[Froms, str]], order: Iterable[str | None]) -> str:
    places = list(order)
    rows = []
    for name, (starts, end) in moves.items():
        named = [_named(start) for start in sorted(starts, key=places.index)]
        rows.append((f"`{name}`", ", ".join(named), "–" if end == "-" else end if end.startswith("(") else f"`{end}`"))
    return table(("command", "from", "to"), rows)


def _named(state: str | None) -> str:
    return PLAIN if state is None else f"`{state}`"
