"""What goes on the picture: the question on air; ticker, newest poll and words of the issuer's key while the host wants them."""

from moderation.hall import Hall
from moderation.message import Message
from moderation.views.parts import department_name, director_name, place, poll_card
from protocol.entries import Entry
from protocol.views import Fragment, Gone, LowerThird, OverlayHall, PollCard, Ticker, TickerMessage, Window


def snapshot(hall: Hall) -> tuple[Fragment, ...]:
    """The whole view."""
    return (_hall(hall), _lower_third(hall), Ticker(on=hall.ticker), *_poll(hall), *_running(hall))


def render(hall: Hall, seq: int, entry: Entry) -> tuple[Fragment, ...]:
    """What entry `seq`, the last one applied, changed."""
    news: list[Fragment] = []
    if hall.changed & {"hall", "key"}:
        news.append(_hall(hall))
    if hall.changed & {"on_air", "overlay", "hall"} or hall.on_air in hall.touched:
        news.append(_lower_third(hall))
    if "poll_shown" in hall.changed and not hall.poll_shown:
        news += [Gone(id=id) for id in _newest(hall, 1)]
    elif "poll_shown" in hall.changed or hall.poll_touched is not None:
        # A new one takes the place of the one before.
        news += [*(Gone(id=id) for id in _newest(hall, 2)[:-1]), *_poll(hall)] if hall.poll_shown else []
    if "ticker" in hall.changed:
        # Off: all of it leaves. On: the window's messages come, as if they were new.
        news += [Ticker(on=hall.ticker), Window(floor=seq + 1), *_running(hall)]
    elif hall.ticker:
        for id in hall.touched:
            message = hall.messages[id]
            if _runs(hall, message):
                news.append(_message(message))
            elif message.was_shown:
                news.append(Gone(id=id))
        if "overlay_floor" in hall.changed:
            news.append(Window(floor=hall.overlay_floor))
    return tuple(news)


def _newest(hall: Hall, count: int) -> list[int]:
    """Ids of the newest polls, the newest last."""
    return list(hall.polls)[-count:]


def _poll(hall: Hall) -> tuple[PollCard, ...]:
    return tuple(poll_card(hall.polls[id]) for id in _newest(hall, 1)) if hall.poll_shown else ()


def _running(hall: Hall) -> tuple[TickerMessage, ...]:
    if not hall.ticker:
        return ()
    return tuple(_message(message) for message in hall.messages.values() if _runs(hall, message))


def _runs(hall: Hall, message: Message) -> bool:
    return message.state == "visible" and (message.shown or 0) >= hall.overlay_floor


def _message(message: Message) -> TickerMessage:
    return TickerMessage(id=message.id, text=message.text, who=message.pseudonym, shown=place(message))


def _lower_third(hall: Hall) -> LowerThird:
    if hall.on_air is None or hall.overlay_cleared:
        return LowerThird(id=None)
    message = hall.messages[hall.on_air]
    director = hall.director(message.director)
    department = hall.department(director.department) if director else None
    return LowerThird(
        id=message.id,
        text=message.text,
        who=message.pseudonym,
        department=department_name(department) if department else None,
        director=director_name(director) if director else None,
        since=message.aired_at,
        answering=message.answering_at is not None,
        support=message.support or 0,
        voices=1 + len(message.merged),
    )


def _hall(hall: Hall) -> OverlayHall:
    key = hall.admission.issuer.key if hall.key_shown and hall.admission else None
    return OverlayHall(code=hall.code, title=hall.setup.title, language=hall.setup.language, phase=hall.phase, key=key)
