"""The public record of a town hall, and the sums that must agree. Times are rounded to the minute; no author tags."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from moderation.hall import Hall
from moderation.message import Message
from moderation.poll import Poll
from moderation.pseudonyms import said
from moderation.views.parts import fate_of
from protocol.credentials import key_hex, key_words, public_key
from protocol.names import Language


def minute(at: int | None) -> int | None:
    """Unix seconds, rounded down to the minute."""
    return None if at is None else at - at % 60


def records(hall: Hall) -> Iterator[dict[str, Any]]:
    """All that may be published, in order: the town hall, each visible message with its fate, each poll, the sums."""
    setup = hall.setup
    yield {
        "record": "town_hall",
        "code": hall.code,
        "title": setup.title,
        "phase": hall.phase,
        "interim": hall.phase != "closed",
        "opened_at": minute(hall.opened_at),
        "closed_at": minute(hall.closed_at),
        **_issuer(hall),
        "departments": [{"id": d.id, "ko": d.name_ko, "en": d.name_en} for d in setup.departments],
        "directors": [{"id": d.id, "department": d.department, "name": d.name, "title": d.title} for d in setup.directors],
    }
    for message in hall.messages.values():
        if message.state == "visible":
            yield {"record": "message", **_message(hall, message)}
    for poll in hall.polls.values():
        yield {"record": "poll", **poll_row(poll)}
    yield {"record": "sums", **sums(hall)}


def _issuer(hall: Hall) -> dict[str, Any]:
    """The key that every participant's token was signed with, for comparing; nothing where there was no issuer."""
    if hall.admission is None:
        return {}
    spki = public_key(hall.admission.issuer)
    fingerprint = {"issuer_key_sha256": key_hex(spki).replace(" ", ""), "issuer_key_words": key_words(spki, hall.setup.language)}
    return {**fingerprint, "participants": len(hall.admitted)}


def poll_row(poll: Poll) -> dict[str, Any]:
    """One poll. `voters` and `counts` (as many as choices) are null while it is open, and where fewer than five have voted."""
    return {
        "id": poll.id,
        "text": poll.question,
        "choices": poll.choices,
        "opened_at": minute(poll.at),
        "closed_at": minute(poll.closed_at),
        "voters": poll.voters,
        "counts": poll.counts,
    }


def _message(hall: Hall, message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {"id": message.id, "text": message.text, "at": minute(message.at)}
    if hall.setup.keep_pseudonyms:
        row["pseudonym"] = said(message.pseudonym, hall.setup.language)
    fate = fate_of(hall, message)
    if fate is not None:
        row["question"] = {
            "fate": fate.state,
            "director": fate.director,
            "into": fate.into,
            "due": fate.due,
            "reason": fate.reason,
            "note": fate.note or None,
            "support": fate.support,
            "aired_at": minute(message.aired_at),
            "answered_at": minute(fate.answer.at) if fate.answer else None,
            "answered_how": fate.answer.how if fate.answer else None,
            "offset_s": fate.answer.offset_s if fate.answer else None,
            "answer": fate.answer.text if fate.answer else None,
        }
    return row


def questions(hall: Hall) -> list[Message]:
    """Every visible question, in the order in which they were posted."""
    return [message for message in hall.messages.values() if message.is_question]


def question_row(hall: Hall, message: Message, lang: Language) -> dict[str, Any]:
    """One question as a row of a table; names in words."""
    row = _message(hall, message)
    question = row.pop("question")
    director = hall.director(question["director"])
    department = hall.department(director.department) if director else None
    return {
        **row,
        **question,
        "director": director.name if director else None,
        "department": (department.name_ko if lang == "ko" else department.name_en) if department else None,
    }


def sums(hall: Hall) -> dict[str, Any]:
    """The figures of the record, as the state keeps them."""
    counts = hall.counts()
    return {
        "entries": hall.seq,
        "received": counts.received,
        "visible": counts.visible,
        "held": counts.held,
        "removed": counts.removed,
        "questions": counts.questions,
    }


def differences(hall: Hall) -> list[str]:
    """What does not add up when everything is counted anew, in words; empty: the record reconciles."""
    counts = hall.counts()
    states = Counter(message.state for message in hall.messages.values())
    removed = Counter(message.removed for message in hall.messages.values() if message.state == "removed")
    fates = Counter(str(message.fate) for message in questions(hall))
    pairs: list[tuple[str, object, object]] = [
        ("received", counts.received, sum(states.values())),
        (
            "received = visible + held + removed",
            counts.received,
            counts.visible + counts.held + sum(counts.removed.values()),
        ),
        ("visible", counts.visible, states["visible"]),
        ("held", counts.held, states["held"]),
        ("removed by reason", counts.removed, dict(removed)),
        ("questions by fate", counts.questions, dict(fates)),
        ("on air", 0 if hall.on_air is None else 1, fates["on_air"]),
        ("queue", len(hall.queue), fates["queued"]),
    ]
    polls = [poll for poll in hall.polls.values() if poll.counts is not None]
    pairs += [(f"voters of poll {poll.id}", poll.voters, sum(poll.counts or ())) for poll in polls]
    pairs += [(f"choices of poll {poll.id}", len(poll.choices), len(poll.counts or ())) for poll in polls]
    if hall.phase == "closed":
        pairs.append(("questions without an end", 0, fates["asked"] + fates["queued"] + fates["on_air"]))
        pairs.append(("polls that are open", 0, sum(poll.open for poll in hall.polls.values())))
    return [f"{what}: {told} told, {found} found" for what, told, found in pairs if told != found]
