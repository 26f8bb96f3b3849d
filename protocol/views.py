"""What each role may see, as fragments. No base shared with entries: leaking needs somebody to add a field here.

A fragment is a *value*, named by its kind (`k`) and, where there are many of a kind, its `id`. Folding is replacing:
the newest value of a name wins, `gone` deletes a name, `window` deletes plain messages below its floor. So live
frames, resuming and snapshots are the same fragments, and coalescing them cannot go wrong.
"""

from typing import Literal

import msgspec

from protocol.entries import Finding
from protocol.names import (
    AuthorTag,
    DeclineReason,
    DepartmentId,
    DirectorId,
    DueDate,
    FateState,
    HallCode,
    HoldReason,
    Language,
    LinkId,
    MessageId,
    MessageState,
    Mode,
    MuteReason,
    Phase,
    PollId,
    Pseudonym,
    RemovalReason,
    Seconds,
    Seq,
    StaffId,
    StaffRole,
)
from protocol.setup import Admission, Setup, Video


class Fragment(msgspec.Struct, frozen=True, tag_field="k", kw_only=True, omit_defaults=True):
    """Base of all fragments of all views."""


class Gone(Fragment, frozen=True, tag="gone"):
    """The message, question or poll `id` is not (or no longer) in this view. Says nothing of why."""

    id: MessageId


class Window(Fragment, frozen=True, tag="window"):
    """Plain messages (without a fate, and not held) whose place (`shown`, else `id`) is below `floor` have left the view."""

    floor: Seq


# --- shared parts ---
class DepartmentName(msgspec.Struct, frozen=True, omit_defaults=True):
    id: DepartmentId
    ko: str
    en: str = ""


class DirectorName(msgspec.Struct, frozen=True, omit_defaults=True):
    id: DirectorId
    department: DepartmentId
    name: str
    name_en: str = ""
    title: str = ""
    title_en: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Live: `offset_s` into the broadcast (since it opened) and `took_s`. Written: `text` (null if erased)."""

    how: str
    at: Seconds
    offset_s: int | None = None
    took_s: int | None = None
    text: str | None = None
    director: DirectorId | None = None


class Fate(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What became of a question, in public. Never blank."""

    state: FateState
    director: DirectorId | None = None
    into: MessageId | None = None
    merged: tuple[MessageId, ...] = ()
    """Those that were merged into this one."""
    due: DueDate | None = None
    reason: DeclineReason | None = None
    note: str = ""
    answer: Answer | None = None
    support: int | None = None
    """Frozen when it went on air; before that, see the gauges."""


class PollCard(Fragment, frozen=True, tag="poll"):
    """A poll, named by its id; on the overlay only while the host has it there. While it is open, see the gauges.

    `voters`, `counts`: once it is closed, unless fewer than five have voted.
    """

    id: PollId
    question: str
    choices: tuple[str, ...]
    open: bool
    at: Seconds
    closed_at: Seconds | None = None
    voters: int | None = None
    counts: tuple[int, ...] | None = None


# --- audience ---
class AudienceHall(Fragment, frozen=True, tag="hall"):
    code: HallCode
    title: str
    language: Language
    phase: Phase
    mode: Mode
    paused: bool = False
    slow_s: int = 0
    newcomers_wait: bool = False
    """Only those who took part before may write, support and vote."""
    opened_at: Seconds | None = None
    closed_at: Seconds | None = None
    video: Video | None = None
    departments: tuple[DepartmentName, ...] = ()
    directors: tuple[DirectorName, ...] = ()


class AudienceAdmission(Fragment, frozen=True, tag="admission"):
    """How people become participants here; absent where whoever has the link is one.

    `participants`: who may post by now. `round`: its number, and in unix seconds when it began and ends; a browser that
    had its token before it began shows it at a random moment within. `few`: it is one for those who will come in with
    fewer than `admission.round_people`; the others' browsers wait on.
    """

    admission: Admission
    participants: int = 0
    round: tuple[Seq, Seconds, Seconds] | None = None
    few: bool = False


class AudienceMessage(Fragment, frozen=True, tag="message"):
    """`shown`: its place in the chat, the seq at which it became visible; absent where that is its id."""

    id: MessageId
    text: str | None
    who: Pseudonym
    at: Seconds
    shown: Seq | None = None
    fate: Fate | None = None


class AudienceOnAir(Fragment, frozen=True, tag="on_air"):
    """`id` null: nothing is on air. The text is the message's own fragment."""

    id: MessageId | None
    since: Seconds | None = None
    answering: bool = False


# --- host ---
class HostHall(Fragment, frozen=True, tag="hall"):
    code: HallCode
    setup: Setup
    phase: Phase
    mode: Mode
    paused: bool = False
    slow_s: int = 0
    newcomers_wait: bool = False
    """Only those who took part before may write, support and vote."""
    opened_at: Seconds | None = None
    closed_at: Seconds | None = None
    moderators: dict[str, str] = {}
    """{id: label} of hosts who are not in the setup."""


class Returned(msgspec.Struct, frozen=True):
    director: DirectorId
    reason: str
    at: Seconds


class HostMessage(Fragment, frozen=True, tag="message"):
    """`text` null: removed and erased. `tag`: short author tag, the same for all messages of one voice."""

    id: MessageId
    text: str | None
    who: Pseudonym
    tag: AuthorTag
    at: Seconds
    state: MessageState
    asked: bool = False
    held: HoldReason | None = None
    removed: RemovalReason | None = None
    findings: tuple[Finding, ...] = ()
    fate: Fate | None = None
    director: DirectorId | None = None
    accepted: bool = False
    returned: tuple[Returned, ...] = ()
    suggested: tuple[DirectorId, ...] = ()
    """Directors whose department's duties the text speaks of, best first."""
    by: str = ""
    """Who acted on it last: `host:ID`, `director:ID`, `organiser`, or "" for its author."""


class Queue(Fragment, frozen=True, tag="queue"):
    """Next first."""

    order: tuple[MessageId, ...]


class HostOnAir(Fragment, frozen=True, tag="on_air"):
    id: MessageId | None
    since: Seconds | None = None
    answering_since: Seconds | None = None


class Preview(Fragment, frozen=True, tag="preview"):
    id: MessageId | None


class OverlayState(Fragment, frozen=True, tag="overlay"):
    """`key`: the words of the issuer's key are shown. `poll`: the newest poll is."""

    cleared: bool = False
    ticker: bool = False
    key: bool = False
    poll: bool = False


class Muted(msgspec.Struct, frozen=True):
    tag: AuthorTag
    who: Pseudonym
    reason: MuteReason
    until: Seconds
    by: str


class MutedAuthors(Fragment, frozen=True, tag="muted"):
    authors: tuple[Muted, ...]


class HeldAuthor(msgspec.Struct, frozen=True):
    tag: AuthorTag
    who: Pseudonym
    by: str


class HeldAuthors(Fragment, frozen=True, tag="held_authors"):
    """Authors whose messages all wait for a moderator."""

    authors: tuple[HeldAuthor, ...]


class HostAdmission(Fragment, frozen=True, tag="admission"):
    """How many may post, of how many there have to be before anybody may. `key`: the issuer's, to be read out as words."""

    participants: int
    minimum: int
    key: str = ""


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """A desk act, for the other moderators to see: `kind` is the entry's."""

    seq: Seq
    at: Seconds
    by: str
    kind: str
    message: MessageId | None = None
    undoable: bool = False


class Acts(Fragment, frozen=True, tag="acts"):
    """The last eight, newest last."""

    last: tuple[Act, ...]


# --- director ---
class DirectorHall(Fragment, frozen=True, tag="hall"):
    code: HallCode
    title: str
    language: Language
    phase: Phase
    opened_at: Seconds | None = None
    closed_at: Seconds | None = None
    departments: tuple[DepartmentName, ...] = ()
    directors: tuple[DirectorName, ...] = ()


class QuestionCard(Fragment, frozen=True, tag="question"):
    """A question routed to this director. `position`: place in the queue, 0 is next."""

    id: MessageId
    text: str | None
    who: Pseudonym
    at: Seconds
    fate: Fate
    accepted: bool = False
    position: int | None = None


class DirectorOnAir(Fragment, frozen=True, tag="on_air"):
    """`mine`: it is this director's turn."""

    id: MessageId | None
    mine: bool = False
    since: Seconds | None = None
    answering_since: Seconds | None = None


# --- overlay ---
class OverlayHall(Fragment, frozen=True, tag="hall"):
    """`key`: the issuer's, while the host shows it; the page makes words of it as the audience's does."""

    code: HallCode
    title: str
    language: Language
    phase: Phase
    key: str | None = None


class LowerThird(Fragment, frozen=True, tag="lower_third"):
    """The question on air, whole: the overlay needs nothing else. `id` null: nothing is shown."""

    id: MessageId | None
    text: str | None = None
    who: Pseudonym | None = None
    department: DepartmentName | None = None
    director: DirectorName | None = None
    since: Seconds | None = None
    answering: bool = False
    support: int = 0
    voices: int = 1
    """How many asked it together: itself and those merged into it."""


class TickerMessage(Fragment, frozen=True, tag="message"):
    """Visible; sent only while the ticker is on. `shown` as in the audience's."""

    id: MessageId
    text: str | None
    who: Pseudonym
    shown: Seq | None = None


class Ticker(Fragment, frozen=True, tag="ticker"):
    on: bool


AudienceFragment = AudienceHall | AudienceAdmission | AudienceMessage | AudienceOnAir | PollCard | Gone | Window
HostFragment = (
    HostHall
    | HostAdmission
    | HostMessage
    | Queue
    | HostOnAir
    | Preview
    | OverlayState
    | MutedAuthors
    | HeldAuthors
    | Acts
    | PollCard
    | Gone
    | Window
)
DirectorFragment = DirectorHall | QuestionCard | DirectorOnAir | Gone
OverlayFragment = OverlayHall | LowerThird | TickerMessage | Ticker | PollCard | Gone | Window


# --- organiser: fetched over HTTP, not folded ---
class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """received = visible + held + sum(removed). Every question is in exactly one of `questions`."""

    received: int = 0
    visible: int = 0
    held: int = 0
    removed: dict[str, int] = {}
    """By reason."""
    questions: dict[str, int] = {}
    """Visible questions by fate."""


class StaffLinkState(msgspec.Struct, frozen=True, kw_only=True):
    """A staff link as it stands. Its address was told once, when it was made: only a hash of it is kept."""

    link: LinkId
    role: StaffRole
    id: StaffId
    label: str
    made_at: Seconds
    expires: Seconds
    state: Literal["holds", "expired", "revoked"]
    live: int = 0
    """Connections by it on this node."""


class RoleLink(msgspec.Struct, frozen=True):
    """The address of a link, told once. `id` and `name` of whom it is for; "" for the audience, whose address is public."""

    role: str
    id: StaffId | str
    name: str
    url: str
    link: LinkId | str = ""


class OrganiserHall(msgspec.Struct, frozen=True, kw_only=True):
    code: HallCode
    setup: Setup
    phase: Phase
    opened_at: Seconds | None = None
    closed_at: Seconds | None = None
    ends_at: Seconds | None = None
    """While it is open: when it closes by itself."""
    ended_itself: bool = False
    """Closed, and nobody did it: its time was over."""
    counts: Counts = Counts()
    viewers: int = 0
    untied: bool = False
    """Closed, and what tied pseudonyms to participants is destroyed."""
    admission: Admission | None = None
    participants: int = 0
    """Who may post by now; where there is no issuer, nobody is counted."""
    audit: str = ""
    """The last hash of the audit: whoever has written it down can check the log against it."""
    audience_url: str = ""
    links: tuple[StaffLinkState, ...] = ()
    made: tuple[RoleLink, ...] = ()
    """Addresses of the links that were made with this request, and never again."""
