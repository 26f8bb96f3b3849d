"""What the server sends, and under which name. The same JSON over Socket.IO and over Server-Sent Events.

A frame says which interval of the log it covers: a client whose position is `after` folds it and is then at `seq`;
any other client asks to resume. Nothing else is checked, so hiding, coalescing, skipping and resuming are one thing.
"""

from typing import Any

import msgspec

from protocol.names import Epoch, HallCode, Language, MessageId, PollId, Role, Seq
from protocol.views import Counts

JOINED = "hall:joined"
RESET = "view:reset"
CHANGED = "view:changed"
GAUGES = "gauges:changed"
BYE = "bye"
PROTOCOL = 1


class You(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who a staff link is for; absent for the audience and the overlay."""

    id: str
    name: str


class Hello(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """First after joining. `resumed`: the missed frames follow; otherwise a snapshot does."""

    protocol: int
    code: HallCode
    role: Role
    lang: Language
    epoch: Epoch
    seq: Seq
    resumed: bool
    now: int
    """The server's clock, unix seconds: pages show durations by it."""
    you: You | None = None
    limits: dict[str, int] = {}


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """`view:changed`. `entries` are fragments of the role's view. One with an `epoch` comes with each heartbeat and covers
    nothing: its reader should stand at this place already."""

    after: Seq
    seq: Seq
    entries: list[Any]
    epoch: Epoch | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """`view:reset`: forget all, this is the whole view at (epoch, seq)."""

    epoch: Epoch
    seq: Seq
    entries: list[Any]


class PollFigures(msgspec.Struct, frozen=True):
    """Of the open poll, rounded: about so many have voted, about so for each choice. Renewed every 15 s at most, and when ten
    more have voted; never while fewer than ten have.
    """

    id: PollId
    voters: int
    counts: tuple[int, ...]


class Gauges(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`gauges:changed`: last value wins, absent means unchanged, never replayed."""

    viewers: int | None = None
    support: dict[MessageId, int] = {}
    counts: Counts | None = None
    poll: PollFigures | None = None


class Bye(msgspec.Struct, frozen=True, kw_only=True):
    """Goes before every close by the server. `come_back_after_ms` null: do not come back by yourself."""

    code: int
    reason: str
    message: str
    come_back_after_ms: int | None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`message`: a sentence a person can act on, in the language asked for."""

    code: str
    message: str
    temporary: bool = False
    field: str | None = None
    retry_after_ms: int | None = None


class Ack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to every command. `seq`: on disk under this number. `data`: what a query asked for."""

    ok: bool
    seq: Seq | None = None
    state: str | None = None
    """Of a posted message: `visible` or `held`."""
    data: Any = None
    error: ErrorBody | None = None


FRAMES: dict[str, type[msgspec.Struct]] = {JOINED: Hello, RESET: Snapshot, CHANGED: Frame, GAUGES: Gauges, BYE: Bye}
