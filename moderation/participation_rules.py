"""From watching to taking part: who may post, when browsers show their tokens, who is let in together, under which name.

What is decided here keeps order and time from telling who is who (docs/explanation/anonymity.md).
"""

from collections.abc import Iterable, Sequence

from moderation.context import Actor, Context
from moderation.decision import Decision, Rule, find, one
from moderation.hall import Hall
from moderation.pseudonyms import pseudonym
from protocol import commands as c
from protocol import entries as e
from protocol.names import Pseudonym
from protocol.refusals import Refusal

WAIT_S = 300
"""After this wait for others, those who will come in with fewer are let in; the rest wait on until there are enough."""
LATER_PART = 4
"""A later round takes this part of the first one's time."""
OFFERED = 3
"""Pseudonyms to choose from."""
HELD_TOGETHER_MAX = 200
"""Most messages that one hold of an author takes from the screens; older ones stay."""


def barred(hall: Hall, actor: Actor) -> Refusal | None:
    """Why this participant may not speak or vote yet; None: they may."""
    if actor.author is None:
        return Refusal("watching_only")
    if hall.admission is None:
        return None
    if actor.author not in hall.admitted:
        return Refusal("waiting_for_others", retry_after_ms=5_000)
    minimum = hall.admission.minimum_participants
    if len(hall.admitted) < minimum:
        return Refusal("too_few_participants", {"minimum": minimum, "count": len(hall.admitted)}, retry_after_ms=5_000)
    return None


# --- rounds ---
def first_round(hall: Hall, now: int) -> tuple[e.Entry, ...]:
    """What opening a town hall brings with it."""
    if hall.admission is None or hall.admission.round_s == 0:
        return ()
    return (e.RoundOpened(at=now, seconds=hall.admission.round_s),)


def in_round(hall: Hall, now: float, *, few: bool = False, late_s: float = 0) -> bool:
    """Whether tokens that were not shown before may be shown at unix second `now`. Without rounds: as long as it is open.

    `few`: by somebody who will come in with fewer than are let in together. `late_s`: how long after its end they may arrive.
    """
    if hall.phase != "open" or hall.admission is None:
        return False
    if hall.admission.round_s == 0:
        return True
    if hall.round is None or not hall.round.at <= now <= hall.round.ends_at + late_s:
        return False
    return few or not hall.round.few


def next_round(hall: Hall, waiting: int, willing: int, since: float | None, full_minute: bool, now: int) -> Decision | None:
    """A round for those who came late, at a full minute: for all if enough wait, or for the willing. None: not now.

    `waiting`: how many browsers wait that count, each by a token of its own which no round has taken; `willing`: how many of
    them will come in with few; `since`: unix time at which the first of those began to wait.
    """
    if hall.phase != "open" or hall.admission is None or hall.admission.round_s == 0 or not full_minute:
        return None
    if hall.round is not None and now <= hall.round.ends_at:
        return None  # also one that another node, whose clock is ahead, has just begun
    seconds = max(1, hall.admission.round_s // LATER_PART)
    if waiting >= hall.admission.round_people:
        return one(e.RoundOpened(at=now, seconds=seconds))
    if willing and since is not None and now - since >= WAIT_S:
        return one(e.RoundOpened(at=now, seconds=seconds, few=True))
    return None


def admit(
    hall: Hall, arrived: Iterable[str], willing: Iterable[str], since: float | None, full_minute: bool, now: int
) -> Decision | None:
    """Let in those who have shown their tokens: at a full minute if enough have; once somebody has waited long, the rest of
    a round in which enough have, and otherwise those who are `willing` to come in with few. None: not now.

    Where a round has a length of nothing, so has the wait: a town hall that lets in one by one hides nobody, and says so.
    `since`: unix time at which the first of them arrived.
    """
    if hall.phase != "open" or hall.admission is None:
        return None
    # By their tags, which are keyed hashes: nothing is left of the order in which they came.
    authors = tuple(sorted(set(arrived) - hall.admitted))
    if not authors:
        return None
    enough = len(authors) >= hall.admission.round_people and (full_minute or hall.admission.round_s == 0)
    waited = since is not None and now - since >= WAIT_S
    if enough or (waited and not _few(hall)):
        return one(e.ParticipantsAdmitted(at=now, authors=authors))
    # Before a round for few they have waited already; once it is over, all of them are here.
    after_few = hall.round is not None and hall.round.few and now > hall.round.ends_at
    if full_minute and (waited or after_few):
        few = tuple(sorted(set(authors) & set(willing)))
        return one(e.ParticipantsAdmitted(at=now, authors=few)) if few else None
    return None


def _few(hall: Hall) -> bool:
    """Whether those who showed tokens in the last round for all may be fewer than are let in together. Whoever comes in is
    hidden by that round: the rest of a large one does not stand out.
    """
    if hall.admission is None or hall.admission.round_s == 0:
        return False
    return hall.round is None or hall.round.let_in < hall.admission.round_people


def asks_few(hall: Hall, waiting: int, waited_s: float) -> bool:
    """Whether somebody who has waited so long is to be asked: will you come in with fewer than are let in together?

    `waiting`: how many wait in the whole town hall. Not while there would be too few even with them: they would give
    something away and could not post.
    """
    if hall.phase != "open" or hall.admission is None or hall.admission.round_s == 0 or waited_s < WAIT_S:
        return False
    return len(hall.admitted) + waiting >= hall.admission.minimum_participants


# --- pseudonyms ---
def pseudonym_of(hall: Hall, actor: Actor) -> Pseudonym:
    """The name under which this participant posts, or will."""
    assert actor.author is not None
    author = hall.authors.get(actor.author)
    if author is not None:
        return author.pseudonym
    return hall.chosen.get(actor.author) or pseudonym(actor.seed, hall.pseudonyms)


def may_choose(hall: Hall, actor: Actor) -> bool:
    """Once, and before the first message."""
    return actor.author is not None and actor.author not in hall.authors and actor.author not in hall.chosen


def offered(hall: Hall, actor: Actor) -> Sequence[Pseudonym]:
    """Free names for this participant: the same at each asking, unless somebody has taken one meanwhile."""
    found = [pseudonym_of(hall, actor)]
    for step in range(1, OFFERED + 1):
        found.append(pseudonym(actor.seed + step * 7_919_177, hall.pseudonyms | set(found)))
    return found[1:]


def choose(hall: Hall, actor: Actor, command: c.ChoosePseudonym, context: Context) -> Decision | Refusal:
    """One of those that were offered: a name of one's own making would be a nickname, and nicknames are known."""
    if actor.author is None:
        return Refusal("watching_only")
    if not may_choose(hall, actor) or command.pseudonym not in offered(hall, actor):
        return Refusal("pseudonym_kept", field="$.pseudonym")
    return one(e.PseudonymChosen(at=context.now, author=actor.author, pseudonym=command.pseudonym))


# --- holding the rest ---
def hold_author(hall: Hall, actor: Actor, command: c.HoldAuthor, context: Context) -> Decision | Refusal:
    """One voice floods: what it has on the screens, and what it will post, waits for a moderator."""
    message = find(hall, command.message)
    if isinstance(message, Refusal):
        return message
    if message.author in hall.held_authors:
        return Refusal("already_done", {"by": hall.name_of(hall.held_authors[message.author].by)})
    theirs = (m for m in reversed(hall.messages.values()) if m.author == message.author)
    # What a host has taken up, or others have joined, is looked after already.
    shown = [m.id for m in theirs if m.state == "visible" and m.fate in (None, "asked") and not m.merged]
    return one(
        e.AuthorHeld(
            at=context.now,
            by=actor.by,
            author=message.author,
            message=message.id,
            messages=tuple(sorted(shown[:HELD_TOGETHER_MAX])),
        )
    )


def release_author(hall: Hall, actor: Actor, command: c.ReleaseAuthor, context: Context) -> Decision | Refusal:
    """Undone: what the hold took is visible again, but for what somebody has dealt with since."""
    hold = hall.held_authors.get(command.author)
    if hold is None:
        return Refusal("no_such_participant", field="$.author")
    untouched = tuple(id for id in hold.messages if hall.messages[id].changed == hold.seq)
    return one(e.AuthorReleased(at=context.now, by=actor.by, author=command.author, messages=untouched))


RULES: dict[type[c.Command], Rule] = {
    c.ChoosePseudonym: choose,
    c.HoldAuthor: hold_author,
    c.ReleaseAuthor: release_author,
}
