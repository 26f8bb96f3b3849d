"""A town hall without a store: commands are decided, and what they become is applied at once. For tests of the rules."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from moderation.context import Actor, Context
from moderation.decide import Decision, decide
from moderation.evolve import evolve
from moderation.filters import findings
from moderation.hall import Hall
from moderation.hall_rules import create
from moderation.text import clean
from protocol import commands as c
from protocol.bus import pack, unpack
from protocol.entries import Entry
from protocol.refusals import Refusal
from protocol.setup import Department, Director, Host, Setup

START = 1_795_000_000
SETUP = Setup(
    title="한빛도 직원 만남의 날",
    mode="open",
    departments=(
        Department(id="planning", name_ko="기획조정실", name_en="Planning", duties=("예산", "조직")),
        Department(id="transport", name_ko="건설교통국", name_en="Transport", duties=("버스", "도로")),
    ),
    directors=(
        Director(id="d1", department="planning", name="한도윤", name_en="Han Doyun", title="실장"),
        Director(id="d2", department="transport", name="편수호", name_en="Pyeon Suho", title="국장"),
    ),
    hosts=(Host(id="host-1", name="도지사"), Host(id="host-2", name="진행팀")),
)
HOST = Actor("host", "host-1")
HOST_2 = Actor("host", "host-2")
D1 = Actor("director", "d1")
D2 = Actor("director", "d2")
ORGANISER = Actor("organiser")


def employee(number: int) -> Actor:
    """A participant, by a tag that stands out in any bytes."""
    return Actor("audience", author=f"{number:016x}".replace("0", "e"), seed=number * 7_919)


class Town:
    """`log`: every entry so far, as it would be stored and read back."""

    def __init__(self, setup: Setup = SETUP, *, opened: bool = True) -> None:
        self.hall = Hall.empty()
        self.log: list[Entry] = []
        self.now = START
        self._ids = count()
        made = create("TESTED", ORGANISER, setup, self.context())
        assert isinstance(made, Decision), made
        self.apply(made)
        if opened:
            self.must(ORGANISER, c.OpenHall)

    def context(self, text: str = "", support: Mapping[int, int] | None = None, tally: Sequence[int] | None = None) -> Context:
        """`findings` as the node makes them."""
        return Context(now=self.now, today="2026-11-24", findings=findings(clean(text)), support=support or {}, tally=tally)

    def apply(self, decision: Decision) -> int:
        """Append and evolve; the first seq."""
        first = len(self.log) + 1
        for entry in decision.entries:
            stored = unpack(*pack(entry))
            assert stored == entry
            self.log.append(stored)
            evolve(self.hall, len(self.log), stored)
        return first

    def do(
        self,
        actor: Actor,
        kind: type[c.Command],
        /,
        support: Mapping[int, int] | None = None,
        tally: Sequence[int] | None = None,
        **fields: Any,
    ) -> int | Refusal:
        """The first seq, or the refusal; nothing is applied then."""
        command = kind(client_id=f"client-{next(self._ids)}", **fields)
        decision = decide(self.hall, actor, command, self.context(fields.get("text", ""), support, tally))
        return decision if isinstance(decision, Refusal) else self.apply(decision)

    def must(self, actor: Actor, kind: type[c.Command], /, **fields: Any) -> int:
        """The first seq of what has to work."""
        done = self.do(actor, kind, **fields)
        assert isinstance(done, int), done
        return done

    def refused(self, actor: Actor, kind: type[c.Command], /, **fields: Any) -> Refusal:
        """The refusal of what must not work; the state is unchanged."""
        before = self.hall.seq
        done = self.do(actor, kind, **fields)
        assert isinstance(done, Refusal), done
        assert self.hall.seq == before
        return done

    def post(self, text: str = "안녕하세요", *, by: int = 1, asked: bool = False) -> int:
        """Id of a message."""
        return self.must(employee(by), c.PostMessage, text=text, asked=asked)

    def question(self, text: str = "예산은 언제 나오나요?", *, by: int = 1) -> int:
        """Id of an asked question."""
        return self.post(text, by=by, asked=True)

    def on_air(self, director: str = "d1") -> int:
        """Id of a question on air, routed."""
        id = self.question()
        self.must(HOST, c.RouteQuestion, message=id, director=director)
        self.must(HOST, c.AirQuestion, message=id)
        return id

    def fate(self, id: int) -> str | None:
        """Of a question; None: plain."""
        return self.hall.messages[id].fate
