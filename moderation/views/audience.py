"""What the audience sees: visible messages, every question with its fate, what is on air, polls. The same for everybody."""

from moderation.hall import Hall
from moderation.message import Message
from moderation.views.parts import department_names, director_names, fate_of, place, poll_cards, poll_news
from protocol.entries import Entry
from protocol.views import AudienceAdmission, AudienceHall, AudienceMessage, AudienceOnAir, Fragment, Gone, Window


def snapshot(hall: Hall) -> tuple[Fragment, ...]:
    """The whole view."""
    messages = (_message(hall, message) for message in hall.messages.values() if _sees(hall, message))
    return (_hall(hall), *_admission(hall), _on_air(hall), *poll_cards(hall), *messages)


def render(hall: Hall, seq: int, entry: Entry) -> tuple[Fragment, ...]:
    """What entry `seq`, the last one applied, changed."""
    news: list[Fragment] = []
    if "hall" in hall.changed:
        news.append(_hall(hall))
    if "admission" in hall.changed:
        news += _admission(hall)
    for id in hall.touched:
        message = hall.messages[id]
        if _sees(hall, message):
            news.append(_message(hall, message))
        elif message.was_shown:
            news.append(Gone(id=id))
    news += poll_news(hall)
    if "on_air" in hall.changed:
        news.append(_on_air(hall))
    if "audience_floor" in hall.changed:
        news.append(Window(floor=hall.audience_floor))
    return tuple(news)


def _sees(hall: Hall, message: Message) -> bool:
    if message.state != "visible":
        return False
    return message.fate is not None or (message.shown or 0) >= hall.audience_floor


def _message(hall: Hall, message: Message) -> AudienceMessage:
    return AudienceMessage(
        id=message.id,
        text=message.text,
        who=message.pseudonym,
        at=message.at,
        shown=place(message),
        fate=fate_of(hall, message),
    )


def _on_air(hall: Hall) -> AudienceOnAir:
    if hall.on_air is None:
        return AudienceOnAir(id=None)
    message = hall.messages[hall.on_air]
    return AudienceOnAir(id=hall.on_air, since=message.aired_at, answering=message.answering_at is not None)


def _admission(hall: Hall) -> tuple[Fragment, ...]:
    """Nothing where there is no issuer."""
    if hall.admission is None:
        return ()
    now = hall.round
    found = None if now is None else (now.number, now.at, now.ends_at)
    few = now is not None and now.few
    return (AudienceAdmission(admission=hall.admission, participants=len(hall.admitted), round=found, few=few),)


def _hall(hall: Hall) -> AudienceHall:
    return AudienceHall(
        code=hall.code,
        title=hall.setup.title,
        language=hall.setup.language,
        phase=hall.phase,
        mode=hall.mode,
        paused=hall.paused,
        slow_s=hall.slow_s,
        newcomers_wait=hall.settled is not None,
        opened_at=hall.opened_at,
        closed_at=hall.closed_at,
        video=hall.setup.video,
        departments=department_names(hall),
        directors=director_names(hall),
    )
