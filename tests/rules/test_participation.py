"""Who may speak, when tokens are shown, who comes in together, and one voice that is held whole."""

import msgspec
import pytest

from moderation.context import Actor
from moderation.decision import Decision
from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.participation_rules import WAIT_S, admit, asks_few, barred, in_round, next_round, pseudonym_of
from moderation.views import overlay
from moderation.views.fold import fold
from protocol import commands as c
from protocol import entries as e
from protocol.setup import Admission, Issuer
from protocol.views import OverlayHall
from tests.town import HOST, HOST_2, SETUP, START, Town, employee

ISSUER = Issuer(url="https://admit.example.org", key="A" * 563)


def town(**admission: int) -> Town:
    """With an issuer, open."""
    made = Town(SETUP, opened=False)
    created = made.log[0]
    assert isinstance(created, e.HallCreated)
    made.log.clear()
    made.hall = Hall.empty()
    made.apply(Decision((msgspec.structs.replace(created, admission=Admission(issuer=ISSUER, **admission)),)))
    made.must(HOST, c.OpenHall)
    return made


def let_in(made: Town, *numbers: int) -> None:
    tags = [employee(number).author or "" for number in numbers]
    decision = admit(made.hall, tags, (), made.now, full_minute=True, now=made.now)
    assert decision is not None
    made.apply(decision)


def test_whoever_only_watches_is_told_so() -> None:
    made = town()
    assert made.refused(Actor("audience"), c.PostMessage, text="글").code == "watching_only"
    assert made.refused(Actor("audience"), c.ChoosePseudonym, pseudonym=(1, 2, 3)).code == "watching_only"


def test_posting_waits_for_being_let_in_and_for_enough() -> None:
    made = town(minimum_participants=6)
    assert made.refused(employee(1), c.PostMessage, text="글").code == "waiting_for_others"
    let_in(made, 1, 2, 3, 4, 5)
    refusal = made.refused(employee(1), c.PostMessage, text="글")
    assert (refusal.code, refusal.params) == ("too_few_participants", {"minimum": 6, "count": 5})
    let_in(made, *range(6, 11))
    assert made.post(by=1) and barred(made.hall, employee(1)) is None


def test_without_an_issuer_whoever_is_here_may_post() -> None:
    made = Town()
    assert barred(made.hall, employee(1)) is None and not in_round(made.hall, made.now)
    assert next_round(made.hall, 9, 9, 0.0, True, made.now) is None
    assert admit(made.hall, ["a" * 16], ["a" * 16], 0.0, True, made.now) is None and not asks_few(made.hall, 9, WAIT_S)


def test_the_host_shows_the_issuers_key_and_clearing_takes_it_off() -> None:
    made = town()

    def on_the_picture() -> str | None:
        """As a newcomer sees it, and whoever has watched since the beginning."""
        hall, folded = Hall.empty(), fold({}, ())
        for seq, entry in enumerate(made.log, 1):
            evolve(hall, seq, entry)
            fold(folded, overlay.render(hall, seq, entry))
        snapshot = fold({}, overlay.snapshot(hall))
        assert folded["hall"] == snapshot["hall"]
        return next(fragment.key for fragment in snapshot.values() if isinstance(fragment, OverlayHall))

    assert on_the_picture() is None
    made.must(HOST, c.SetKey, on=True)
    assert on_the_picture() == ISSUER.key
    made.must(HOST, c.ClearOverlay)
    assert (on_the_picture(), made.hall.overlay_cleared, made.hall.key_shown) == (None, True, False)
    made.must(HOST, c.ShowOverlay)
    assert on_the_picture() is None
    made.must(HOST, c.SetKey, on=True)
    made.must(HOST, c.SetKey, on=False)
    assert on_the_picture() is None


def test_without_an_issuer_there_is_no_key_to_show() -> None:
    made = Town()
    assert made.refused(HOST, c.SetKey, on=True).code == "no_issuer"


def test_opening_begins_a_round_and_it_ends() -> None:
    made = town(round_s=60)
    assert made.hall.round is not None and (made.hall.round.at, made.hall.round.ends_at) == (START, START + 60)
    assert in_round(made.hall, START + 60) and not in_round(made.hall, START + 61)
    assert not in_round(Town(opened=False).hall, START)
    assert in_round(town(round_s=0).hall, START + 9_999) and town(round_s=0).hall.round is None


@pytest.mark.parametrize(
    ("waiting", "willing", "waited", "full_minute", "begins"),
    [
        (5, 0, 10, True, "for all"),
        (5, 0, 10, False, ""),
        (4, 0, 10, True, ""),
        (4, 0, WAIT_S, True, ""),
        (4, 2, WAIT_S - 1, True, ""),
        (4, 2, WAIT_S, False, ""),
        (4, 2, WAIT_S, True, "for few"),
        (1, 1, WAIT_S, True, "for few"),
        (5, 1, WAIT_S, True, "for all"),
        (0, 0, None, True, ""),
    ],
)
def test_a_round_for_late_comers(waiting: int, willing: int, waited: int | None, full_minute: bool, begins: str) -> None:
    made = town(round_s=60)
    now = START + 1_020
    decision = next_round(made.hall, waiting, willing, None if waited is None else now - waited, full_minute, now)
    assert (decision is not None) == bool(begins)
    if decision is not None:
        assert decision.entries == (e.RoundOpened(at=now, seconds=15, few=begins == "for few"),)
    assert next_round(made.hall, 9, 9, START - WAIT_S, True, START + 30) is None, "not within another"
    assert next_round(made.hall, 9, 9, START - WAIT_S, True, START - 1) is None, "begun by a node whose clock is ahead"


def test_a_round_for_few_takes_only_those_who_will() -> None:
    made = town(round_s=60)
    made.apply(Decision((e.RoundOpened(at=START + 600, seconds=15, few=True),)))
    assert in_round(made.hall, START + 605, few=True) and not in_round(made.hall, START + 605)
    assert not in_round(made.hall, START + 616, few=True)
    assert next_round(made.hall, 9, 9, START, True, START + 610) is None, "not within another"


def test_whoever_began_within_a_round_may_arrive_after_its_end_however_short_it_was() -> None:
    made = town(round_s=60)
    made.apply(Decision((e.RoundOpened(at=START + 600, seconds=3, few=True),)))
    for late in (604, 607, 612, 618):
        assert in_round(made.hall, START + late, few=True, late_s=15), late
    assert not in_round(made.hall, START + 619, few=True, late_s=15) and not in_round(made.hall, START + 599, few=True, late_s=15)
    assert not in_round(made.hall, START + 604, late_s=15), "it was for those who will"


def test_people_come_in_together_and_in_no_order() -> None:
    made = town()
    now = START + 61
    tags = [employee(number).author or "" for number in (9, 3, 7, 1, 4)]
    assert admit(made.hall, tags, (), now - 10.0, False, now) is None
    assert admit(made.hall, tags[1:], tags, now - 10.0, True, now) is None
    late = admit(made.hall, tags, tags[:2], now - 10.0, True, now)
    assert late is not None and late.entries == (e.ParticipantsAdmitted(at=now, authors=tuple(sorted(tags))),)
    made.apply(late)
    assert admit(made.hall, tags, (), 0.0, True, now) is None, "once is enough"
    assert admit(Town(opened=False).hall, tags, tags, 0.0, True, now) is None


def tags_of(*numbers: int) -> tuple[str, ...]:
    return tuple(sorted(employee(number).author or "" for number in numbers))


def who(decision: Decision | None) -> tuple[str, ...]:
    """Who is let in by it."""
    if decision is None:
        return ()
    (entry,) = decision.entries
    assert isinstance(entry, e.ParticipantsAdmitted)
    return entry.authors


def test_fewer_come_in_only_after_the_wait_and_only_those_who_will() -> None:
    made = town()
    now = START + 600
    three, two = tags_of(1, 2, 3), tags_of(1, 3)
    waited = now - float(WAIT_S)
    assert who(admit(made.hall, three, (), waited, True, now)) == ()
    assert who(admit(made.hall, three, two, waited + 1, True, now)) == ()
    assert who(admit(made.hall, three, two, waited, False, now)) == (), "at a full minute, so that they come in together"
    assert who(admit(made.hall, three, (*two, *tags_of(7)), waited, True, now)) == two, "nobody who is not here"
    made.apply(Decision((e.ParticipantsAdmitted(at=now, authors=two),)))
    assert who(admit(made.hall, three, two, waited, True, now)) == (), "the third waits on"
    assert who(admit(made.hall, tags_of(2, 4, 5, 6, 7), tags_of(4), now - 1.0, True, now)) == tags_of(2, 4, 5, 6, 7)


def test_after_a_round_for_few_they_need_not_wait_again() -> None:
    made = town()
    began = START + 600
    made.apply(Decision((e.RoundOpened(at=began, seconds=90, few=True),)))
    assert who(admit(made.hall, tags_of(1, 2), tags_of(1, 2), began + 5.0, True, began + 60)) == (), "some may still come"
    assert who(admit(made.hall, tags_of(1, 2), tags_of(1, 2), began + 5.0, True, began + 120)) == tags_of(1, 2)
    assert who(admit(made.hall, tags_of(1, 2), (), began + 5.0, True, began + 120)) == ()


def test_the_rest_of_a_large_round_is_let_in_after_the_wait() -> None:
    """Whoever showed a token among many is hidden by them: the last of those need not be asked."""
    made = town()
    let_in(made, 1, 2, 3, 4, 5)
    now = made.now + WAIT_S
    assert who(admit(made.hall, tags_of(6), (), now - WAIT_S + 1.0, True, now)) == ()
    # Not even where a round for few began in between.
    made.apply(Decision((e.RoundOpened(at=now - 60, seconds=30, few=True),)))
    made.apply(Decision((e.ParticipantsAdmitted(at=now, authors=tags_of(9)),)))
    assert who(admit(made.hall, tags_of(6), (), now - float(WAIT_S), False, now)) == tags_of(6)
    made.apply(Decision((e.RoundOpened(at=now, seconds=30),)))
    assert who(admit(made.hall, tags_of(7), (), now - float(WAIT_S), True, now)) == (), "another round"


def test_who_lets_in_one_by_one_asks_nobody() -> None:
    made = town(round_s=0, round_people=5)
    now = START + WAIT_S
    assert who(admit(made.hall, tags_of(1), (), float(START), False, now)) == tags_of(1)
    assert who(admit(made.hall, tags_of(1, 2, 3, 4, 5), (), float(now), False, now)) == tags_of(1, 2, 3, 4, 5)
    assert not asks_few(made.hall, 40, WAIT_S)


def test_nobody_is_asked_while_it_would_not_help() -> None:
    made = town(minimum_participants=7)
    assert not asks_few(made.hall, 2, WAIT_S), "two are too few to post"
    let_in(made, 1, 2, 3, 4, 5)
    assert asks_few(made.hall, 2, WAIT_S) and not asks_few(made.hall, 1, WAIT_S) and not asks_few(made.hall, 2, WAIT_S - 1)
    made.must(HOST, c.CloseHall)
    assert not asks_few(made.hall, 2, WAIT_S)


def test_a_name_that_was_chosen_is_taken() -> None:
    made = Town()
    before = pseudonym_of(made.hall, employee(1))
    assert made.refused(employee(1), c.ChoosePseudonym, pseudonym=before).code == "pseudonym_kept"


def test_the_rest_of_one_voice_is_held_and_comes_back_as_it_was() -> None:
    made = Town()
    mine = [made.post(f"글 {n}") for n in range(3)]
    asked, other, taken = made.question(), made.post(by=2), made.question()
    made.must(HOST, c.PickMessage, message=taken)
    before = {id: made.hall.messages[id].shown for id in (*mine, asked)}
    made.must(HOST, c.HoldAuthor, message=mine[0])
    assert [made.hall.messages[id].state for id in (*mine, asked, other, taken)] == ["held"] * 4 + ["visible"] * 2
    later = made.post("또 씁니다")
    assert (made.hall.messages[later].state, made.hall.messages[later].held) == ("held", "moderator")
    assert made.refused(HOST_2, c.HoldAuthor, message=mine[1]).code == "already_done"
    made.must(HOST, c.RemoveMessage, message=mine[2], reason="spam")
    tag = made.hall.messages[mine[0]].author
    made.must(HOST, c.ReleaseAuthor, author=tag)
    states = [made.hall.messages[id].state for id in (*mine, asked, later)]
    assert states == ["visible", "visible", "removed", "visible", "held"]
    assert all(made.hall.messages[id].shown == shown for id, shown in before.items())
    assert made.hall.messages[made.post("다시")].state == "visible"
    assert made.refused(HOST, c.ReleaseAuthor, author=tag).code == "no_such_participant"
    assert made.refused(HOST, c.HoldAuthor, message=99_999).code == "no_such_message"
