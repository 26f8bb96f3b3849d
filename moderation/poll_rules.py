"""Polls: one at a time, opened and closed by a host; who may vote in it. The votes themselves are kept by the store."""

from moderation.context import Actor, Context
from moderation.decision import Decision, Rule, cleaned, one
from moderation.hall import Hall
from moderation.participation_rules import barred
from moderation.poll import Poll
from protocol import commands as c
from protocol import entries as e
from protocol.limits import limit
from protocol.refusals import Refusal


def open_(hall: Hall, actor: Actor, command: c.OpenPoll, context: Context) -> Decision | Refusal:
    """Its words cannot be changed afterwards: nobody's vote shall come to mean something else."""
    if hall.open_poll is not None:
        return Refusal("poll_open")
    if len(hall.polls) >= limit("polls"):
        return Refusal("too_many_polls", {"max": limit("polls")})
    question = _line(command.question, "poll_question", "$.question")
    if isinstance(question, Refusal):
        return question
    choices: list[str] = []
    for place, text in enumerate(command.choices):
        choice = _line(text, "poll_choice", f"$.choices[{place}]")
        if isinstance(choice, Refusal):
            return choice
        if choice in choices:
            return Refusal("same_choice", {"choice": choice}, field=f"$.choices[{place}]")
        choices.append(choice)
    return one(e.PollOpened(at=context.now, by=actor.by, question=question, choices=tuple(choices)))


def _line(text: str, bound: str, field: str) -> str | Refusal:
    """`text` cleaned and on one line, within the limit `bound`, in code points."""
    found = " ".join(text.split())
    most = limit(bound)
    if len(found) > most:
        return Refusal("text_too_long", {"max": most}, field=field)
    return cleaned(found, "text", field=field)


def close(hall: Hall, actor: Actor, command: c.ClosePoll, context: Context) -> Decision | Refusal:
    poll = find(hall, command.poll)
    if isinstance(poll, Refusal):
        return poll
    if not poll.open:
        return Refusal("poll_closed", field="$.poll")
    return one(closed(poll.id, actor.by, context))


def closed(poll: int, by: str, context: Context) -> e.PollClosed:
    """The entry that closes a poll. Of a handful of voters each could be told from the figures, so that there are none then."""
    voters = sum(context.tally or ())
    if context.tally is None or voters < limit("poll_figures"):
        return e.PollClosed(at=context.now, by=by, poll=poll)
    return e.PollClosed(at=context.now, by=by, poll=poll, voters=voters, counts=tuple(context.tally))


def closes(decision: Decision) -> int | None:
    """The poll that a decision closes."""
    return next((entry.poll for entry in decision.entries if isinstance(entry, e.PollClosed)), None)


def show(hall: Hall, actor: Actor, command: c.SetPoll, context: Context) -> Decision | Refusal:
    if command.on and not hall.polls:
        return Refusal("no_such_poll")
    return one(e.PollSet(at=context.now, by=actor.by, on=command.on))


# --- voting ---
def find(hall: Hall, id: int) -> Poll | Refusal:
    """The poll of a command."""
    return hall.polls.get(id) or Refusal("no_such_poll", field="$.poll")


def may_vote(hall: Hall, actor: Actor, id: int, choice: int) -> Poll | Refusal:
    """The poll in which this participant may vote for `choice` now. Neither a pause of the chat nor a mute is in the way:
    those are about what is written, and a vote says nothing that anybody could be hurt by.
    """
    poll = find(hall, id)
    if isinstance(poll, Refusal):
        return poll
    if not poll.open:
        return Refusal("poll_closed", field="$.poll")
    if refusal := barred(hall, actor):
        return refusal
    if not 0 <= choice < len(poll.choices):
        return Refusal("no_such_choice", field="$.choice")
    return poll


RULES: dict[type[c.Command], Rule] = {
    c.OpenPoll: open_,
    c.ClosePoll: close,
    c.SetPoll: show,
}
