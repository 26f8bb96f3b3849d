"""One message of a town hall, and what it is as a question. Changed only by evolve."""

from dataclasses import dataclass

from protocol.entries import Before, Finding
from protocol.names import (
    DeclineReason,
    FateState,
    HoldReason,
    MessageState,
    Pseudonym,
    RemovalReason,
)
from protocol.views import Returned

OPEN_FATES = ("asked", "queued", "on_air")
"""What has no end yet when the town hall closes: it becomes deferred."""


@dataclass(slots=True)
class Message:
    """A question is a message with a fate. Times are unix seconds.

    What few messages have is a tuple or a frozenset: all others share the empty one, which a long meeting's memory shows.
    """

    id: int
    author: str
    pseudonym: Pseudonym
    text: str | None
    at: int
    asked: bool
    state: MessageState
    held: HoldReason | None = None
    removed: RemovalReason | None = None
    findings: tuple[Finding, ...] = ()
    shown: int | None = None
    """Seq at which it last became visible: its place in the chat."""
    was_shown: bool = False
    fate: FateState | None = None
    director: str | None = None
    directors_ever: frozenset[str] = frozenset()
    accepted: bool = False
    returned: tuple[Returned, ...] = ()
    into: int | None = None
    merged: tuple[int, ...] = ()
    due: str | None = None
    note: str = ""
    declined: DeclineReason | None = None
    aired_at: int | None = None
    answering_at: int | None = None
    answered_at: int | None = None
    support: int | None = None
    written: str | None = None
    written_at: int | None = None
    written_by: str = ""
    by: str = ""
    changed: int = 0
    """Seq of the entry that last touched it."""

    @property
    def is_question(self) -> bool:
        """Whether it has a fate that the public may see."""
        return self.state == "visible" and self.fate is not None

    @property
    def has_open_end(self) -> bool:
        """Whether it is a question that still waits for what becomes of it."""
        return self.is_question and self.fate in OPEN_FATES

    def before(self, position: int | None) -> Before:
        """What an undo needs to put back."""
        return Before(
            state=self.state,
            held=self.held,
            removed=self.removed,
            fate=self.fate,
            director=self.director,
            accepted=self.accepted,
            into=self.into,
            merged=self.merged,
            due=self.due,
            note=self.note,
            declined=self.declined,
            aired_at=self.aired_at,
            answering_at=self.answering_at,
            answered_at=self.answered_at,
            support=self.support,
            position=position,
        )
