"""What several views share: names and fates, as the public may know them."""

from moderation.hall import Hall
from moderation.message import Message
from moderation.poll import Poll
from protocol.setup import Department, Director
from protocol.views import Answer, DepartmentName, DirectorName, Fate, PollCard


def department_name(department: Department) -> DepartmentName:
    return DepartmentName(id=department.id, ko=department.name_ko, en=department.name_en)


def director_name(director: Director) -> DirectorName:
    return DirectorName(
        id=director.id,
        department=director.department,
        name=director.name,
        name_en=director.name_en,
        title=director.title,
        title_en=director.title_en,
    )


def department_names(hall: Hall) -> tuple[DepartmentName, ...]:
    return tuple(department_name(department) for department in hall.setup.departments)


def director_names(hall: Hall) -> tuple[DirectorName, ...]:
    return tuple(director_name(director) for director in hall.setup.directors)


def fate_of(hall: Hall, message: Message) -> Fate | None:
    """None: a plain message."""
    if message.fate is None:
        return None
    return Fate(
        state=message.fate,
        director=message.director,
        into=message.into,
        merged=message.merged,
        due=message.due if message.fate == "deferred" else None,
        reason=message.declined if message.fate == "declined" else None,
        note=message.note if message.fate in ("deferred", "declined") else "",
        answer=answer_of(hall, message) if message.fate == "answered" else None,
        support=message.support,
    )


def answer_of(hall: Hall, message: Message) -> Answer | None:
    """The written one where there is one, with the time of the live one beside it if it was answered live too."""
    live_at = message.answered_at
    offset = None
    if live_at is not None and message.aired_at is not None and hall.opened_at is not None:
        offset = message.aired_at - hall.opened_at
    took = live_at - message.aired_at if live_at is not None and message.aired_at is not None else None
    if message.written_at is not None:
        return Answer(
            how="written",
            at=message.written_at,
            text=message.written,
            offset_s=offset,
            took_s=took,
            director=message.director,
        )
    if live_at is not None:
        return Answer(how="live", at=live_at, offset_s=offset, took_s=took, director=message.director)
    return None


def poll_card(poll: Poll) -> PollCard:
    """The same for all who see it."""
    return PollCard(
        id=poll.id,
        question=poll.question,
        choices=poll.choices,
        open=poll.open,
        at=poll.at,
        closed_at=poll.closed_at,
        voters=poll.voters,
        counts=poll.counts,
    )


def poll_cards(hall: Hall) -> tuple[PollCard, ...]:
    """All, oldest first."""
    return tuple(poll_card(poll) for poll in hall.polls.values())


def poll_news(hall: Hall) -> tuple[PollCard, ...]:
    """The poll that the last entry opened or closed."""
    return () if hall.poll_touched is None else (poll_card(hall.polls[hall.poll_touched]),)


def place(message: Message) -> int | None:
    """`shown`, left out where it is the id."""
    return message.shown if message.shown != message.id else None
