"""Whoever does not see a message learns nothing of it: hidden, another's and none at all are answered with the same bytes."""

from typing import Any

import pytest

from protocol import commands as c
from protocol import wire
from server.answers import refused
from tests.town import D1, D2, HOST, SETUP, Town, employee

DIRECTORS: list[tuple[type[c.Command], dict[str, Any]]] = [
    (c.AcceptQuestion, {}),
    (c.ReturnQuestion, {"reason": "소관 아님"}),
    (c.StartAnswer, {}),
    (c.FinishQuestion, {}),
    (c.DeferQuestion, {"due": "2026-12-01"}),
    (c.DeferQuestion, {"due": "2020-01-01"}),
    (c.AnswerInWriting, {"text": "답"}),
    (c.AnswerInWriting, {"text": " "}),
]


def hidden_from_others(town: Town) -> dict[str, int]:
    """Messages of participant 1 in every state and fate; and seqs that are no message's."""
    found = {"open": town.hall.seq, "none": 99_999, "plain": town.post(by=1), "asked": town.question(by=1)}
    found["on_air"] = town.on_air("d2")
    for state in ("held", "removed", "erased", "routed_and_held", "routed_and_removed", "merged"):
        found[state] = town.question(state, by=1)
    for state in ("routed_and_held", "routed_and_removed"):
        town.must(HOST, c.RouteQuestion, message=found[state], director="d1")
    town.must(HOST, c.MergeQuestion, message=found["merged"], into=found["asked"])
    for state in ("held", "routed_and_held"):
        town.must(HOST, c.HoldMessage, message=found[state])
    for state in ("removed", "erased", "routed_and_removed"):
        town.must(HOST, c.RemoveMessage, message=found[state], reason="spam")
    town.must(HOST, c.EraseMessage, message=found["erased"])
    town.must(HOST, c.RouteQuestion, message=found["plain"], director="d2")
    town.must(HOST, c.DeferQuestion, message=found["plain"], due="2026-12-01")
    return found


def answer(town: Town, actor: Any, kind: type[c.Command], **fields: Any) -> bytes:
    return wire.dumps(refused(town.refused(actor, kind, **fields), "ko"))


def test_to_take_back_anothers_message_is_answered_as_for_none() -> None:
    town = Town(SETUP)
    answers = {name: answer(town, employee(2), c.WithdrawMessage, message=id) for name, id in hidden_from_others(town).items()}
    assert len(set(answers.values())) == 1, answers


@pytest.mark.parametrize(("kind", "fields"), DIRECTORS)
def test_a_director_is_answered_as_for_none_what_is_not_in_their_view(kind: type[c.Command], fields: dict[str, Any]) -> None:
    town = Town(SETUP)
    answers = {name: answer(town, D1, kind, message=id, **fields) for name, id in hidden_from_others(town).items()}
    assert len(set(answers.values())) == 1, answers
    assert b"not_yours" in answers["none"]


def test_ones_own_is_still_answered_as_it_is() -> None:
    town = Town(SETUP)
    ids = hidden_from_others(town)
    assert town.refused(employee(1), c.WithdrawMessage, message=ids["removed"]).code == "wrong_state"
    assert town.refused(D2, c.StartAnswer, message=ids["plain"]).code == "wrong_fate"
    town.must(D2, c.StartAnswer, message=ids["on_air"])
