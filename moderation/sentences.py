"""An entry as a sentence, for people who read the log. Held and removed text is never printed."""

from moderation.hall import Hall
from moderation.pseudonyms import said
from protocol.entries import Entry, HallClosed, LinkMade, MessagePosted, NewcomersSet, PollClosed, PollOpened
from protocol.names import Language
from protocol.sentences import sentence

TEXT_MAX = 60
"""Characters of a text that are printed."""


def told(hall: Hall, seq: int, entry: Entry, lang: Language) -> str:
    """One sentence about entry `seq`, after it was applied to `hall`."""
    kind = str(type(entry).__struct_config__.tag)
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
    message = hall.messages.get(seq if isinstance(entry, MessagePosted) else fields.get("message") or 0)
    fields["text"] = _shortened(message.text) if message and message.state == "visible" and message.text else "…"
    fields["who"] = said(message.pseudonym, lang) if message else ""
    fields["by"] = _who(hall, entry)
    director = hall.director(fields.get("director"))
    fields["director"] = director.name if director else "-"
    fields["count"] = len(fields.get("authors") or fields.get("messages") or ())
    fields["seq"] = seq
    key = kind.replace(".", "_")
    match entry:
        case LinkMade() if entry.holder:
            key = "link_granted"
        case HallClosed(by=""):
            key = "hall_closed_itself"
        case NewcomersSet(on=False):
            key = "newcomers_set_off"
        case PollOpened():
            fields["question"], fields["choices"] = _shortened(entry.question), " · ".join(entry.choices)
        case PollClosed(counts=None):
            key = "poll_closed_few"
        case PollClosed():
            poll = hall.polls.get(entry.poll)
            figures = zip(poll.choices if poll else (), entry.counts or (), strict=False)
            fields["result"] = " · ".join(f"{choice} {count}" for choice, count in figures)
    return sentence(lang, "log", key, **fields)


def _who(hall: Hall, entry: Entry) -> str:
    """`도지사`; and where the link that was used is labelled otherwise, `도지사 (비서실)`."""
    name = hall.name_of(entry.by) if entry.by else ""
    link = hall.links.get(entry.link or "")
    return name if link is None or link.label == name else f"{name} ({link.label})"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 1] + "…"
