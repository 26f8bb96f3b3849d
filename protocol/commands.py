"""All that a client can ask, imperative, one struct each. The tag is the name on the wire (`noun:verb`).

In: JSON payload of the socket's command, or `payload` of the POST interface. Unknown fields are refused.
`client_id` makes a retry safe: the same id from the same sender is answered with the first result for ten minutes.
"""

from functools import cache
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from protocol.names import (
    AuthorTag,
    ClientId,
    DeclineReason,
    DirectorId,
    DueDate,
    Epoch,
    Language,
    LinkId,
    MessageId,
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
from protocol.setup import Setup

Text = Annotated[str, Meta(max_length=4_000)]
LongText = Annotated[str, Meta(max_length=40_000)]
Note = Annotated[str, Meta(max_length=2_000)]


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="command", kw_only=True):
    """`roles`: who may send it at all; moderation/permissions.py says in which phase."""

    roles: ClassVar[tuple[Role, ...]] = ()
    client_id: ClientId


# --- audience ---
class PostMessage(Command, frozen=True, tag="message:post"):
    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    text: Text
    asked: bool = False
    """Asked as a question."""


class WithdrawMessage(Command, frozen=True, tag="message:withdraw"):
    """The author takes back a message that is not yet in the queue."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    message: MessageId


class ChoosePseudonym(Command, frozen=True, tag="pseudonym:choose"):
    """Once, before the first message; one of those that `participation:check` offers."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    pseudonym: Pseudonym


# --- host: messages ---
class PublishMessage(Command, frozen=True, tag="message:publish"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class HoldMessage(Command, frozen=True, tag="message:hold"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class RemoveMessage(Command, frozen=True, tag="message:remove"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId
    reason: RemovalReason


class RestoreMessage(Command, frozen=True, tag="message:restore"):
    """A removed message that is not erased comes back as held."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class EraseMessage(Command, frozen=True, tag="message:erase"):
    """Only a removed message can be erased; its text is then gone for good."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class MuteAuthor(Command, frozen=True, tag="author:mute"):
    """Names the author by one of their messages, so that a console needs no list of people."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId
    reason: MuteReason
    seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """0: until the town hall closes."""


class UnmuteAuthor(Command, frozen=True, tag="author:unmute"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    author: AuthorTag


class HoldAuthor(Command, frozen=True, tag="author:hold"):
    """Holds the rest of this author's messages: those that are visible and not taken up, and all that follow."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class ReleaseAuthor(Command, frozen=True, tag="author:release"):
    """Undoes the hold: what it held, and nobody touched since, is visible again."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    author: AuthorTag


# --- host: questions ---
class PickMessage(Command, frozen=True, tag="question:pick"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class MoveQuestion(Command, frozen=True, tag="question:move"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId
    position: Annotated[int, Meta(ge=0, le=500)]
    """Place in the queue; 0 is next."""


class UnpickQuestion(Command, frozen=True, tag="question:unpick"):
    """Out of the queue, back to asked (or to a plain message, if it never was asked as a question)."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class RouteQuestion(Command, frozen=True, tag="question:route"):
    """Routing an asked or plain message picks it too: one key does both. `director` null takes the routing back."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId
    director: DirectorId | None


class MergeQuestion(Command, frozen=True, tag="question:merge"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId
    into: MessageId


class SplitQuestion(Command, frozen=True, tag="question:split"):
    """Undoes a merge: the question has a fate of its own again."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class PreviewQuestion(Command, frozen=True, tag="question:preview"):
    """What the host sees before taking it on air. Null: nothing in preview."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId | None


class AirQuestion(Command, frozen=True, tag="question:air"):
    """Takes a queued question on air. There is one place: `already_on_air` names the one that holds it."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class ReturnToQueue(Command, frozen=True, tag="question:requeue"):
    """Off air without an answer, or a deferred or declined one taken up again: to the head of the queue."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId


class FinishQuestion(Command, frozen=True, tag="question:finish"):
    """Answered live. The time in the broadcast is taken from when it went on air."""

    roles: ClassVar[tuple[Role, ...]] = ("host", "director")
    message: MessageId


class DeferQuestion(Command, frozen=True, tag="question:defer"):
    """To be answered in writing by `due`."""

    roles: ClassVar[tuple[Role, ...]] = ("host", "director")
    message: MessageId
    due: DueDate
    note: Note = ""


class DeclineQuestion(Command, frozen=True, tag="question:decline"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    message: MessageId
    reason: DeclineReason
    note: Note = ""


class AnswerInWriting(Command, frozen=True, tag="question:answer"):
    roles: ClassVar[tuple[Role, ...]] = ("host", "director")
    message: MessageId
    text: LongText


# --- director ---
class AcceptQuestion(Command, frozen=True, tag="question:accept"):
    roles: ClassVar[tuple[Role, ...]] = ("director",)
    message: MessageId


class ReturnQuestion(Command, frozen=True, tag="question:return"):
    """Not mine: back to the host with a reason."""

    roles: ClassVar[tuple[Role, ...]] = ("director",)
    message: MessageId
    reason: Note


class StartAnswer(Command, frozen=True, tag="answer:start"):
    """On air and now speaking."""

    roles: ClassVar[tuple[Role, ...]] = ("director",)
    message: MessageId


# --- host: the desk ---
class UndoAct(Command, frozen=True, tag="act:undo"):
    """Takes back this host's own last act on a message, within ten seconds, if nobody has touched it since."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)


class PauseChat(Command, frozen=True, tag="chat:pause"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)


class ResumeChat(Command, frozen=True, tag="chat:resume"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)


class SlowChat(Command, frozen=True, tag="chat:slow"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    seconds: Annotated[int, Meta(ge=0, le=300)]
    """Between two messages of one participant; 0 switches it off."""


class SetMode(Command, frozen=True, tag="chat:mode"):
    roles: ClassVar[tuple[Role, ...]] = ("host", "organiser")
    mode: Mode


class ClearOverlay(Command, frozen=True, tag="overlay:clear"):
    """All off every overlay, ticker, key, poll too; stays clear, through reconnects, until `overlay:show` or the next on air."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)


class ShowOverlay(Command, frozen=True, tag="overlay:show"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)


class SetTicker(Command, frozen=True, tag="overlay:ticker"):
    roles: ClassVar[tuple[Role, ...]] = ("host",)
    on: bool


class SetPoll(Command, frozen=True, tag="overlay:poll"):
    """The newest poll on the overlays, open or closed; or off again."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    on: bool


class SetKey(Command, frozen=True, tag="overlay:key"):
    """The words of the issuer's key on the overlays, to be compared with what every page shows; or off again."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    on: bool


# --- host: polls ---
class OpenPoll(Command, frozen=True, tag="poll:open"):
    """One at a time. Participants vote by `poll:vote` until it is closed."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    question: Note
    choices: Annotated[tuple[Note, ...], Meta(min_length=2, max_length=6)]


class ClosePoll(Command, frozen=True, tag="poll:close"):
    """No vote counts after it; what came of it is published, unless fewer than five have voted."""

    roles: ClassVar[tuple[Role, ...]] = ("host",)
    poll: PollId


# --- organiser ---
class ConfigureHall(Command, frozen=True, tag="hall:configure"):
    roles: ClassVar[tuple[Role, ...]] = ("organiser",)
    setup: Setup


class OpenHall(Command, frozen=True, tag="hall:open"):
    roles: ClassVar[tuple[Role, ...]] = ("organiser", "host")


class CloseHall(Command, frozen=True, tag="hall:close"):
    roles: ClassVar[tuple[Role, ...]] = ("organiser", "host")


class RenewLinks(Command, frozen=True, tag="links:renew"):
    """All links of a role stop working at once; new ones are made where they are needed."""

    roles: ClassVar[tuple[Role, ...]] = ("organiser",)
    role: Role


class NewLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`secret`: what the link's secret hashes to. `label`: who holds it, as the log will say."""

    made: LinkId
    role: StaffRole
    id: StaffId
    label: Annotated[str, Meta(min_length=1, max_length=200)]
    secret: Sha256
    holder: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$")] = ""
    """Of whoever signed in at the issuer, which is why there is this link; nobody can send it."""


class MakeLinks(Command, frozen=True, tag="links:make"):
    """Staff links, one for each person; the server makes the secrets (`POST /api/v1/halls/CODE/links`)."""

    roles: ClassVar[tuple[Role, ...]] = ("organiser",)
    links: Annotated[tuple[NewLink, ...], Meta(min_length=1, max_length=500)]
    expires: Seconds


class RevokeLink(Command, frozen=True, tag="link:revoke"):
    """One link stops working at once, and its live connections end."""

    roles: ClassVar[tuple[Role, ...]] = ("organiser",)
    link: LinkId


# --- asked of the node, never appended ---
class Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    epoch: Epoch
    seq: Seq


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="command", kw_only=True):
    """Changes no log: needs no client id."""

    roles: ClassVar[tuple[Role, ...]] = ()


class SupportQuestion(Query, frozen=True, tag="question:support"):
    """A gauge: the last value wins, so a repeat is harmless."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    message: MessageId
    on: bool


class Vote(Query, frozen=True, tag="poll:vote"):
    """One for each participant, who may change it until the poll is closed. A repeat is harmless. `choice`: its index."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    poll: PollId
    choice: Annotated[int, Meta(ge=0, lt=2**31)]


class ShowVote(Query, frozen=True, tag="poll:mine"):
    """What I have voted for in an open poll; null: nothing, or nobody knows any more."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    poll: PollId


class CheckMessages(Query, frozen=True, tag="message:check"):
    """What became of my own messages, held ones included. Others' ids are answered as `unknown`."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    messages: Annotated[tuple[MessageId, ...], Meta(max_length=100)]


class CheckParticipation(Query, frozen=True, tag="participation:check"):
    """Whether I may post (`barred`: the code of why not), my pseudonym, and three others while I can still choose.

    `few` of the answer: I have waited long with fewer than are let in together, and may come in with them all the same.
    """

    roles: ClassVar[tuple[Role, ...]] = ("audience",)


class AwaitRound(Query, frozen=True, tag="round:await"):
    """I hold a token and wait for a round to show it in; to be repeated. Who counts is told by a waiting token, which the issuer
    signed unseen: its `prefix` and `signature`, base64url (protocol/credentials.py). It says nothing of who; one round takes it.

    `few`: I will come in with fewer than are let in together. Answered with whether that is to be asked (`few`), whether this
    browser is among those who are counted (`counted`: not without a good waiting token), and whether a round has taken this
    one (`spent`: show the next).
    """

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    few: bool = False
    prefix: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{43})?$")] = ""
    signature: Annotated[str, Meta(pattern=r"^([A-Za-z0-9_-]{512})?$")] = ""


class ShowStored(Query, frozen=True, tag="message:stored"):
    """Exactly what the store holds of my own message, for whoever wrote it."""

    roles: ClassVar[tuple[Role, ...]] = ("audience",)
    message: MessageId


class ResumeView(Query, frozen=True, tag="view:resume"):
    """A page that sees a gap asks for what it missed; answered by `view:changed` or `view:reset`."""

    roles: ClassVar[tuple[Role, ...]] = ("audience", "host", "director", "overlay")
    since: Since


class Join(msgspec.Struct, frozen=True, kw_only=True):
    """The `auth` payload of a Socket.IO CONNECT, and the body of the stream's POST. Unknown fields are ignored."""

    code: Annotated[str, Meta(max_length=20)]
    token: Annotated[str, Meta(max_length=2_000)] = ""
    """The participant's ticket, or the ticket of a staff link. Empty: to watch, where there is an issuer."""
    since: Since | None = None
    lang: Language = "ko"


COMMANDS: dict[str, type[Command]] = by_tag(Command)
QUERIES: dict[str, type[Query]] = by_tag(Query)


@cache
def names_for(role: Role) -> frozenset[str]:
    """The wire names that a role may send at all: the allow-list applied before anything is dispatched."""
    commands = {name for name, kind in COMMANDS.items() if role in kind.roles}
    return frozenset(commands | {name for name, kind in QUERIES.items() if role in kind.roles})
