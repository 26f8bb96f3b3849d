"""Simulated people whose pages keep to the rules (loadtests/browser_rules.py), seen by two operators who note whole seconds.

Rounds, who is taken in one and who is let in are decided by moderation.participation_rules; whoever waits is counted by
server.halls.awaiting. Everything else is the page's, and the network's. Nothing here has an address or a cookie.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from loadtests.browser_rules import Rules, Times, plan
from moderation.decision import Decision
from moderation.hall import Hall
from moderation.participation_rules import admit, asks_few, in_round, next_round
from protocol import commands as c
from protocol import entries as e
from protocol.credentials import WAITING_TOKENS
from protocol.setup import Admission, Issuer
from server.halls.awaiting import Awaiting
from tests.town import ORGANISER, SETUP, START, Town

ROUND_S = 120
PEOPLE_OF_A_ROUND = 5
OPENING = START
REFRESH_S = 540
BREAKS_S = 900
"""A participant's connection lasts so long, on average: telephones are put away."""
PAGE_S = 15
"""A connection that has loaded a page is closed by the server after so long (server/http/run.py)."""
LATE_S = 5
"""A token may arrive so long after its round (in_round)."""
Kind = Literal["page", "watch", "show", "participant"]


@dataclass(slots=True)
class Connection:
    """At the chat. `tag`: of the participant that it belongs to, where the chat knows one. `closed`: -1 while it stands."""

    kind: Kind
    opened: int
    closed: int = -1
    up: int = 0
    down: int = 0
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A redemption. `nonce`, `at`: seconds of its two requests; `first`: the token was not shown before."""

    nonce: int
    at: int
    tag: str
    first: bool


@dataclass(slots=True)
class Seen:
    """All that both have noted. `signings`: (second, person) at the issuer, refused ones too. `awaits`: (second, number of the
    connection, waiting token). `rounds`: (beginning, end, whether for few).
    """

    signings: list[tuple[int, str]] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    awaits: list[tuple[int, int, bytes]] = field(default_factory=list)
    rounds: list[tuple[int, int, bool]] = field(default_factory=list)


def town() -> Town:
    """In draft, with an issuer."""
    made = Town(SETUP, opened=False)
    created = made.log[0]
    assert isinstance(created, e.HallCreated)
    made.log.clear()
    made.hall = Hall.empty()
    admission = Admission(
        issuer=Issuer(url="https://admit.example.org", key="A" * 563),
        minimum_participants=30,
        round_s=ROUND_S,
        round_people=PEOPLE_OF_A_ROUND,
    )
    made.apply(Decision((msgspec.structs.replace(created, admission=admission),)))
    return made


class World:
    """`truth`: {person: tag}. `round_of`: {person: beginning of the round in which the token was shown}."""

    def __init__(self, rules: Rules, seed: int) -> None:
        self.rules, self.chance = rules, random.Random(seed)
        self.town, self.now = town(), OPENING - 90_000.0
        self.seen = Seen()
        self.truth: dict[str, str] = {}
        self.round_of: dict[str, int] = {}
        self.together: dict[str, tuple[int, bool]] = {}
        """{person: the round, and whether they showed after its connections were made anew a second time}"""
        self.browsers: list[Browser] = []
        self.awaiting = Awaiting(lambda: self.now)
        self.arrived: dict[str, bool] = {}
        self._since: float | None = None
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    @property
    def hall(self) -> Hall:
        return self.town.hall

    @property
    def round(self) -> tuple[int, float, float] | None:
        found = self.hall.round
        return None if found is None else (found.number, found.at, found.ends_at)

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Later, or at once."""
        self._number += 1
        heapq.heappush(self._due, (max(when, self.now), self._number, do))

    def run(self, until: float) -> None:
        """Let time pass; the server looks every second from the opening on."""
        self.at(OPENING, self._open)
        self.at(OPENING + 1.3, self._look)
        while self._due and self._due[0][0] <= until:
            self.now, _, do = heapq.heappop(self._due)
            do()
        self.now = until
        for connection in self.seen.connections:
            if connection.closed < 0:
                connection.closed = int(until)

    def _open(self) -> None:
        self.town.now = int(self.now)
        self.town.must(ORGANISER, c.OpenHall)
        self._begun()

    def _look(self) -> None:
        """As server/halls/rounds.py."""
        now = self.now
        full_minute = int(now) // 60 != int(now - 1) // 60
        waiting, willing = self.awaiting.waiting()
        since = now - willing.longest_s if willing.count else None
        if decision := next_round(self.hall, waiting.count, willing.count, since, full_minute, int(now)):
            few = any(isinstance(entry, e.RoundOpened) and entry.few for entry in decision.entries)
            self.awaiting.take((willing if few else waiting).ids)
            self.town.apply(decision)
            self.awaiting.clear(few=few)
            self._begun()
        left = self.arrived.keys() - self.hall.admitted
        self._since = None if not left else self._since or now
        willing_tags = [tag for tag in left if self.arrived[tag]]
        if left and (decision := admit(self.hall, left, willing_tags, self._since, full_minute, int(now))):
            self.town.apply(decision)
        self.at(now + 1, self._look)

    def _begun(self) -> None:
        found = self.hall.round
        assert found is not None
        self.seen.rounds.append((found.at, found.ends_at, found.few))
        for browser in self.browsers:
            browser.told()

    def open(self, kind: Kind, tag: str = "") -> Connection:
        """A connection comes about now."""
        self.seen.connections.append(Connection(kind, int(self.now), tag=tag))
        return self.seen.connections[-1]

    def wait(self, connection: int, token: bytes, *, few: bool) -> tuple[bool, bool]:
        """`round:await`; out: asked to come in with few, token spent."""
        self.seen.awaits.append((int(self.now), connection, token))
        if self.awaiting.is_taken(token):
            return False, True
        waited = self.awaiting.again(token, few=few)
        if waited is None:
            self.awaiting.add(token, few=few)
        count = self.awaiting.waiting()[0].count + len(self.arrived.keys() - self.hall.admitted)
        return asks_few(self.hall, count, waited or 0.0), False

    def _second(self) -> float:
        found = self.hall.round
        assert found is not None
        whole = found.ends_at - found.at >= ROUND_S
        return found.at + (found.ends_at - found.at) * self.rules.second_part if whole else math.inf

    def show(self, person: str, nonce: int, *, few: bool) -> str | None:
        """The tag, or None: not now."""
        first = person not in self.truth
        if first and not in_round(self.hall, self.now, few=few, late_s=LATE_S):
            return None
        tag = self.truth.setdefault(person, self.chance.randbytes(8).hex())
        self.seen.shown.append(Shown(nonce, int(self.now), tag, first))
        if first:
            assert self.hall.round is not None
            self.round_of[person] = self.hall.round.at
            turned = self.rules.fresh == "second" and self.now > self._second()
            self.together[person] = (self.hall.round.at, turned)
            self.arrived[tag] = few
        return tag


@dataclass(slots=True)
class Entry:
    """Goes from one browser to another on paper. `signed_at`: as the browser has it."""

    person: str
    signed_at: float
    tokens: list[bytes]
    shown: bool = False


class Browser:
    """One page of somebody, open or not."""

    def __init__(self, world: World, entry: Entry, chooses: bool = False) -> None:
        self.world, self.entry, self.chooses = world, entry, chooses
        chance = world.chance
        self.way_s = min(2.2, math.exp(chance.gauss(math.log(0.06), 0.9)))
        """Between the browser and the server and back."""
        self.connection: Connection | None = None
        self.number = -1
        self.here = 0.0
        self.opened_at = self.here_before = 0.0
        self.chosen = self.planned = 0
        self.willing = False
        self.visit_number = 0
        self.returned_until = 0.0
        self.since = False
        self.waits = 0
        self.participates = False
        world.browsers.append(self)

    # --- what somebody does ---
    def visit(self, *, from_issuer: bool = False) -> None:
        """The page is loaded, and opens its connection."""
        world = self.world
        self.leave()
        self.visit_number += 1
        page = world.open("page")
        page.closed, page.up, page.down = page.opened + PAGE_S, 2_000, 60_000
        self.planned = 0
        self.since = False
        if from_issuer and self.entry.shown:
            self.returned_until = world.now + world.chance.uniform(*world.rules.return_s)
        self._then(world.chance.uniform(0.1, 0.5) + 2 * self.way_s, self._come)

    def leave(self) -> None:
        """The page is closed; nothing that it had planned takes place."""
        self.visit_number += 1
        self._close()

    def blip(self, for_s: float) -> None:
        """The network is gone for a while."""
        if self.connection is not None:
            self._close()
            self._then(for_s + self.world.chance.uniform(0.25, 0.8), self._come)

    def told(self) -> None:
        """A round has begun: whoever is connected hears it a little later."""
        if self.connection is not None:
            self._then(self.world.chance.uniform(0, 0.3) + self.way_s / 2, self._step)

    # --- what the page does ---
    def _then(self, after_s: float, do: Callable[[], None]) -> None:
        visit = self.visit_number

        def due() -> None:
            if self.visit_number == visit:
                do()

        self.world.at(self.world.now + after_s, due)

    def _come(self) -> None:
        """Connect, as whoever one is."""
        if self.connection is not None:
            return
        if not self.entry.shown or self.returned_until > self.world.now:
            self._watch()
            if self.entry.shown:
                self._then(self.returned_until - self.world.now, self._show)
        elif self.participates:
            self._take_part()
        else:
            self._show()

    def _watch(self) -> None:
        world = self.world
        self.here_before, self.opened_at = self.here, world.now
        self._open("watch", "")
        if not self.entry.shown:
            self._step()
            number = self.number
            self._then(world.chance.uniform(*world.rules.await_s), lambda: self._wait(number))

    def _wait(self, number: int) -> None:
        """Say that one waits, again and again while this connection stands."""
        if self.number != number or self.connection is None or self.entry.shown:
            return
        if self.world.hall.phase == "open" and not self.planned and self.entry.tokens and self._settled():
            self.waits += 1
            asked, spent = self.world.wait(number, self.entry.tokens[0], few=self.willing)
            if spent:
                self.entry.tokens.pop(0)
                self._then(1.0, lambda: self._wait(number))
                return
            self.willing = self.willing or (asked and self.chooses)
        self._then(self.world.rules.again_s, lambda: self._wait(number))

    def _settled(self) -> bool:
        """A round that begins now would be one of mine."""
        return self.world.now >= self.entry.signed_at + self.world.rules.counted_s

    def _step(self) -> None:
        world, hall = self.world, self.world.hall
        if self.connection is None or self.entry.shown or hall.phase != "open":
            return
        found = hall.round
        times = Times(
            world.now,
            self.entry.signed_at,
            world.round,
            ROUND_S,
            found is not None and found.few,
            self.willing,
            self.opened_at,
            self.here_before,
            self.chosen,
        )
        decided = plan(times, world.chance.random, world.rules)
        if decided.show_s is None or found is None or self.planned == found.number:
            return
        self.planned = self.chosen = found.number
        if decided.rotate_s is not None:
            self._close()
            self._then(decided.rotate_s + self.way_s, self._watch)
        if decided.again_s is not None:
            self._then(decided.again_s, self._turn)
        self._then(decided.show_s, self._show)

    def _turn(self) -> None:
        """Make the connection anew in the middle of the round, as all do who have not shown their token yet."""
        self._close()
        self._then(self.world.chance.random() * self.world.rules.rotate_s + self.way_s, self._watch)

    def _show(self) -> None:
        """On a connection of its own; then the participant's is opened."""
        world = self.world
        own = world.open("show")
        nonce = int(world.now + self.way_s)

        def shown() -> None:
            own.closed, own.up, own.down = int(world.now) + PAGE_S, 2_300, 900
            tag = world.show(self.entry.person, nonce, few=self.willing)
            if tag is None:
                self.planned = 0
                return
            own.tag = tag
            self.entry.shown = self.participates = True
            self._take_part()
            self._then(REFRESH_S, self._refresh)

        self._then(2 * self.way_s, shown)

    def _refresh(self) -> None:
        world = self.world
        own = world.open("show", self.world.truth[self.entry.person])
        own.closed, own.up, own.down = own.opened + PAGE_S, 2_300, 900
        world.show(self.entry.person, int(world.now), few=self.willing)
        self._then(REFRESH_S, self._refresh)

    def _take_part(self) -> None:
        before, overlap = self.connection, self.world.rules.overlap_s
        if before is not None and before.kind == "watch" and self.returned_until and overlap[1]:
            number = self.number
            self._then(self.world.chance.uniform(*overlap), lambda: self._end(before, number))
            self.connection = None
        else:
            self._close()
        self._open("participant", self.world.truth[self.entry.person])
        self._then(self.world.chance.expovariate(1 / BREAKS_S), lambda: self.blip(self.world.chance.uniform(0.2, 120)))

    def _open(self, kind: Kind, tag: str) -> None:
        self.connection = self.world.open(kind, tag)
        self.number = len(self.world.seen.connections) - 1
        self.connection.down = 0 if self.since else 4_000 + int(30 * max(0.0, self.world.now - OPENING))
        self.since, self.waits = True, 0

    def _close(self) -> None:
        if self.connection is not None:
            self._end(self.connection, self.number)
            self.connection = None

    def _end(self, connection: Connection, number: int) -> None:
        """The server hears of it half a way later."""
        connection.closed = int(self.world.now + self.way_s / 2)
        lasted = connection.closed - connection.opened
        connection.up = 350 + lasted // 25 * 6 + self.waits * 900
        connection.down += int(lasted * 90 * self.world.chance.uniform(0.97, 1.03))
        self.here = self.world.now


# --- ways of coming ---
def sign(world: World, person: str, at: float, *, chooses: bool = False) -> Browser:
    """A browser whose owner is signed at `at`: the page of the chat is loaded before and within a second after."""
    entry = Entry(person, at, [world.chance.randbytes(32) for _ in range(WAITING_TOKENS)])
    browser = Browser(world, entry, chooses)

    def signed() -> None:
        world.seen.signings.append((int(world.now), person))
        world.at(world.now + world.chance.uniform(0.2, 0.9), lambda: browser.visit(from_issuer=True))

    browser.here = at - 8
    for before in (40, 8):
        world.at(at - world.chance.uniform(before / 2, before), lambda: _page(world))
    world.at(at, signed)
    return browser


def _page(world: World) -> None:
    page = world.open("page")
    page.closed, page.up, page.down = page.opened + PAGE_S, 2_000, 60_000
