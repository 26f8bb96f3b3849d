"""What a rule answers, and what rules share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moderation.context import Actor, Context
from moderation.hall import Hall
from moderation.message import Message
from moderation.text import clean, graphemes
from protocol.entries import Entry
from protocol.limits import limit
from protocol.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Decision:
    """Entries to append together. `state`: what the acknowledgement tells of a posted message."""

    entries: tuple[Entry, ...]
    state: str | None = None


Rule = Callable[[Hall, Actor, Any, Context], Decision | Refusal]


def one(entry: Entry) -> Decision:
    """A decision of a single entry."""
    return Decision((entry,))


def cleaned(text: str, bound: str, *, field: str = "$.text", required: bool = True) -> str | Refusal:
    """`text` without what must not travel, within `bound`_graphemes (and _bytes, where there is such a bound)."""
    found = clean(text)
    if required and not found:
        return Refusal("text_empty", field=field)
    most = limit(f"{bound}_graphemes")
    too_many_bytes = bound in ("text", "answer") and len(found.encode()) > limit(f"{bound}_bytes")
    if too_many_bytes or graphemes(found) > most:
        return Refusal("text_too_long", {"max": most}, field=field)
    return found


def find(hall: Hall, id: int) -> Message | Refusal:
    """The message of a command."""
    return hall.messages.get(id) or Refusal("no_such_message", field="$.message")


def not_yours() -> Refusal:
    """To whoever does not see all messages: the same whether it is another's, hidden, or does not exist."""
    return Refusal("not_yours", field="$.message")


def wrong_state(message: Message) -> Refusal:
    """It is held or removed, or visible, and should not be."""
    return Refusal("wrong_state", {"state": message.state})


def wrong_fate(message: Message) -> Refusal:
    """The question is not where this could be done."""
    return Refusal("wrong_fate", {"fate": message.fate or "plain"})


def already(hall: Hall, message: Message, code: str = "already_done") -> Refusal:
    """Somebody has done it before: says who."""
    return Refusal(code, {"by": hall.name_of(message.by)})
