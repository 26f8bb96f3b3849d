"""A question's life, until its fate: the table, and the rules of picking, routing, answering and ending it."""

from collections.abc import Callable
from datetime import date

from moderation.context import Actor, Context
from moderation.decision import Decision, Rule, already, cleaned, find, not_yours, one, wrong_fate, wrong_state
from moderation.hall import Hall
from moderation.message import Message
from protocol import commands as c
from protocol import entries as e
from protocol.limits import limit
from protocol.names import FateState
from protocol.refusals import Refusal

Fates = frozenset[FateState | None]

QUESTION_FATES: dict[str, tuple[Fates, str]] = {
    "question:pick": (frozenset({None, "asked"}), "queued"),
    "question:unpick": (frozenset({"queued"}), "asked"),
    "question:move": (frozenset({"queued"}), "queued"),
    "question:route": (frozenset({None, "asked", "queued", "on_air", "deferred", "answered"}), "(asked → queued)"),
    "question:accept": (frozenset({"queued", "on_air", "deferred"}), "-"),
    "question:return": (frozenset({"queued", "on_air", "deferred"}), "-"),
    "question:merge": (frozenset({None, "asked", "queued", "deferred", "declined"}), "merged"),
    "question:split": (frozenset({"merged"}), "asked"),
    "question:preview": (frozenset({"queued"}), "-"),
    "question:air": (frozenset({"queued"}), "on_air"),
    "question:requeue": (frozenset({"on_air", "deferred", "declined"}), "queued"),
    "answer:start": (frozenset({"on_air"}), "-"),
    "question:finish": (frozenset({"on_air"}), "answered"),
    "question:defer": (frozenset({"asked", "queued", "on_air", "deferred"}), "deferred"),
    "question:decline": (frozenset({"asked", "queued", "deferred"}), "declined"),
    "question:answer": (frozenset({"asked", "queued", "deferred", "answered"}), "answered"),
}
"""command → (fates it is taken from; None: a plain message, fate it leads to)."""

MERGE_TARGETS: Fates = frozenset({"asked", "queued", "on_air", "deferred", "answered"})


def _ready(hall: Hall, id: int, command: str) -> Message | Refusal:
    """The visible message `id`, if its fate is one the command is taken from."""
    message = find(hall, id)
    if isinstance(message, Refusal):
        return message
    if message.state != "visible":
        return wrong_state(message)
    return message if message.fate in QUESTION_FATES[command][0] else wrong_fate(message)


def _room_in_queue(hall: Hall) -> Refusal | None:
    most = limit("queue")
    return Refusal("queue_full", {"max": most}) if len(hall.queue) >= most else None


def pick(hall: Hall, actor: Actor, command: c.PickMessage, context: Context) -> Decision | Refusal:
    """Into the queue. Picking a held message publishes it too: one key does both."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.state == "removed":
        return wrong_state(message)
    if message.state == "visible":
        if message.fate in ("queued", "on_air"):
            return already(hall, message, "already_picked")
        if message.fate not in QUESTION_FATES["question:pick"][0]:
            return wrong_fate(message)
    if full := _room_in_queue(hall):
        return full
    published = (e.MessagePublished(at=context.now, by=actor.by, message=message.id),) if message.state == "held" else ()
    return Decision((*published, e.QuestionPicked(at=context.now, by=actor.by, message=message.id)))


def unpick(hall: Hall, actor: Actor, command: c.UnpickQuestion, context: Context) -> Decision | Refusal:
    message = _ready(hall, command.message, "question:unpick")
    if isinstance(message, Refusal):
        return message
    return one(e.QuestionUnpicked(at=context.now, by=actor.by, message=message.id))


def route(hall: Hall, actor: Actor, command: c.RouteQuestion, context: Context) -> Decision | Refusal:
    """To a director, or (null) back from one. What was not picked yet is picked with it."""
    message = _ready(hall, command.message, "question:route")
    if isinstance(message, Refusal):
        return message
    if command.director is None and message.director is None:
        return Refusal("not_routed")
    if command.director is not None and hall.director(command.director) is None:
        return Refusal("no_such_director", field="$.director")
    if command.director is not None and command.director == message.director:
        return already(hall, message)
    routed = e.QuestionRouted(at=context.now, by=actor.by, message=message.id, director=command.director)
    if message.fate not in (None, "asked"):
        return one(routed)
    if hall.phase != "open":
        return wrong_fate(message)
    if full := _room_in_queue(hall):
        return full
    return Decision((e.QuestionPicked(at=context.now, by=actor.by, message=message.id), routed))


def merge(hall: Hall, actor: Actor, command: c.MergeQuestion, context: Context) -> Decision | Refusal:
    """Into one that has a fate of its own: originals stay readable, voters are united, and it can be split again."""
    if command.message == command.into:
        return Refusal("merge_into_itself", field="$.into")
    message = _ready(hall, command.message, "question:merge")
    if isinstance(message, Refusal):
        return message
    into = find(hall, command.into)
    if isinstance(into, Refusal):
        return Refusal("no_such_message", field="$.into")
    if into.state != "visible":
        return wrong_state(into)
    if into.fate not in MERGE_TARGETS:
        return wrong_fate(into)
    return one(e.QuestionMerged(at=context.now, by=actor.by, message=message.id, into=into.id))


def split(hall: Hall, actor: Actor, command: c.SplitQuestion, context: Context) -> Decision | Refusal:
    message = _ready(hall, command.message, "question:split")
    if isinstance(message, Refusal):
        return message
    return one(e.QuestionSplit(at=context.now, by=actor.by, message=message.id))


def requeue(hall: Hall, actor: Actor, command: c.ReturnToQueue, context: Context) -> Decision | Refusal:
    """To the head of the queue: it was on its way already."""
    message = _ready(hall, command.message, "question:requeue")
    if isinstance(message, Refusal):
        return message
    if full := _room_in_queue(hall):
        return full
    return one(e.QuestionRequeued(at=context.now, by=actor.by, message=message.id))


def _foreign(hall: Hall, actor: Actor, id: int) -> Refusal | None:
    """To a director all but what is in their own view is the same; a host sees everything, and None."""
    if actor.role != "director":
        return None
    message = hall.messages.get(id)
    return None if message is not None and message.is_question and message.director == actor.id else not_yours()


def finish(hall: Hall, actor: Actor, command: c.FinishQuestion, context: Context) -> Decision | Refusal:
    """Answered live. The figure of its supporters is frozen."""
    if foreign := _foreign(hall, actor, command.message):
        return foreign
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.fate == "answered":
        return already(hall, message)
    if message.fate != "on_air":
        return Refusal("not_on_air")
    support = context.support.get(message.id, message.support or 0)
    return one(e.QuestionAnswered(at=context.now, by=actor.by, message=message.id, support=support))


def defer(hall: Hall, actor: Actor, command: c.DeferQuestion, context: Context) -> Decision | Refusal:
    """To a written answer by a date from today on. Deferring again moves the date."""
    if foreign := _foreign(hall, actor, command.message):
        return foreign
    message = _ready(hall, command.message, "question:defer")
    if isinstance(message, Refusal):
        return message
    note = cleaned(command.note, "reason", field="$.note", required=False)
    if isinstance(note, Refusal):
        return note
    if not _is_date(command.due):
        return Refusal("bad_request", field="$.due")
    if command.due < context.today:
        return Refusal("due_in_the_past", field="$.due")
    return one(e.QuestionDeferred(at=context.now, by=actor.by, message=message.id, due=command.due, note=note))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def decline(hall: Hall, actor: Actor, command: c.DeclineQuestion, context: Context) -> Decision | Refusal:
    """With a reason that everybody sees."""
    message = _ready(hall, command.message, "question:decline")
    if isinstance(message, Refusal):
        return message
    note = cleaned(command.note, "reason", field="$.note", required=False)
    if isinstance(note, Refusal):
        return note
    return one(e.QuestionDeclined(at=context.now, by=actor.by, message=message.id, reason=command.reason, note=note))


def answer(hall: Hall, actor: Actor, command: c.AnswerInWriting, context: Context) -> Decision | Refusal:
    """In writing, also after closing. A second one replaces the first."""
    if foreign := _foreign(hall, actor, command.message):
        return foreign
    message = _ready(hall, command.message, "question:answer")
    if isinstance(message, Refusal):
        return message
    text = cleaned(command.text, "answer")
    if isinstance(text, Refusal):
        return text
    return one(e.AnswerWritten(at=context.now, by=actor.by, message=message.id, text=text))


def _routed_to_me(
    name: str, act: Callable[[Message], Decision | Refusal], hall: Hall, actor: Actor, id: int
) -> Decision | Refusal:
    if foreign := _foreign(hall, actor, id):
        return foreign
    ready = _ready(hall, id, name)
    return ready if isinstance(ready, Refusal) else act(ready)


def accept(hall: Hall, actor: Actor, command: c.AcceptQuestion, context: Context) -> Decision | Refusal:
    def act(message: Message) -> Decision | Refusal:
        if message.accepted:
            return already(hall, message)
        return one(e.QuestionAccepted(at=context.now, by=actor.by, message=message.id))

    return _routed_to_me("question:accept", act, hall, actor, command.message)


def give_back(hall: Hall, actor: Actor, command: c.ReturnQuestion, context: Context) -> Decision | Refusal:
    """Not mine: the host routes it anew. On air it stays on air."""

    def act(message: Message) -> Decision | Refusal:
        reason = cleaned(command.reason, "reason", field="$.reason")
        if isinstance(reason, Refusal):
            return reason
        return one(e.QuestionReturned(at=context.now, by=actor.by, message=message.id, director=actor.id, reason=reason))

    return _routed_to_me("question:return", act, hall, actor, command.message)


def start(hall: Hall, actor: Actor, command: c.StartAnswer, context: Context) -> Decision | Refusal:
    def act(message: Message) -> Decision | Refusal:
        if message.answering_at is not None:
            return already(hall, message)
        return one(e.AnswerStarted(at=context.now, by=actor.by, message=message.id))

    return _routed_to_me("answer:start", act, hall, actor, command.message)


RULES: dict[type[c.Command], Rule] = {
    c.PickMessage: pick,
    c.UnpickQuestion: unpick,
    c.RouteQuestion: route,
    c.MergeQuestion: merge,
    c.SplitQuestion: split,
    c.ReturnToQueue: requeue,
    c.FinishQuestion: finish,
    c.DeferQuestion: defer,
    c.DeclineQuestion: decline,
    c.AnswerInWriting: answer,
    c.AcceptQuestion: accept,
    c.ReturnQuestion: give_back,
    c.StartAnswer: start,
}
