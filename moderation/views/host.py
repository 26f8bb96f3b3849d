"""What hosts and moderators see: all messages with an author tag, the queue, the desk, and each other's acts."""

from moderation.hall import Hall
from moderation.message import Message
from moderation.routing import suggest
from moderation.views.parts import fate_of, poll_cards, poll_news
from protocol.entries import Entry
from protocol.views import (
    Acts,
    Fragment,
    Gone,
    HeldAuthor,
    HeldAuthors,
    HostAdmission,
    HostHall,
    HostMessage,
    HostOnAir,
    Muted,
    MutedAuthors,
    OverlayState,
    Preview,
    Queue,
    Window,
)


def snapshot(hall: Hall) -> tuple[Fragment, ...]:
    """The whole view."""
    messages = (_message(hall, message) for message in hall.messages.values() if _sees(hall, message))
    singles = (_hall(hall), _queue(hall), _on_air(hall), _preview(hall), _overlay(hall), _muted(hall), _acts(hall))
    return (*singles, *_participation(hall), *poll_cards(hall), *messages)


def render(hall: Hall, seq: int, entry: Entry) -> tuple[Fragment, ...]:
    """What entry `seq`, the last one applied, changed."""
    news: list[Fragment] = []
    for part, show in _SINGLES.items():
        if part in hall.changed or (part == "on_air" and hall.on_air in hall.touched):
            news.append(show(hall))
    if hall.changed & {"held_authors", "admission"}:
        news += _participation(hall)
    news += poll_news(hall)
    for id in hall.touched:
        message = hall.messages[id]
        news.append(_message(hall, message) if _sees(hall, message) else Gone(id=id))
    if "host_floor" in hall.changed:
        news.append(Window(floor=hall.host_floor))
    return tuple(news)


def _sees(hall: Hall, message: Message) -> bool:
    return message.fate is not None or message.state == "held" or message.id >= hall.host_floor


def _message(hall: Hall, message: Message) -> HostMessage:
    suggested = suggest(hall.setup, message.text) if message.text and message.director is None else ()
    return HostMessage(
        id=message.id,
        text=message.text,
        who=message.pseudonym,
        tag=message.author,
        at=message.at,
        state=message.state,
        asked=message.asked,
        held=message.held,
        removed=message.removed,
        findings=message.findings,
        fate=fate_of(hall, message),
        director=message.director,
        accepted=message.accepted,
        returned=message.returned,
        suggested=tuple(one.director for one in suggested if one.director is not None),
        by=message.by,
    )


def _hall(hall: Hall) -> HostHall:
    return HostHall(
        code=hall.code,
        setup=hall.setup,
        phase=hall.phase,
        mode=hall.mode,
        paused=hall.paused,
        slow_s=hall.slow_s,
        newcomers_wait=hall.settled is not None,
        opened_at=hall.opened_at,
        closed_at=hall.closed_at,
        moderators=hall.moderators(),
    )


def _queue(hall: Hall) -> Queue:
    return Queue(order=tuple(hall.queue))


def _on_air(hall: Hall) -> HostOnAir:
    if hall.on_air is None:
        return HostOnAir(id=None)
    message = hall.messages[hall.on_air]
    return HostOnAir(id=hall.on_air, since=message.aired_at, answering_since=message.answering_at)


def _preview(hall: Hall) -> Preview:
    return Preview(id=hall.preview)


def _overlay(hall: Hall) -> OverlayState:
    return OverlayState(cleared=hall.overlay_cleared, ticker=hall.ticker, key=hall.key_shown, poll=hall.poll_shown)


def _muted(hall: Hall) -> MutedAuthors:
    return MutedAuthors(
        authors=tuple(
            Muted(tag=tag, who=hall.authors[tag].pseudonym, reason=mute.reason, until=mute.until, by=mute.by)
            for tag, mute in hall.muted.items()
            if tag in hall.authors
        )
    )


def _participation(hall: Hall) -> tuple[Fragment, ...]:
    """Each only where there ever was anything to tell."""
    news: list[Fragment] = []
    if hall.held_ever:
        held = [(tag, hold) for tag, hold in hall.held_authors.items() if tag in hall.authors]
        news.append(
            HeldAuthors(authors=tuple(HeldAuthor(tag=tag, who=hall.authors[tag].pseudonym, by=hold.by) for tag, hold in held))
        )
    if hall.admission is not None:
        minimum, key = hall.admission.minimum_participants, hall.admission.issuer.key
        news.append(HostAdmission(participants=len(hall.admitted), minimum=minimum, key=key))
    return tuple(news)


def _acts(hall: Hall) -> Acts:
    return Acts(last=tuple(hall.acts))


_SINGLES = {
    "hall": _hall,
    "queue": _queue,
    "on_air": _on_air,
    "preview": _preview,
    "overlay": _overlay,
    "muted": _muted,
    "acts": _acts,
}
