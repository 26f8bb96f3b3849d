"""evolve(hall, seq, entry): the only code that changes a Hall. Total: it applies facts, and never judges them.

Each kind of entry has one function. What it changed is left in `hall.touched` and `hall.changed` for the views.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from moderation.hall import Author, AuthorHold, Hall, LastAct, Mute, Round, StaffLink
from moderation.message import Message
from moderation.poll import Poll
from protocol import entries as e
from protocol.limits import limit
from protocol.names import FateState
from protocol.views import Act, Returned


class Corrupt(Exception):
    """An entry that makes no sense after those before it: the log is damaged, or a rule was wrong when it was written."""


UNDOABLE: tuple[type[e.Entry], ...] = (
    e.MessagePublished,
    e.MessageHeld,
    e.MessageRemoved,
    e.MessageRestored,
    e.QuestionPicked,
    e.QuestionUnpicked,
    e.QuestionMoved,
    e.QuestionRouted,
    e.QuestionAired,
    e.QuestionRequeued,
    e.QuestionAnswered,
    e.QuestionDeferred,
    e.QuestionDeclined,
)

_QUIET = (e.LinkMade, e.LinkRevoked)
"""No act at the desk: it would push those that are out of the list."""
_APPLY: dict[type[e.Entry], Callable[[Hall, int, Any], None]] = {}


def _applies(kind: type[e.Entry]) -> Callable[[Callable[[Hall, int, Any], None]], Callable[[Hall, int, Any], None]]:
    def register(function: Callable[[Hall, int, Any], None]) -> Callable[[Hall, int, Any], None]:
        _APPLY[kind] = function
        return function

    return register


def evolve(hall: Hall, seq: int, entry: e.Entry) -> None:
    """Apply entry `seq` in place. Raises Corrupt; the hall is then no longer to be used."""
    if seq != hall.seq + 1:
        raise Corrupt(f"entry {seq} after {hall.seq}")
    hall.touched, hall.changed, hall.poll_touched = [], set(), None
    _remember(hall, seq, entry)
    _APPLY[type(entry)](hall, seq, entry)
    hall.seq = seq
    if "desk" in entry.raises:
        hall.desk = seq
    if "gate" in entry.raises:
        hall.gate = seq
    for id in hall.touched:
        hall.messages[id].changed = seq


def _remember(hall: Hall, seq: int, entry: e.Entry) -> None:
    """Desk acts are shown to the other moderators; a host's last one on a message can be undone."""
    if not entry.by or isinstance(entry, _QUIET):
        return
    message = getattr(entry, "message", None)
    undoable = isinstance(entry, UNDOABLE) and entry.by.startswith("host:")
    hall.acts.append(Act(seq=seq, at=entry.at, by=entry.by, kind=_kind(entry), message=message or None, undoable=undoable))
    hall.changed.add("acts")
    if undoable and isinstance(message, int):
        known = _message(hall, message)
        hall.last_acts[entry.by] = LastAct(seq, entry.at, message, known.before(hall.position(message)))
    elif entry.by.startswith("host:") and message:
        hall.last_acts.pop(entry.by, None)


def _kind(entry: e.Entry) -> str:
    return str(type(entry).__struct_config__.tag)


def _message(hall: Hall, id: int) -> Message:
    try:
        return hall.messages[id]
    except KeyError:
        raise Corrupt(f"there is no message {id}") from None


@contextmanager
def _changing(hall: Hall, id: int, by: str | None = None) -> Iterator[Message]:
    """A message to change: keeps the counts right and notes that it was touched. `by` None: nobody acted on it itself."""
    message = _message(hall, id)
    _count(hall, message, -1)
    yield message
    _count(hall, message, +1)
    if by is not None:
        message.by = by
    if id not in hall.touched:
        hall.touched.append(id)


def _count(hall: Hall, message: Message, step: int) -> None:
    hall.states[message.state] += step
    if message.state == "removed" and message.removed:
        hall.removals[message.removed] += step
    if message.is_question:
        hall.fates[str(message.fate)] += step


def _show(hall: Hall, message: Message, seq: int) -> None:
    """It becomes visible: the newest in the chat."""
    message.state, message.held, message.removed = "visible", None, None
    message.shown, message.was_shown = seq, True
    hall.audience_floor = _slide(hall, hall.recent_audience, seq, "audience", hall.audience_floor)
    hall.overlay_floor = _slide(hall, hall.recent_overlay, seq, "overlay", hall.overlay_floor)


def _slide(hall: Hall, recent: deque[int], seq: int, view: str, floor: int) -> int:
    """The floor after `seq` was added: it rises by half a window at a time, so that it is seldom news."""
    recent.append(seq)
    window = limit(f"{view}_window")
    if len(recent) <= window + window // 2:
        return floor
    while len(recent) > window:
        recent.popleft()
    hall.changed.add(f"{view}_floor")
    return recent[0]


def _leave_the_desk(hall: Hall, id: int) -> None:
    """Out of the queue, the preview and the air."""
    if id in hall.queue:
        hall.queue.remove(id)
        hall.changed.add("queue")
    if hall.preview == id:
        hall.preview = None
        hall.changed.add("preview")
    if hall.on_air == id:
        hall.on_air = None
        hall.changed.add("on_air")


def _enter_queue(hall: Hall, id: int, position: int | None = None) -> None:
    hall.queue.insert(len(hall.queue) if position is None else position, id)
    hall.changed.add("queue")


def _free_merged(hall: Hall, message: Message) -> None:
    """Those merged into a question that is no longer there get a fate of their own again."""
    for id in message.merged:
        with _changing(hall, id) as freed:
            freed.fate, freed.into = "asked", None
    message.merged = ()


def _out_of_merge(hall: Hall, message: Message) -> None:
    if message.into is not None:
        with _changing(hall, message.into) as canonical:
            canonical.merged = tuple(id for id in canonical.merged if id != message.id)
        message.into = None


# --- the town hall ---
@_applies(e.HallCreated)
def _created(hall: Hall, seq: int, entry: e.HallCreated) -> None:
    hall.code, hall.setup, hall.mode, hall.created_at = entry.code, entry.setup, entry.setup.mode, entry.at
    hall.admission = entry.admission
    hall.changed |= {"hall", "admission"}


@_applies(e.HallConfigured)
def _configured(hall: Hall, seq: int, entry: e.HallConfigured) -> None:
    hall.setup, hall.mode = entry.setup, entry.setup.mode
    hall.changed |= {"hall", "on_air"}


@_applies(e.HallOpened)
def _opened(hall: Hall, seq: int, entry: e.HallOpened) -> None:
    hall.phase, hall.opened_at = "open", entry.at
    hall.changed.add("hall")


@_applies(e.HallClosed)
def _closed(hall: Hall, seq: int, entry: e.HallClosed) -> None:
    hall.phase, hall.closed_at, hall.ended_itself = "closed", entry.at, not entry.by
    # Also those that came between the decision and its place in the log: no question is left without an end.
    late = (message.id for message in hall.messages.values() if message.has_open_end and message.id not in entry.deferred)
    for id in [*entry.deferred, *late]:
        _leave_the_desk(hall, id)
        with _changing(hall, id) as message:
            message.fate, message.due = "deferred", entry.due
    for id in list(hall.queue):
        _leave_the_desk(hall, id)
    hall.preview = hall.on_air = None
    if hall.open_poll is not None:
        _end_poll(hall, hall.open_poll, entry.at)
    hall.muted.clear()
    hall.held_authors.clear()
    hall.chosen.clear()
    hall.settled = None
    hall.round = None
    hall.last_acts.clear()
    hall.changed |= {"hall", "queue", "preview", "on_air", "muted", "held_authors", "admission"}


@_applies(e.LinksRenewed)
def _links_renewed(hall: Hall, seq: int, entry: e.LinksRenewed) -> None:
    for link in hall.links.values():
        link.revoked = link.revoked or link.role == entry.role


@_applies(e.LinkMade)
def _link_made(hall: Hall, seq: int, entry: e.LinkMade) -> None:
    if entry.role == "host":
        hall.changed.add("hall")
    hall.links[entry.made] = StaffLink(
        entry.role, entry.id, entry.label, entry.secret, entry.at, entry.expires, holder=entry.holder
    )


@_applies(e.LinkRevoked)
def _link_revoked(hall: Hall, seq: int, entry: e.LinkRevoked) -> None:
    if entry.revoked not in hall.links:
        raise Corrupt(f"there is no link {entry.revoked}")
    revoked = hall.links[entry.revoked]
    revoked.revoked = True
    if revoked.holder:
        hall.barred.add(revoked.holder)
        for link in hall.links.values():
            link.revoked = link.revoked or link.holder == revoked.holder


# --- from watching to taking part ---
@_applies(e.RoundOpened)
def _round_opened(hall: Hall, seq: int, entry: e.RoundOpened) -> None:
    before = hall.round.let_in if hall.round is not None and entry.few else 0
    hall.round = Round(seq, entry.at, entry.at + entry.seconds, entry.few, before)
    hall.changed.add("admission")


@_applies(e.ParticipantsAdmitted)
def _participants_admitted(hall: Hall, seq: int, entry: e.ParticipantsAdmitted) -> None:
    hall.admitted.update(entry.authors)
    hall.admissions.append((entry.at, entry.authors))
    if hall.round is not None and not hall.round.few:
        hall.round = replace(hall.round, let_in=hall.round.let_in + len(entry.authors))
    hall.changed.add("admission")


@_applies(e.PseudonymChosen)
def _pseudonym_chosen(hall: Hall, seq: int, entry: e.PseudonymChosen) -> None:
    hall.chosen[entry.author] = entry.pseudonym
    hall.pseudonyms.add(entry.pseudonym)


# --- who may post what ---
@_applies(e.ChatPaused)
def _paused(hall: Hall, seq: int, entry: e.ChatPaused) -> None:
    hall.paused = True
    hall.changed.add("hall")


@_applies(e.ChatResumed)
def _resumed(hall: Hall, seq: int, entry: e.ChatResumed) -> None:
    hall.paused = False
    hall.changed.add("hall")


@_applies(e.ChatSlowed)
def _slowed(hall: Hall, seq: int, entry: e.ChatSlowed) -> None:
    hall.slow_s = entry.seconds
    hall.changed.add("hall")


@_applies(e.NewcomersSet)
def _newcomers_set(hall: Hall, seq: int, entry: e.NewcomersSet) -> None:
    hall.settled = hall.here_before(entry.since) if entry.on else None
    hall.changed.add("hall")


@_applies(e.ModeSet)
def _mode_set(hall: Hall, seq: int, entry: e.ModeSet) -> None:
    hall.mode = entry.mode
    hall.changed.add("hall")


@_applies(e.AuthorMuted)
def _muted(hall: Hall, seq: int, entry: e.AuthorMuted) -> None:
    hall.muted[entry.author] = Mute(entry.reason, entry.until, entry.by)
    hall.changed.add("muted")


@_applies(e.AuthorUnmuted)
def _unmuted(hall: Hall, seq: int, entry: e.AuthorUnmuted) -> None:
    hall.muted.pop(entry.author, None)
    hall.changed.add("muted")


@_applies(e.AuthorHeld)
def _author_held(hall: Hall, seq: int, entry: e.AuthorHeld) -> None:
    for id in entry.messages:
        with _changing(hall, id, entry.by) as message:
            _hide(hall, message)
            message.state, message.held = "held", "moderator"
    hall.held_ever = True
    hall.held_authors[entry.author] = AuthorHold(seq, entry.by, entry.messages)
    hall.changed.add("held_authors")


@_applies(e.AuthorReleased)
def _author_released(hall: Hall, seq: int, entry: e.AuthorReleased) -> None:
    for id in entry.messages:
        with _changing(hall, id, entry.by) as message:
            # Back where they were in the chat.
            message.state, message.held = "visible", None
    hall.held_authors.pop(entry.author, None)
    hall.changed.add("held_authors")


# --- messages ---
@_applies(e.MessagePosted)
def _posted(hall: Hall, seq: int, entry: e.MessagePosted) -> None:
    author = hall.authors.setdefault(entry.author, Author(entry.pseudonym))
    author.last_post_at = entry.at
    author.first_post_at = author.first_post_at or entry.at
    author.posted += 1
    # Clocks of nodes differ: the level never falls twice for the same second.
    hall.poured, hall.poured_at = hall.level(entry.at) + 1, max(hall.poured_at, entry.at)
    hall.pseudonyms.add(entry.pseudonym)
    message = Message(
        id=seq,
        author=entry.author,
        pseudonym=entry.pseudonym,
        text=entry.text,
        at=entry.at,
        asked=entry.asked,
        state="held",
        held=entry.held,
        findings=entry.findings,
        fate="asked" if entry.asked else None,
    )
    if entry.held is None:
        _show(hall, message, seq)
    hall.messages[seq] = message
    _count(hall, message, +1)
    hall.host_floor = _slide(hall, hall.recent_host, seq, "host", hall.host_floor)
    hall.touched.append(seq)


@_applies(e.MessagePublished)
def _published(hall: Hall, seq: int, entry: e.MessagePublished) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        _show(hall, message, seq)


@_applies(e.MessageHeld)
def _held(hall: Hall, seq: int, entry: e.MessageHeld) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        _hide(hall, message)
        message.state, message.held = "held", "moderator"


@_applies(e.MessageRemoved)
def _removed(hall: Hall, seq: int, entry: e.MessageRemoved) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        _hide(hall, message)
        message.state, message.held, message.removed = "removed", None, entry.reason


def _hide(hall: Hall, message: Message) -> None:
    """A hidden question keeps no place and no one else's voice: it would be asked anew when it comes back."""
    _free_merged(hall, message)
    _out_of_merge(hall, message)
    if message.fate in ("queued", "on_air", "merged"):
        message.fate = _unpicked_fate(message)
        message.aired_at = message.answering_at = None


def _unpicked_fate(message: Message) -> FateState | None:
    return "asked" if message.asked else None


@_applies(e.MessageRestored)
def _restored(hall: Hall, seq: int, entry: e.MessageRestored) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.state, message.held, message.removed = "held", "moderator", None


@_applies(e.MessageErased)
def _erased(hall: Hall, seq: int, entry: e.MessageErased) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.text = message.written = None


# --- questions ---
@_applies(e.QuestionPicked)
def _picked(hall: Hall, seq: int, entry: e.QuestionPicked) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.fate = "queued"
    _enter_queue(hall, entry.message)


@_applies(e.QuestionUnpicked)
def _unpicked(hall: Hall, seq: int, entry: e.QuestionUnpicked) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        # With other voices merged into it, it stays a question whatever it began as.
        message.fate = "asked" if message.merged else _unpicked_fate(message)
        message.director, message.accepted = None, False


@_applies(e.QuestionMoved)
def _moved(hall: Hall, seq: int, entry: e.QuestionMoved) -> None:
    with _changing(hall, entry.message, entry.by):
        hall.queue.remove(entry.message)
        _enter_queue(hall, entry.message, entry.position)


@_applies(e.QuestionRouted)
def _routed(hall: Hall, seq: int, entry: e.QuestionRouted) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.director, message.accepted = entry.director, False
        if entry.director is not None:
            message.directors_ever |= {entry.director}
    _air_changed(hall, entry.message)


@_applies(e.QuestionAccepted)
def _accepted(hall: Hall, seq: int, entry: e.QuestionAccepted) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.accepted = True


@_applies(e.QuestionReturned)
def _returned(hall: Hall, seq: int, entry: e.QuestionReturned) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.returned += (Returned(entry.director, entry.reason, entry.at),)
        message.director, message.accepted = None, False
    _air_changed(hall, entry.message)


@_applies(e.QuestionMerged)
def _merged(hall: Hall, seq: int, entry: e.QuestionMerged) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        followers, message.merged = message.merged, ()
        message.fate, message.into = "merged", entry.into
        message.director, message.accepted, message.due, message.declined = None, False, None, None
    for id in followers:
        with _changing(hall, id) as follower:
            follower.into = entry.into
    with _changing(hall, entry.into) as canonical:
        canonical.merged += (entry.message, *followers)
    _air_changed(hall, entry.into)


@_applies(e.QuestionSplit)
def _split(hall: Hall, seq: int, entry: e.QuestionSplit) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        canonical = message.into
        _out_of_merge(hall, message)
        message.fate = "asked"
    if canonical is not None:
        _air_changed(hall, canonical)


@_applies(e.QuestionPreviewed)
def _previewed(hall: Hall, seq: int, entry: e.QuestionPreviewed) -> None:
    hall.preview = entry.message
    hall.changed.add("preview")


@_applies(e.QuestionAired)
def _aired(hall: Hall, seq: int, entry: e.QuestionAired) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        message.fate, message.aired_at, message.answering_at = "on_air", entry.at, None
        message.support = entry.support
    hall.on_air, hall.overlay_cleared = entry.message, False
    hall.changed |= {"on_air", "overlay"}


@_applies(e.AnswerStarted)
def _answer_started(hall: Hall, seq: int, entry: e.AnswerStarted) -> None:
    with _changing(hall, entry.message, entry.by) as message:
        message.answering_at = entry.at
    _air_changed(hall, entry.message)


@_applies(e.QuestionRequeued)
def _requeued(hall: Hall, seq: int, entry: e.QuestionRequeued) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        message.fate, message.aired_at, message.answering_at = "queued", None, None
        message.due, message.note, message.declined, message.support = None, "", None, None
    _enter_queue(hall, entry.message, 0)


@_applies(e.QuestionAnswered)
def _answered(hall: Hall, seq: int, entry: e.QuestionAnswered) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        message.fate, message.answered_at, message.support = "answered", entry.at, entry.support


@_applies(e.QuestionDeferred)
def _deferred(hall: Hall, seq: int, entry: e.QuestionDeferred) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        message.fate, message.due, message.note = "deferred", entry.due, entry.note
        message.answering_at = None


@_applies(e.QuestionDeclined)
def _declined(hall: Hall, seq: int, entry: e.QuestionDeclined) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        message.fate, message.declined, message.note = "declined", entry.reason, entry.note
        message.due = None


@_applies(e.AnswerWritten)
def _answer_written(hall: Hall, seq: int, entry: e.AnswerWritten) -> None:
    _leave_the_desk(hall, entry.message)
    with _changing(hall, entry.message, entry.by) as message:
        message.fate = "answered"
        message.written, message.written_at, message.written_by = entry.text, entry.at, entry.by


@_applies(e.ActUndone)
def _undone(hall: Hall, seq: int, entry: e.ActUndone) -> None:
    before, id = entry.before, entry.message
    _leave_the_desk(hall, id)
    with _changing(hall, id, entry.by) as message:
        was_visible = message.state == "visible"
        if message.into != before.into:
            _out_of_merge(hall, message)
        message.state, message.held, message.removed = before.state, before.held, before.removed
        message.fate, message.director, message.accepted = before.fate, before.director, before.accepted
        message.due, message.note, message.declined = before.due, before.note, before.declined
        message.aired_at, message.answering_at = before.aired_at, before.answering_at
        message.answered_at, message.support = before.answered_at, before.support
        if before.state == "visible" and not was_visible:
            # Back where it was in the chat: it was there before the act.
            message.was_shown = True
            message.shown = message.shown or id
        if before.into is not None and message.into is None:
            message.into = before.into
            with _changing(hall, before.into) as canonical:
                canonical.merged += (id,)
    for other in before.merged:
        # Those whom hiding it had freed come back to it, unless something else became of them.
        freed = _message(hall, other)
        if freed.into is None and freed.is_question and freed.fate == "asked":
            with _changing(hall, other):
                freed.fate, freed.into = "merged", id
            message.merged += (other,)
    if before.position is not None:
        _enter_queue(hall, id, before.position)
    if before.fate == "on_air" and before.state == "visible":
        hall.on_air = id
        hall.changed.add("on_air")
    if before.director is not None:
        message.directors_ever |= {before.director}
    hall.last_acts.pop(entry.by, None)


def _air_changed(hall: Hall, id: int) -> None:
    if hall.on_air == id:
        hall.changed.add("on_air")


# --- polls ---
@_applies(e.PollOpened)
def _poll_opened(hall: Hall, seq: int, entry: e.PollOpened) -> None:
    if hall.open_poll is not None:
        _end_poll(hall, hall.open_poll, entry.at)
    hall.polls[seq] = Poll(seq, entry.question, entry.choices, entry.at)
    hall.open_poll = hall.poll_touched = seq


@_applies(e.PollClosed)
def _poll_closed(hall: Hall, seq: int, entry: e.PollClosed) -> None:
    poll = _end_poll(hall, entry.poll, entry.at)
    poll.voters, poll.counts = entry.voters, entry.counts


def _end_poll(hall: Hall, id: int, at: int) -> Poll:
    if id not in hall.polls:
        raise Corrupt(f"there is no poll {id}")
    poll = hall.polls[id]
    poll.closed_at = at
    hall.open_poll, hall.poll_touched = None, id
    return poll


# --- the overlay ---
@_applies(e.OverlayCleared)
def _overlay_cleared(hall: Hall, seq: int, entry: e.OverlayCleared) -> None:
    hall.overlay_cleared = True
    hall.changed.add("overlay")


@_applies(e.OverlayShown)
def _overlay_shown(hall: Hall, seq: int, entry: e.OverlayShown) -> None:
    hall.overlay_cleared = False
    hall.changed.add("overlay")


@_applies(e.TickerSet)
def _ticker_set(hall: Hall, seq: int, entry: e.TickerSet) -> None:
    hall.ticker = entry.on
    hall.changed |= {"overlay", "ticker"}


@_applies(e.PollSet)
def _poll_set(hall: Hall, seq: int, entry: e.PollSet) -> None:
    hall.poll_shown = entry.on
    hall.changed |= {"overlay", "poll_shown"}


@_applies(e.KeySet)
def _key_set(hall: Hall, seq: int, entry: e.KeySet) -> None:
    hall.key_shown = entry.on
    hall.changed |= {"overlay", "key"}
