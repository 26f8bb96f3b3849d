"""The desk: preview, overlay, undo."""

from protocol import commands as c
from protocol.limits import limit
from tests.town import HOST, HOST_2, Town


def test_preview_then_take() -> None:
    town = Town()
    id = town.question()
    assert town.refused(HOST, c.PreviewQuestion, message=id).code == "wrong_fate"
    town.must(HOST, c.PickMessage, message=id)
    town.must(HOST, c.PreviewQuestion, message=id)
    assert town.hall.preview == id
    town.must(HOST, c.PreviewQuestion, message=None)
    assert town.hall.preview is None
    town.must(HOST, c.PreviewQuestion, message=id)
    town.must(HOST, c.AirQuestion, message=id)
    assert (town.hall.preview, town.hall.on_air) == (None, id)


def test_clearing_stays_until_it_is_shown_again_or_the_next_goes_on_air() -> None:
    town = Town()
    id = town.on_air()
    town.must(HOST, c.ClearOverlay)
    assert town.hall.overlay_cleared
    town.must(HOST, c.ShowOverlay)
    assert not town.hall.overlay_cleared
    town.must(HOST, c.ClearOverlay)
    town.must(HOST, c.FinishQuestion, message=id)
    assert town.hall.overlay_cleared
    town.on_air()
    assert not town.hall.overlay_cleared


def test_the_ticker_is_a_switch() -> None:
    town = Town()
    town.must(HOST, c.SetTicker, on=True)
    assert town.hall.ticker


def test_clearing_switches_the_ticker_off_too() -> None:
    town = Town()
    town.must(HOST, c.SetTicker, on=True)
    town.must(HOST, c.ClearOverlay)
    assert (town.hall.overlay_cleared, town.hall.ticker) == (True, False)
    town.must(HOST, c.ShowOverlay)
    assert not town.hall.ticker


def test_undo_is_for_ones_own_last_act() -> None:
    town = Town()
    id = town.question()
    assert town.refused(HOST, c.UndoAct).code == "undo_nothing"
    town.must(HOST, c.PickMessage, message=id)
    assert town.refused(HOST_2, c.UndoAct).code == "undo_nothing"
    town.must(HOST, c.UndoAct)
    assert (town.fate(id), town.hall.queue) == ("asked", [])
    assert town.refused(HOST, c.UndoAct).code == "undo_nothing"


def test_undo_is_too_late_after_a_while_or_when_somebody_else_has_acted() -> None:
    town = Town()
    id = town.question()
    town.must(HOST, c.PickMessage, message=id)
    town.now += limit("undo_s") + 1
    assert town.refused(HOST, c.UndoAct).code == "undo_too_late"
    other = town.question()
    town.must(HOST, c.PickMessage, message=other)
    town.must(HOST_2, c.RouteQuestion, message=other, director="d1")
    assert town.refused(HOST, c.UndoAct).code == "undo_too_late"


def test_undo_cannot_take_a_place_that_is_taken() -> None:
    town = Town()
    first = town.on_air()
    town.must(HOST, c.FinishQuestion, message=first)
    second = town.question()
    town.must(HOST_2, c.PickMessage, message=second)
    town.must(HOST_2, c.AirQuestion, message=second)
    assert town.refused(HOST, c.UndoAct).code == "undo_too_late"


def test_undoing_answered_puts_it_back_on_air() -> None:
    town = Town()
    id = town.on_air()
    town.must(HOST, c.FinishQuestion, message=id)
    town.must(HOST, c.UndoAct)
    assert (town.hall.on_air, town.fate(id)) == (id, "on_air")


def test_undoing_a_removal_brings_it_back_where_it_was() -> None:
    town = Town()
    ids = [town.question() for _ in range(3)]
    for id in ids:
        town.must(HOST, c.PickMessage, message=id)
    town.must(HOST, c.RemoveMessage, message=ids[1], reason="spam")
    assert town.hall.queue == [ids[0], ids[2]]
    town.must(HOST, c.UndoAct)
    assert town.hall.queue == ids
    assert town.hall.counts().removed == {}


def test_an_act_that_cannot_be_undone_forgets_the_one_before() -> None:
    town = Town()
    a, b = town.question(), town.question()
    town.must(HOST, c.PickMessage, message=a)
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    assert town.refused(HOST, c.UndoAct).code == "undo_nothing"


def test_undo_of_a_hold_waits_for_the_question_it_was_merged_into() -> None:
    town = Town()
    a, b = town.question(), town.question()
    town.must(HOST, c.MergeQuestion, message=b, into=a)
    town.must(HOST, c.HoldMessage, message=b)
    town.must(HOST_2, c.HoldMessage, message=a)
    assert town.refused(HOST, c.UndoAct).code == "undo_too_late"
