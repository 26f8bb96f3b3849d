"""What one director sees: the questions routed to them, and whether it is their turn."""

from moderation.hall import Hall
from moderation.message import Message
from moderation.views.parts import department_names, director_names, fate_of
from protocol.entries import Entry
from protocol.views import DirectorHall, DirectorOnAir, Fragment, Gone, QuestionCard


def snapshot(hall: Hall, director: str) -> tuple[Fragment, ...]:
    """The whole view of the director `director`."""
    cards = (_card(hall, message) for message in hall.messages.values() if _sees(message, director))
    return (_hall(hall), _on_air(hall, director), *cards)


def render(hall: Hall, seq: int, entry: Entry, director: str) -> tuple[Fragment, ...]:
    """What entry `seq`, the last one applied, changed for them."""
    news: list[Fragment] = []
    if "hall" in hall.changed:
        news.append(_hall(hall))
    moved = [id for id in hall.queue if id not in hall.touched] if "queue" in hall.changed else []
    for id in (*hall.touched, *moved):
        message = hall.messages[id]
        if _sees(message, director):
            news.append(_card(hall, message))
        elif id in hall.touched and director in message.directors_ever:
            news.append(Gone(id=id))
    if "on_air" in hall.changed or hall.on_air in hall.touched:
        news.append(_on_air(hall, director))
    return tuple(news)


def _sees(message: Message, director: str) -> bool:
    return message.is_question and message.director == director and message.fate != "merged"


def _card(hall: Hall, message: Message) -> QuestionCard:
    fate = fate_of(hall, message)
    assert fate is not None
    return QuestionCard(
        id=message.id,
        text=message.text,
        who=message.pseudonym,
        at=message.at,
        fate=fate,
        accepted=message.accepted,
        position=hall.position(message.id),
    )


def _on_air(hall: Hall, director: str) -> DirectorOnAir:
    if hall.on_air is None:
        return DirectorOnAir(id=None)
    message = hall.messages[hall.on_air]
    mine = message.director == director
    return DirectorOnAir(
        id=hall.on_air,
        mine=mine,
        since=message.aired_at,
        answering_since=message.answering_at if mine else None,
    )


def _hall(hall: Hall) -> DirectorHall:
    return DirectorHall(
        code=hall.code,
        title=hall.setup.title,
        language=hall.setup.language,
        phase=hall.phase,
        opened_at=hall.opened_at,
        closed_at=hall.closed_at,
        departments=department_names(hall),
        directors=director_names(hall),
    )
