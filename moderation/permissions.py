"""Who may send which command in which phase of a town hall, as a table."""

from moderation.context import Actor
from moderation.hall import Hall
from protocol.commands import COMMANDS, Command
from protocol.names import Phase, Role
from protocol.refusals import Refusal

_OPEN: frozenset[Phase] = frozenset({"open"})
_ALWAYS: frozenset[Phase] = frozenset({"draft", "open", "closed"})
_DRAFT: frozenset[Phase] = frozenset({"draft"})
_BEFORE_CLOSING: frozenset[Phase] = frozenset({"draft", "open"})
_SINCE_OPENING: frozenset[Phase] = frozenset({"open", "closed"})

PHASES: dict[str, frozenset[Phase]] = {
    "message:post": _OPEN,
    "message:withdraw": _OPEN,
    "pseudonym:choose": _BEFORE_CLOSING,
    "message:publish": _OPEN,
    "message:hold": _OPEN,
    "message:remove": _SINCE_OPENING,
    "message:restore": _OPEN,
    "message:erase": _SINCE_OPENING,
    "author:mute": _OPEN,
    "author:unmute": _OPEN,
    "author:hold": _OPEN,
    "author:release": _OPEN,
    "question:pick": _OPEN,
    "question:move": _OPEN,
    "question:unpick": _OPEN,
    "question:route": _SINCE_OPENING,
    "question:merge": _OPEN,
    "question:split": _OPEN,
    "question:preview": _OPEN,
    "question:air": _OPEN,
    "question:requeue": _OPEN,
    "question:finish": _OPEN,
    "question:defer": _SINCE_OPENING,
    "question:decline": _SINCE_OPENING,
    "question:answer": _SINCE_OPENING,
    "question:accept": _SINCE_OPENING,
    "question:return": _SINCE_OPENING,
    "answer:start": _OPEN,
    "act:undo": _OPEN,
    "chat:pause": _OPEN,
    "chat:resume": _OPEN,
    "chat:slow": _BEFORE_CLOSING,
    "newcomers:set": _OPEN,
    "chat:mode": _BEFORE_CLOSING,
    "overlay:clear": _ALWAYS,
    "overlay:show": _OPEN,
    "overlay:ticker": _OPEN,
    "overlay:poll": _OPEN,
    "overlay:key": _BEFORE_CLOSING,
    "poll:open": _OPEN,
    "poll:close": _OPEN,
    "hall:configure": _BEFORE_CLOSING,
    "hall:open": _DRAFT,
    "hall:close": _OPEN,
    "links:renew": _ALWAYS,
    "links:make": _ALWAYS,
    "link:revoke": _ALWAYS,
}


def allowed(role: Role, command: str, phase: Phase) -> bool:
    """A cell of the table; what is not in it is not allowed."""
    return role in COMMANDS[command].roles and phase in PHASES[command]


def refused(hall: Hall, actor: Actor, command: Command) -> Refusal | None:
    """Why this role may not send this command now; None: it may."""
    name = str(type(command).__struct_config__.tag)
    if actor.role not in COMMANDS[name].roles:
        return Refusal("not_allowed")
    if hall.phase in PHASES[name]:
        return None
    if actor.role == "audience":
        return Refusal("hall_draft" if hall.phase == "draft" else "hall_closed")
    return Refusal("wrong_phase")
