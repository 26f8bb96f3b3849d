"""A message's life: visible, held or removed; and who may move it."""

from moderation.context import Actor, Context
from moderation.decision import Decision, Rule, already, cleaned, find, not_yours, one, wrong_fate, wrong_state
from moderation.hall import Author, Hall
from moderation.participation_rules import barred, pseudonym_of
from protocol import commands as c
from protocol import entries as e
from protocol.limits import limit
from protocol.names import HoldReason, MessageState
from protocol.refusals import Refusal

MESSAGE_STATES: dict[str, tuple[frozenset[MessageState], MessageState]] = {
    "message:publish": (frozenset({"held"}), "visible"),
    "message:hold": (frozenset({"visible"}), "held"),
    "message:remove": (frozenset({"visible", "held"}), "removed"),
    "message:restore": (frozenset({"removed"}), "held"),
    "message:withdraw": (frozenset({"visible", "held"}), "removed"),
    "message:erase": (frozenset({"removed"}), "removed"),
}
"""command → (states it is taken from, state it leads to). A message begins visible, or held."""


def post(hall: Hall, actor: Actor, command: c.PostMessage, context: Context) -> Decision | Refusal:
    """Visible at once in an open town hall; held where it is reviewed, or where a filter found something."""
    if refusal := barred(hall, actor):
        return refusal
    assert actor.author is not None
    mute = hall.muted.get(actor.author)
    if mute is not None and mute.holds(context.now):
        wait = (mute.until - context.now) * 1000 if mute.until else None
        return Refusal("muted", {"reason": mute.reason}, retry_after_ms=wait)
    if hall.paused:
        return Refusal("chat_paused")
    text = cleaned(command.text, "text")
    if isinstance(text, Refusal):
        return text
    author = hall.authors.get(actor.author)
    if wait_s := _slow_for(hall, author, context.now):
        return Refusal("slow_mode", {"seconds": wait_s}, retry_after_ms=wait_s * 1000)
    if author is not None and author.posted >= limit("messages_per_participant"):
        return Refusal("too_many_messages", {"max": limit("messages_per_participant")})
    if hall.kept >= limit("messages_per_hall"):
        return Refusal("hall_full")
    if hall.level(context.now) >= limit("messages_burst_per_hall"):
        return Refusal("chat_flooded")
    held = _held(hall, actor.author, context)
    entry = e.MessagePosted(
        at=context.now,
        author=actor.author,
        pseudonym=pseudonym_of(hall, actor),
        text=text,
        asked=command.asked,
        held=held,
        findings=context.findings,
    )
    return Decision((entry,), state="held" if held else "visible")


def _held(hall: Hall, author: str, context: Context) -> HoldReason | None:
    if context.findings:
        return "filter"
    if author in hall.held_authors:
        return "moderator"
    return "review" if hall.mode == "reviewed" else None


def _slow_for(hall: Hall, author: Author | None, now: int) -> int:
    if not hall.slow_s or author is None:
        return 0
    return max(0, author.last_post_at + hall.slow_s - now)


def withdraw(hall: Hall, actor: Actor, command: c.WithdrawMessage, context: Context) -> Decision | Refusal:
    """Its author takes it back, as long as the host has not taken it up."""
    message = hall.messages.get(command.message)
    if message is None or actor.author is None or message.author != actor.author:
        return not_yours()
    if message.state == "removed":
        return wrong_state(message)
    if message.fate not in (None, "asked"):
        return wrong_fate(message)
    return one(e.MessageRemoved(at=context.now, message=message.id, reason="withdrawn"))


def publish(hall: Hall, actor: Actor, command: c.PublishMessage, context: Context) -> Decision | Refusal:
    """A held message becomes visible."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.state == "visible":
        return already(hall, message) if message.by else wrong_state(message)
    if message.state != "held":
        return wrong_state(message)
    return one(e.MessagePublished(at=context.now, by=actor.by, message=message.id))


def hold(hall: Hall, actor: Actor, command: c.HoldMessage, context: Context) -> Decision | Refusal:
    """A visible message is taken back from everybody's screen until somebody has looked at it."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.state == "held":
        return already(hall, message) if message.by else wrong_state(message)
    if message.state != "visible":
        return wrong_state(message)
    return one(e.MessageHeld(at=context.now, by=actor.by, message=message.id))


def remove(hall: Hall, actor: Actor, command: c.RemoveMessage, context: Context) -> Decision | Refusal:
    """With a reason, which is counted in public."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if command.reason == "withdrawn":
        return Refusal("bad_request", field="$.reason")
    if message.state == "removed":
        return already(hall, message) if message.by else wrong_state(message)
    return one(e.MessageRemoved(at=context.now, by=actor.by, message=message.id, reason=command.reason))


def restore(hall: Hall, actor: Actor, command: c.RestoreMessage, context: Context) -> Decision | Refusal:
    """A removed message comes back as held, unless its author withdrew it or it is erased."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.state != "removed" or message.removed == "withdrawn" or message.text is None:
        return wrong_state(message)
    return one(e.MessageRestored(at=context.now, by=actor.by, message=message.id))


def erase(hall: Hall, actor: Actor, command: c.EraseMessage, context: Context) -> Decision | Refusal:
    """For good. That there was a message stays in the log and in the counts."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.state != "removed":
        return wrong_state(message)
    if message.text is None:
        return already(hall, message)
    return one(e.MessageErased(at=context.now, by=actor.by, message=message.id))


RULES: dict[type[c.Command], Rule] = {
    c.PostMessage: post,
    c.WithdrawMessage: withdraw,
    c.PublishMessage: publish,
    c.HoldMessage: hold,
    c.RemoveMessage: remove,
    c.RestoreMessage: restore,
    c.EraseMessage: erase,
}
