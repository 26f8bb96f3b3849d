"""The state of a town hall: data, and questions about it. Only evolve changes it."""

from collections import Counter, deque
from dataclasses import dataclass, field

from moderation.message import Message
from moderation.poll import Poll
from protocol.entries import Before
from protocol.names import Mode, MuteReason, Phase, Pseudonym, Role, StaffRole
from protocol.setup import Admission, Department, Director, Setup
from protocol.views import Act, Counts

ACTS_KEPT = 8
MODERATOR = "m-"
"""Head of the id of a moderator who has a link and does not stand in the setup."""


@dataclass(slots=True)
class Author:
    """A participant as this town hall knows them: by a tag."""

    pseudonym: Pseudonym
    last_post_at: int = 0


@dataclass(frozen=True, slots=True)
class Mute:
    """`until` 0: until closing."""

    reason: MuteReason
    until: int
    by: str

    def holds(self, now: int) -> bool:
        """Whether it still applies at unix second `now`."""
        return self.until == 0 or now < self.until


@dataclass(slots=True)
class StaffLink:
    """A link that was made. `secret`: SHA-256 of its secret, hexadecimal. `label`: who holds it."""

    role: StaffRole
    id: str
    label: str
    secret: str
    made_at: int
    expires: int
    revoked: bool = False
    holder: str = ""
    """Of whoever signed in for it; "": it was told to somebody."""

    def holds(self, now: int) -> bool:
        """Whether it still admits at unix second `now`."""
        return not self.revoked and now < self.expires


@dataclass(frozen=True, slots=True)
class AuthorHold:
    """All that an author posts is held. `messages`: those that the hold itself took from the screens, with entry `seq`."""

    seq: int
    by: str
    messages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A time in which browsers show their tokens, in unix seconds. `number`: seq of its entry.

    `few`: only for those who will come in with few; `let_in`: how many were in since the last one for all began.
    """

    number: int
    at: int
    ends_at: int
    few: bool = False
    let_in: int = 0


@dataclass(frozen=True, slots=True)
class LastAct:
    """A host's last act on a message, for undo."""

    seq: int
    at: int
    message: int
    before: Before


@dataclass(slots=True)
class Hall:
    """Everything that entries 1..seq have made. `desk`, `gate`: seq of the last entry that raised the lane.

    `touched` and `changed` name what the last entry changed: messages, and single things (`hall`, `queue`, `on_air`,
    `preview`, `overlay`, `ticker`, `key`, `poll_shown`, `muted`, `held_authors`, `admission`, `acts`, `audience_floor`,
    `host_floor`, `overlay_floor`); `poll_touched` the poll that it opened or closed. Views render from them.
    """

    seq: int = 0
    chain: str = ""
    """Hash of the audit after entry `seq` (audit.py); "" where nobody keeps it."""
    desk: int = 0
    gate: int = 0
    code: str = ""
    setup: Setup = field(default_factory=lambda: Setup(title="-"))
    phase: Phase = "draft"
    mode: Mode = "reviewed"
    paused: bool = False
    slow_s: int = 0
    created_at: int = 0
    opened_at: int | None = None
    closed_at: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    authors: dict[str, Author] = field(default_factory=dict)
    pseudonyms: set[Pseudonym] = field(default_factory=set)
    chosen: dict[str, Pseudonym] = field(default_factory=dict)
    admission: Admission | None = None
    admitted: set[str] = field(default_factory=set)
    round: Round | None = None
    muted: dict[str, Mute] = field(default_factory=dict)
    held_authors: dict[str, AuthorHold] = field(default_factory=dict)
    held_ever: bool = False
    queue: list[int] = field(default_factory=list)
    on_air: int | None = None
    preview: int | None = None
    overlay_cleared: bool = False
    ticker: bool = False
    key_shown: bool = False
    polls: dict[int, Poll] = field(default_factory=dict)
    open_poll: int | None = None
    poll_shown: bool = False
    links: dict[str, StaffLink] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)
    """Holders one of whose links was revoked: they cannot sign in again."""
    acts: deque[Act] = field(default_factory=lambda: deque(maxlen=ACTS_KEPT))
    last_acts: dict[str, LastAct] = field(default_factory=dict)
    audience_floor: int = 0
    overlay_floor: int = 0
    host_floor: int = 0
    recent_audience: deque[int] = field(default_factory=deque)
    recent_overlay: deque[int] = field(default_factory=deque)
    recent_host: deque[int] = field(default_factory=deque)
    states: Counter[str] = field(default_factory=Counter)
    removals: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    touched: list[int] = field(default_factory=list)
    poll_touched: int | None = None
    changed: set[str] = field(default_factory=set)

    @classmethod
    def empty(cls) -> "Hall":
        """Before the first entry."""
        return cls()

    def counts(self) -> Counts:
        """received = visible + held + sum of removed; every visible question in exactly one fate."""
        return Counts(
            received=len(self.messages),
            visible=self.states["visible"],
            held=self.states["held"],
            removed={reason: count for reason, count in sorted(self.removals.items()) if count},
            questions={fate: count for fate, count in sorted(self.fates.items()) if count},
        )

    def merged_into(self, message: int) -> tuple[int, ...]:
        """Ids of the questions merged into `message`."""
        found = self.messages.get(message)
        return found.merged if found else ()

    def supported(self) -> dict[int, tuple[int, ...]]:
        """{question: it and those merged into it}: what is supported together."""
        return {id: (id, *found.merged) for id, found in self.messages.items() if found.fate is not None}

    def director(self, id: str | None) -> Director | None:
        """None: not in the setup."""
        return next((director for director in self.setup.directors if director.id == id), None)

    def department(self, id: str | None) -> Department | None:
        """None: not in the setup."""
        return next((department for department in self.setup.departments if department.id == id), None)

    def name_of(self, by: str) -> str:
        """How people call whoever an entry's `by` names: from the setup, else the bare id."""
        role, _, id = by.partition(":")
        known = self.setup.hosts if role == "host" else self.setup.directors if role == "director" else ()
        found = next((person.name for person in known if person.id == id), None)
        return found or self.moderators().get(id) or id or role

    def moderators(self) -> dict[str, str]:
        """{id: label} of those who came by a host's link without standing in the setup."""
        return {link.id: link.label for link in self.links.values() if link.role == "host" and link.id.startswith(MODERATOR)}

    def is_staff(self, role: Role, id: str) -> bool:
        """Whether a link of `role` may be for `id`: a director has to stand in the setup, a moderator has not."""
        match role:
            case "host":
                return any(host.id == id for host in self.setup.hosts) or id.startswith(MODERATOR)
            case "director":
                return self.director(id) is not None
        return role == "overlay" and id == "overlay"

    def position(self, message: int) -> int | None:
        """Place in the queue, 0 is next."""
        return self.queue.index(message) if message in self.queue else None
