"""The desk: the order of the queue, the one place on air, the overlay, undo."""

from moderation.context import Actor, Context
from moderation.decision import Decision, Rule, already, find, one, wrong_fate, wrong_state
from moderation.hall import Hall
from protocol import commands as c
from protocol import entries as e
from protocol.limits import limit
from protocol.refusals import Refusal


def move(hall: Hall, actor: Actor, command: c.MoveQuestion, context: Context) -> Decision | Refusal:
    """To a place in the queue; past its end means its end."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.id not in hall.queue:
        return wrong_fate(message)
    position = min(command.position, len(hall.queue) - 1)
    if hall.queue[position] == message.id:
        return Refusal("already_done", {"by": hall.name_of(message.by)})
    return one(e.QuestionMoved(at=context.now, by=actor.by, message=message.id, position=position))


def preview(hall: Hall, actor: Actor, command: c.PreviewQuestion, context: Context) -> Decision | Refusal:
    """What is seen before it is taken on air; null empties the preview."""
    if command.message is not None:
        message = find(hall, command.message)
        if isinstance(message, Refusal):
            return message
        if message.id not in hall.queue:
            return wrong_fate(message)
    return one(e.QuestionPreviewed(at=context.now, by=actor.by, message=command.message))


def air(hall: Hall, actor: Actor, command: c.AirQuestion, context: Context) -> Decision | Refusal:
    """On air, if the place is free. The figure of its supporters is frozen."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if hall.on_air == message.id:
        return already(hall, message)
    if hall.on_air is not None:
        return Refusal("already_on_air")
    if message.state != "visible":
        return wrong_state(message)
    if message.fate != "queued":
        return wrong_fate(message)
    support = context.support.get(message.id, 0)
    return one(e.QuestionAired(at=context.now, by=actor.by, message=message.id, support=support))


def undo(hall: Hall, actor: Actor, command: c.UndoAct, context: Context) -> Decision | Refusal:
    """This host's own last act on a message: within seconds, untouched since, and its old place still free."""
    last = hall.last_acts.get(actor.by)
    if last is None:
        return Refusal("undo_nothing")
    message = hall.messages[last.message]
    late = context.now - last.at > limit("undo_s")
    touched = message.changed != last.seq
    taken = last.before.fate == "on_air" and hall.on_air not in (None, message.id)
    target = hall.messages.get(last.before.into or 0)
    gone = last.before.into is not None and (target is None or not target.is_question)
    if late or touched or taken or gone or (message.text is None and last.before.state != "removed"):
        return Refusal("undo_too_late")
    return one(e.ActUndone(at=context.now, by=actor.by, message=last.message, undoes=last.seq, before=last.before))


def clear(hall: Hall, actor: Actor, command: c.ClearOverlay, context: Context) -> Decision | Refusal:
    """Always taken, even if nothing is shown: in an emergency nobody should read a refusal. Ticker, key and poll go off too."""
    cleared: list[e.Entry] = [e.OverlayCleared(at=context.now, by=actor.by)]
    if hall.ticker:
        cleared.append(e.TickerSet(at=context.now, by=actor.by, on=False))
    if hall.key_shown:
        cleared.append(e.KeySet(at=context.now, by=actor.by, on=False))
    if hall.poll_shown:
        cleared.append(e.PollSet(at=context.now, by=actor.by, on=False))
    return Decision(tuple(cleared))


def show(hall: Hall, actor: Actor, command: c.ShowOverlay, context: Context) -> Decision | Refusal:
    return one(e.OverlayShown(at=context.now, by=actor.by))


def ticker(hall: Hall, actor: Actor, command: c.SetTicker, context: Context) -> Decision | Refusal:
    return one(e.TickerSet(at=context.now, by=actor.by, on=command.on))


def key(hall: Hall, actor: Actor, command: c.SetKey, context: Context) -> Decision | Refusal:
    """Also before the town hall opens: whoever gets their entry early can compare it early."""
    if hall.admission is None:
        return Refusal("no_issuer")
    return one(e.KeySet(at=context.now, by=actor.by, on=command.on))


RULES: dict[type[c.Command], Rule] = {
    c.MoveQuestion: move,
    c.PreviewQuestion: preview,
    c.AirQuestion: air,
    c.UndoAct: undo,
    c.ClearOverlay: clear,
    c.ShowOverlay: show,
    c.SetTicker: ticker,
    c.SetKey: key,
}
