"""All that can have happened in a town hall, in the past tense, one struct each: the facts of the log.

Each class says which lanes it needs (the guard it was judged by) and raises. `desk`: what hosts, directors and the
organiser do. `gate`: who may post what. An entry never judges: `moderation.evolve` applies it whatever it says.
`text` stands beside the stream so that erasing is real; it is None once erased. New fields have defaults; a change of
meaning is a new version with an upcast (upcasts.py). Entries carry whole seconds, no more.
"""

from typing import ClassVar

import msgspec

from protocol.names import (
    AuthorTag,
    DeclineReason,
    DirectorId,
    DueDate,
    FateState,
    HallCode,
    HoldReason,
    LinkId,
    MessageId,
    MessageState,
    Mode,
    MuteReason,
    PollId,
    Pseudonym,
    RemovalReason,
    Role,
    Seconds,
    Seq,
    Sha256,
    StaffId,
    StaffRole,
)
from protocol.registry import by_tag
from protocol.setup import Admission, Setup


class Finding(msgspec.Struct, frozen=True):
    """What a filter found in a text: a category and its place, in code points."""

    kind: str
    start: int
    end: int


class Entry(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, omit_defaults=True):
    """`by`: `host:ID`, `director:ID`, `organiser`, `issuer` (somebody signed in there), or "" where a participant acted (the
    author says who) or nobody.
    """

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"desk"})
    raises: ClassVar[frozenset[str]] = frozenset({"desk"})
    at: Seconds
    by: str = ""
    link: LinkId | None = None
    """The staff link that it was done with: the audit knows a lent link from its owner's other one."""


class _Gate(Entry, frozen=True):
    """Changes who may post what: raises both lanes."""

    raises: ClassVar[frozenset[str]] = frozenset({"desk", "gate"})


# --- the town hall ---
class HallCreated(_Gate, frozen=True, tag="hall.created"):
    code: HallCode
    setup: Setup
    admission: Admission | None = None
    """None: whoever has the link is a participant, in as many browsers as they like."""


class HallConfigured(_Gate, frozen=True, tag="hall.configured"):
    setup: Setup


class HallOpened(_Gate, frozen=True, tag="hall.opened"):
    pass


class HallClosed(_Gate, frozen=True, tag="hall.closed"):
    """No question disappears: those without an end become deferred, to be answered in writing by `due`.

    `by` "": nobody closed it, and its time was over (Setup.closes_after_h).
    """

    due: DueDate
    deferred: tuple[MessageId, ...] = ()


class LinksRenewed(Entry, frozen=True, tag="links.renewed"):
    """All links of the role were revoked at once."""

    role: Role


class LinkMade(Entry, frozen=True, tag="link.made"):
    """A staff link. Its secret is known to whoever holds it; here stands what it hashes to."""

    made: LinkId
    role: StaffRole
    id: StaffId
    """Of the host or director it is for; one that is not in the setup belongs to a moderator known by `label`."""
    label: str
    secret: Sha256
    expires: Seconds
    holder: str = ""
    """Of staff who signed in at the issuer: a keyed hash of their account, within this town hall (grants.py)."""


class LinkRevoked(Entry, frozen=True, tag="link.revoked"):
    """Whoever signed in for it is out with all their links, and cannot sign in again."""

    revoked: LinkId


# --- from watching to taking part ---
class RoundOpened(Entry, frozen=True, tag="round.opened"):
    """From now on, for `seconds`, browsers show their tokens, each at a random moment.

    `few`: fewer than are let in together; only those who said that they will come in all the same show theirs.
    """

    seconds: int
    few: bool = False


class ParticipantsAdmitted(_Gate, frozen=True, tag="participants.admitted"):
    """They may post from now on: all at once, in the order of their tags, so that nothing tells who came when."""

    authors: tuple[AuthorTag, ...]


class PseudonymChosen(_Gate, frozen=True, tag="pseudonym.chosen"):
    """Instead of the one they were given, before their first message."""

    author: AuthorTag
    pseudonym: Pseudonym


# --- who may post what ---
class ChatPaused(_Gate, frozen=True, tag="chat.paused"):
    pass


class ChatResumed(_Gate, frozen=True, tag="chat.resumed"):
    pass


class ChatSlowed(_Gate, frozen=True, tag="chat.slowed"):
    seconds: int


class NewcomersSet(_Gate, frozen=True, tag="newcomers.set"):
    """`on`: only those take part who were admitted before this entry or, where there is no issuer, had written before it."""

    on: bool
    since: Seconds = 0
    """Whoever was admitted, or first wrote, in this second or later is a newcomer too; 0: only who comes after the entry."""


class ModeSet(_Gate, frozen=True, tag="chat.mode_set"):
    mode: Mode


class AuthorMuted(_Gate, frozen=True, tag="author.muted"):
    """`until` 0: until the town hall closes."""

    author: AuthorTag
    reason: MuteReason
    until: Seconds = 0
    message: MessageId = 0
    """The message that the mute was aimed at."""


class AuthorUnmuted(_Gate, frozen=True, tag="author.unmuted"):
    author: AuthorTag


class AuthorHeld(_Gate, frozen=True, tag="author.held"):
    """What they post from now on waits for a moderator; `messages` are theirs that were visible, and wait too."""

    author: AuthorTag
    message: MessageId = 0
    """The message that it was aimed at."""
    messages: tuple[MessageId, ...] = ()


class AuthorReleased(_Gate, frozen=True, tag="author.released"):
    """The hold is undone; `messages` are visible again, where they were."""

    author: AuthorTag
    messages: tuple[MessageId, ...] = ()


# --- messages ---
class MessagePosted(Entry, frozen=True, tag="message.posted"):
    """Its seq is the message's id. `held` None: visible at once."""

    needs: ClassVar[frozenset[str]] = frozenset({"gate"})
    raises: ClassVar[frozenset[str]] = frozenset()
    author: AuthorTag
    pseudonym: Pseudonym
    text: str | None
    asked: bool = False
    held: HoldReason | None = None
    findings: tuple[Finding, ...] = ()


class _OfMessage(Entry, frozen=True):
    message: MessageId


class MessagePublished(_OfMessage, frozen=True, tag="message.published"):
    pass


class MessageHeld(_OfMessage, frozen=True, tag="message.held"):
    pass


class MessageRemoved(_OfMessage, frozen=True, tag="message.removed"):
    reason: RemovalReason


class MessageRestored(_OfMessage, frozen=True, tag="message.restored"):
    pass


class MessageErased(_OfMessage, frozen=True, tag="message.erased"):
    pass


# --- questions ---
class QuestionPicked(_OfMessage, frozen=True, tag="question.picked"):
    """To the end of the queue."""


class QuestionUnpicked(_OfMessage, frozen=True, tag="question.unpicked"):
    pass


class QuestionMoved(_OfMessage, frozen=True, tag="question.moved"):
    position: int


class QuestionRouted(_OfMessage, frozen=True, tag="question.routed"):
    director: DirectorId | None


class QuestionAccepted(_OfMessage, frozen=True, tag="question.accepted"):
    pass


class QuestionReturned(_OfMessage, frozen=True, tag="question.returned"):
    director: DirectorId
    reason: str


class QuestionMerged(_OfMessage, frozen=True, tag="question.merged"):
    into: MessageId


class QuestionSplit(_OfMessage, frozen=True, tag="question.split"):
    pass


class QuestionPreviewed(Entry, frozen=True, tag="question.previewed"):
    message: MessageId | None


class QuestionAired(_OfMessage, frozen=True, tag="question.aired"):
    """`support`: the gauge's figure at that moment, frozen."""

    support: int = 0


class AnswerStarted(_OfMessage, frozen=True, tag="answer.started"):
    pass


class QuestionRequeued(_OfMessage, frozen=True, tag="question.requeued"):
    pass


class QuestionAnswered(_OfMessage, frozen=True, tag="question.answered"):
    """Live. The time in the broadcast follows from when it went on air and when the town hall opened."""

    support: int = 0


class QuestionDeferred(_OfMessage, frozen=True, tag="question.deferred"):
    due: DueDate
    note: str = ""


class QuestionDeclined(_OfMessage, frozen=True, tag="question.declined"):
    reason: DeclineReason
    note: str = ""


class AnswerWritten(_OfMessage, frozen=True, tag="answer.written"):
    text: str | None


class Before(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message was before an act: enough to put it back."""

    state: MessageState
    held: HoldReason | None = None
    removed: RemovalReason | None = None
    fate: FateState | None = None
    director: DirectorId | None = None
    accepted: bool = False
    into: MessageId | None = None
    merged: tuple[MessageId, ...] = ()
    due: DueDate | None = None
    note: str = ""
    declined: DeclineReason | None = None
    aired_at: Seconds | None = None
    answering_at: Seconds | None = None
    answered_at: Seconds | None = None
    support: int | None = None
    position: int | None = None
    """Place in the queue; None: not in it."""


class ActUndone(_OfMessage, frozen=True, tag="act.undone"):
    undoes: Seq
    before: Before


# --- polls ---
class PollOpened(Entry, frozen=True, tag="poll.opened"):
    """Its seq is the poll's id. Votes stand outside the log."""

    question: str
    choices: tuple[str, ...]


class PollClosed(Entry, frozen=True, tag="poll.closed"):
    """What came of it: `counts` for each choice, `voters` their sum. Both None: fewer than five voted; no figures."""

    poll: PollId
    voters: int | None = None
    counts: tuple[int, ...] | None = None


# --- the overlay ---
class OverlayCleared(Entry, frozen=True, tag="overlay.cleared"):
    pass


class OverlayShown(Entry, frozen=True, tag="overlay.shown"):
    pass


class TickerSet(Entry, frozen=True, tag="overlay.ticker_set"):
    on: bool


class PollSet(Entry, frozen=True, tag="overlay.poll_set"):
    """Whether the newest poll is on the overlays."""

    on: bool


class KeySet(Entry, frozen=True, tag="overlay.key_set"):
    """Whether the words of the issuer's key are on the overlays."""

    on: bool


ENTRIES: dict[str, type[Entry]] = by_tag(Entry)
