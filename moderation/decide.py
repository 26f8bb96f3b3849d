"""decide(hall, actor, command, context): a command becomes entries, or a refusal. Pure; the hall is only read."""

from moderation import chat_rules, desk_rules, hall_rules, message_rules, participation_rules, poll_rules, question_rules
from moderation.context import Actor, Context
from moderation.decision import Decision, Rule
from moderation.hall import Hall
from moderation.permissions import refused
from protocol.commands import Command
from protocol.refusals import Refusal

RULES: dict[type[Command], Rule] = {
    **message_rules.RULES,
    **question_rules.RULES,
    **desk_rules.RULES,
    **chat_rules.RULES,
    **poll_rules.RULES,
    **participation_rules.RULES,
    **hall_rules.RULES,
}


def decide(hall: Hall, actor: Actor, command: Command, context: Context) -> Decision | Refusal:
    """On a state that may be a millisecond old; the guard of the append finds out (docs/decisions/0002).

    Who may do it at all is checked first, then the rule of the command.
    """
    refusal = refused(hall, actor, command)
    if refusal is not None:
        return refusal
    return RULES[type(command)](hall, actor, command, context)


__all__ = ["RULES", "Decision", "decide"]
