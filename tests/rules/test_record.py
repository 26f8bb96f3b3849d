"""The record, and the log as sentences."""

import json

import pytest

from moderation.evolve import Corrupt, evolve
from moderation.hall import Hall
from moderation.record import differences, question_row, questions, records
from moderation.sentences import told
from protocol import commands as c
from protocol import wire
from protocol.entries import ENTRIES, Entry, MessageHeld, MessagePosted
from tests.histories import play
from tests.protocol.test_wire import sample
from tests.town import HOST, START, Town


def test_the_record_holds_what_may_be_published_and_nothing_else() -> None:
    town = Town()
    play(town, 400, 5)
    removed = town.post("지워질 글입니다만")
    town.must(HOST, c.RemoveMessage, message=removed, reason="abuse")
    town.do(HOST, c.CloseHall)
    text = b"\n".join(wire.dumps(record) for record in records(town.hall)).decode()
    assert "지워질 글입니다만" not in text
    for author in town.hall.authors:
        assert author not in text
    found = [json.loads(line) for line in text.splitlines()]
    kinds = [one["record"] for one in found]
    assert kinds[0] == "town_hall"
    assert kinds[-1] == "sums"
    sums = found[-1]
    assert sums["visible"] == kinds.count("message")
    assert sums["received"] == sums["visible"] + sums["held"] + sum(sums["removed"].values())
    assert sum(sums["questions"].values()) == sum("question" in one for one in found)
    assert all(one["at"] % 60 == 0 for one in found if one["record"] == "message")


def test_pseudonyms_are_left_out_when_they_are_not_kept() -> None:
    import msgspec

    from tests.town import SETUP

    town = Town(msgspec.structs.replace(SETUP, keep_pseudonyms=False))
    town.post()
    assert all("pseudonym" not in record for record in records(town.hall))


def test_a_row_says_names_in_words() -> None:
    town = Town()
    id = town.on_air("d2")
    row = question_row(town.hall, questions(town.hall)[0], "en")
    assert (row["id"], row["director"], row["department"], row["fate"]) == (id, "편수호", "Transport", "on_air")
    assert row["at"] == START - START % 60


def test_differences_are_found() -> None:
    town = Town()
    town.question()
    town.hall.fates["asked"] = 7
    assert len(differences(town.hall)) == 1


def test_the_log_as_sentences_prints_no_held_or_removed_text() -> None:
    for seed in range(6):
        town = Town()
        play(town, 300, seed)
        hall = Hall.empty()
        for seq, entry in enumerate(town.log, 1):
            evolve(hall, seq, entry)
            line = told(hall, seq, entry, "ko")
            message = hall.messages.get(seq)
            if message is not None and message.state != "visible":
                assert str(message.text) not in line


@pytest.mark.parametrize("kind", ENTRIES.values(), ids=lambda kind: kind.__name__)
def test_every_entry_has_a_sentence_in_both_languages(kind: type[Entry]) -> None:
    town = Town()
    town.post()
    lines = [told(town.hall, town.hall.seq, sample(kind), "ko"), told(town.hall, town.hall.seq, sample(kind), "en")]
    assert lines[0] != lines[1] or kind is MessagePosted
    assert not any("{" in line for line in lines)


def test_a_long_text_is_shortened() -> None:
    town = Town()
    town.post("가" * 100)
    assert told(town.hall, town.hall.seq, town.log[-1], "ko").endswith("…")


def test_an_entry_that_makes_no_sense_is_corruption() -> None:
    town = Town()
    with pytest.raises(Corrupt, match="no message 99"):
        evolve(town.hall, town.hall.seq + 1, MessageHeld(at=1, message=99))
    with pytest.raises(Corrupt, match="after"):
        evolve(Hall.empty(), 5, MessageHeld(at=1, message=99))
