"""Random commands from random roles never break what has to hold."""

import copy
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from moderation.context import Actor
from moderation.decide import decide
from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.record import differences, questions
from protocol import commands as c
from protocol.commands import COMMANDS
from protocol.refusals import Refusal
from tests.rules.test_tables import FIELDS
from tests.town import D1, D2, HOST, HOST_2, ORGANISER, SETUP, Town, employee

ACTORS = st.sampled_from([HOST, HOST_2, D1, D2, ORGANISER, Actor("overlay", "overlay"), *map(employee, range(1, 5))])
KINDS = st.sampled_from(sorted(COMMANDS))


class Meeting(RuleBasedStateMachine):
    """At most one question on air; every question exactly one fate; the counts reconcile; decide never changes anything."""

    @initialize()
    def begin(self) -> None:
        self.town = Town()

    def id(self, place: int) -> int:
        ids = list(self.town.hall.messages)
        return ids[place % len(ids)] if ids else 1

    def send(self, actor: Actor, kind: type[c.Command], **fields: Any) -> None:
        before = copy.deepcopy(self.town.hall)
        command = kind(client_id="client-00", **fields)
        decision = decide(self.town.hall, actor, command, self.town.context(fields.get("text", "")))
        assert self.town.hall == before, "decide changed the state"
        if not isinstance(decision, Refusal):
            self.town.apply(decision)

    @rule(author=st.integers(1, 4), text=st.text(min_size=0, max_size=20), asked=st.booleans(), wait=st.integers(0, 3))
    def post(self, author: int, text: str, asked: bool, wait: int) -> None:
        self.town.now += wait
        self.send(employee(author), c.PostMessage, text=text, asked=asked)

    @rule(
        actor=ACTORS, name=KINDS, place=st.integers(0, 30), other=st.integers(0, 30), director=st.sampled_from(["d1", "d2", None])
    )
    def anything(self, actor: Actor, name: str, place: int, other: int, director: str | None) -> None:
        if name == "message:post" or (name == "hall:close" and place % 4):
            return
        kind = COMMANDS[name]
        fields = dict(FIELDS.get(name, {}))
        if "message" in kind.__struct_fields__:
            fields["message"] = self.id(place)
        if name == "question:merge":
            fields["into"] = self.id(other)
        if name == "question:route":
            fields["director"] = director
        if name == "hall:configure":
            fields["setup"] = SETUP
        self.send(actor, kind, **fields)

    @invariant()
    def holds(self) -> None:
        hall = self.town.hall
        assert differences(hall) == []
        assert hall.kept == sum(message.state != "removed" for message in hall.messages.values())
        assert [m.id for m in questions(hall) if m.fate == "on_air"] == ([hall.on_air] if hall.on_air else [])
        assert len(set(hall.queue)) == len(hall.queue)
        assert all(hall.messages[id].fate == "queued" and hall.messages[id].state == "visible" for id in hall.queue)
        for message in hall.messages.values():
            if message.into is not None:
                target = hall.messages[message.into]
                assert message.fate == "merged"
                assert message.id in target.merged
                assert target.is_question
                assert target.fate != "merged"
        if hall.phase == "closed":
            assert not hall.queue
            assert hall.on_air is None

    def teardown(self) -> None:
        again = Hall.empty()
        for seq, entry in enumerate(self.town.log, 1):
            evolve(again, seq, entry)
        assert again == self.town.hall


Meeting.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestMeeting = Meeting.TestCase
