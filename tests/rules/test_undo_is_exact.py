"""An act and its undoing leave every view as it was, but for who acted."""

import copy

import pytest

from moderation.evolve import UNDOABLE
from protocol import commands as c
from tests.histories import play
from tests.town import HOST, HOST_2, Town


@pytest.mark.parametrize("seed", range(40))
def test_undo_restores_all_but_who_acted(seed: int) -> None:
    town = Town()
    play(town, 60 + seed, seed)
    for _ in range(6):
        before = copy.deepcopy(town.hall)
        play(town, 1, seed * 1000 + town.hall.seq + 7)
        entries = town.log[before.seq :]
        if len(entries) != 1 or not isinstance(entries[0], UNDOABLE):
            continue
        actor = HOST if entries[0].by == "host:host-1" else HOST_2 if entries[0].by == "host:host-2" else None
        if actor is None or not isinstance(town.do(actor, c.UndoAct), int):
            continue
        for id, old in before.messages.items():
            new = town.hall.messages[id]
            for name in (
                "state",
                "held",
                "removed",
                "fate",
                "director",
                "accepted",
                "into",
                "due",
                "note",
                "declined",
                "support",
            ):
                assert getattr(new, name) == getattr(old, name), (id, name, entries[0])
            assert sorted(new.merged) == sorted(old.merged)
        assert (town.hall.queue, town.hall.on_air) == (before.queue, before.on_air), entries[0]
        assert town.hall.counts() == before.counts()
