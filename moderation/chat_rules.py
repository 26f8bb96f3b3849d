"""Who may post what: pause, slow mode, review, newcomers, mute. All of these raise the gate."""

from moderation.context import Actor, Context
from moderation.decision import Decision, Rule, find, one
from moderation.hall import Hall
from protocol import commands as c
from protocol import entries as e
from protocol.refusals import Refusal


def pause(hall: Hall, actor: Actor, command: c.PauseChat, context: Context) -> Decision | Refusal:
    if hall.paused:
        return _already(hall)
    return one(e.ChatPaused(at=context.now, by=actor.by))


def resume(hall: Hall, actor: Actor, command: c.ResumeChat, context: Context) -> Decision | Refusal:
    if not hall.paused:
        return _already(hall)
    return one(e.ChatResumed(at=context.now, by=actor.by))


def slow(hall: Hall, actor: Actor, command: c.SlowChat, context: Context) -> Decision | Refusal:
    if hall.slow_s == command.seconds:
        return _already(hall)
    return one(e.ChatSlowed(at=context.now, by=actor.by, seconds=command.seconds))


def mode(hall: Hall, actor: Actor, command: c.SetMode, context: Context) -> Decision | Refusal:
    """`reviewed` holds what is posted from now on; what is held already stays held until somebody publishes it."""
    if hall.mode == command.mode:
        return _already(hall)
    return one(e.ModeSet(at=context.now, by=actor.by, mode=command.mode))


def newcomers(hall: Hall, actor: Actor, command: c.SetNewcomers, context: Context) -> Decision | Refusal:
    """A crowd floods that was not here before: those who were go on, and whoever came later waits until it is switched off."""
    if (hall.settled is not None) == command.on and not command.minutes:
        return _already(hall)
    since = context.now - 60 * command.minutes if command.on and command.minutes else 0
    return one(e.NewcomersSet(at=context.now, by=actor.by, on=command.on, since=since))


def _already(hall: Hall) -> Refusal:
    """Names who acted last: with two moderators that is who got there first."""
    return Refusal("already_done", {"by": hall.name_of(hall.acts[-1].by) if hall.acts else ""})


def mute(hall: Hall, actor: Actor, command: c.MuteAuthor, context: Context) -> Decision | Refusal:
    """The author of a message, from the next message on; muting again changes length and reason."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    return one(
        e.AuthorMuted(
            at=context.now,
            by=actor.by,
            author=message.author,
            reason=command.reason,
            until=context.now + command.seconds if command.seconds else 0,
            message=message.id,
        )
    )


def unmute(hall: Hall, actor: Actor, command: c.UnmuteAuthor, context: Context) -> Decision | Refusal:
    if command.author not in hall.muted:
        return Refusal("no_such_participant", field="$.author")
    return one(e.AuthorUnmuted(at=context.now, by=actor.by, author=command.author))


RULES: dict[type[c.Command], Rule] = {
    c.PauseChat: pause,
    c.ResumeChat: resume,
    c.SlowChat: slow,
    c.SetMode: mode,
    c.SetNewcomers: newcomers,
    c.MuteAuthor: mute,
    c.UnmuteAuthor: unmute,
}
