"""Who is who, from the seconds and sizes of connections and signings alone (clocks.py). Each attack guesses {person: tag}."""

import bisect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.anonymity.clocks import BREAKS_S, PAGE_S, REFRESH_S, Connection, Seen, Shown

Guess = dict[str, str]
Rank = float | tuple[float, float]
AFTER_S = 3
"""The page opens its connection within so many seconds of the signing, and again after a break that nobody feels."""
TURN_S = 9
"""A connection that was opened within so long after the beginning of a round may be one that was made anew."""


@dataclass(slots=True)
class Coming:
    """Somebody before a round. `first`: the connection beside the signing; `last`: the one that it led to."""

    person: str
    signed: int
    first: int
    last: int
    parts: int = 1


@dataclass(slots=True)
class Part:
    """One round, taken to pieces. `there`: whose connection closed as it began; `away`: whose had gone before, or was not found.

    `turned`: tokens shown beside a connection that was opened as it began; `came`: beside one opened at another time. With the
    number of that connection, or -1.
    """

    begin: int
    end: int
    few: bool
    there: list[Coming] = field(default_factory=list)
    away: list[Coming] = field(default_factory=list)
    turned: list[tuple[Shown, int]] = field(default_factory=list)
    came: list[tuple[Shown, int]] = field(default_factory=list)


class Study:
    """What any attack begins with."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.watching = [n for n, one in enumerate(seen.connections) if one.kind == "watch"]
        self.participants = [one for one in seen.connections if one.kind == "participant"]
        self.closing: dict[int, list[int]] = {}
        self.opening: dict[int, list[int]] = {}
        for number in self.watching:
            self.closing.setdefault(self[number].closed, []).append(number)
            self.opening.setdefault(self[number].opened, []).append(number)
        self.coming = self._chains()
        self.parts = self._parts()

    def __getitem__(self, number: int) -> Connection:
        return self.seen.connections[number]

    def _chains(self) -> list[Coming]:
        """The connection that opened right after each signing, and what followed it without a break. Latest signing first."""
        free, chains = set(self.watching), list[Coming]()
        for signed, person in sorted(self.seen.signings):
            near = self.opened(signed, free)
            if near:
                free.discard(near[0])
                chains.append(Coming(person, signed, near[0], near[0]))
        begins = [begin for begin, _, _ in self.seen.rounds]
        changed = True
        while changed:
            changed = False
            for one in sorted(chains, key=lambda one: self[one.last].closed):
                closed = self[one.last].closed
                if any(begin <= closed <= begin + AFTER_S for begin in begins):
                    continue
                near = self.opened(closed, free)
                if near:
                    free.discard(near[0])
                    one.last, one.parts, changed = near[0], one.parts + 1, True
        return sorted(chains, key=lambda one: -one.signed)

    def opened(self, after: int, among: set[int] | None = None) -> list[int]:
        """Watching connections that were opened within a moment of a second, in order."""
        found = (n for at in range(after, after + AFTER_S + 1) for n in self.opening.get(at, ()))
        return [n for n in found if among is None or n in among]

    def _parts(self) -> list[Part]:
        beside = self.beside([one for one in self.seen.shown if one.first])
        done: set[str] = set()
        found = []
        for (begin, end, few), (after, _, _) in pairwise([*self.seen.rounds, (10**12, 10**12, False)]):
            part = Part(begin, end, few)
            shown = [one for one in self.seen.shown if one.first and begin <= one.at < after]
            for one in shown:
                number = beside.get(one.tag, -1)
                turned = number >= 0 and begin <= self[number].opened <= begin + TURN_S
                (part.turned if turned else part.came).append((one, number))
            before = [one for one in self.coming if one.signed <= begin and one.person not in done]
            for coming in before:
                if begin <= self[coming.last].closed <= begin + AFTER_S and self[coming.last].opened <= begin:
                    part.there.append(coming)
                    done.add(coming.person)
            gone = {one.person: one for one in before if self[one.last].closed < begin and one.person not in done}
            part.away = list(gone.values())
            if not part.there:  # a page that is not made anew: all who are there
                part.there, part.away = list({one.person: one for one in before}.values()), []
            found.append(part)
        return found

    def beside(self, shown: Iterable[Shown]) -> dict[str, int]:
        """{tag: the watching connection that closed as its token was shown}"""
        used: set[int] = set()
        found = {}
        for one in sorted(shown, key=lambda one: one.at):
            near = [n for at in range(one.at - 1, one.at + AFTER_S + 1) for n in self.closing.get(at, ()) if n not in used]
            if near:
                best = min(near, key=lambda n: (abs(self[n].closed - one.at), self[n].opened))
                used.add(best)
                found[one.tag] = best
        return found


def ranked(
    study: Study,
    person: Callable[[Part, Coming], Rank],
    token: Callable[[Part, Shown, int], Rank],
) -> Guess:
    """Within each round, and within those who were there and those who were not: the one order against the other."""
    guess: Guess = {}
    for part in study.parts:
        for comings, shows in ((part.there, part.turned), (part.away, part.came), (part.there + part.away, part.came)):
            people = sorted((one for one in comings if one.person not in guess), key=lambda one: _pair(person(part, one)))
            taken = set(guess.values())
            tags = sorted((one for one in shows if one[0].tag not in taken), key=lambda one: _pair(token(part, *one)))
            guess |= {one.person: other.tag for one, (other, _) in zip(people, tags, strict=False)}
    return guess


def _pair(rank: Rank) -> tuple[float, float]:
    return rank if isinstance(rank, tuple) else (rank, 0.0)


def opened_and_closed(study: Study) -> Guess:
    """The connection that opened next after the signing, and the token that was shown next to its closing."""
    beside = {number: tag for tag, number in study.beside(one for one in study.seen.shown if one.first).items()}
    return {one.person: beside[one.first] for one in study.coming if one.first in beside}


def unbroken(study: Study) -> Guess:
    """The same, along connections that follow each other without a break."""
    beside = {number: tag for tag, number in study.beside(one for one in study.seen.shown if one.first).items()}
    return {one.person: beside[one.last] for one in study.coming if one.last in beside}


def signed_and_shown(study: Study) -> Guess:
    """Signed first, shown first."""
    return ranked(study, lambda _, one: one.signed, lambda _, one, __: one.at)


def signed_last_shown_first(study: Study) -> Guess:
    """Signed last, shown first."""
    return ranked(study, lambda _, one: -one.signed, lambda _, one, __: one.at)


def closed_and_opened(study: Study) -> Guess:
    """Whose connection closed first as the round began is the first to open another."""
    return ranked(study, lambda _, one: study[one.last].closed, lambda _, one, n: study[n].opened if n >= 0 else one.at)


def opened_and_opened(study: Study) -> Guess:
    """In the order of opening, before and after."""
    return ranked(study, lambda _, one: study[one.last].opened, lambda _, one, n: study[n].opened if n >= 0 else one.at)


def by_gap(study: Study) -> Guess:
    """The connection that was opened soonest after another had closed continues it; shortest gaps first."""
    guess: Guess = {}
    for part in study.parts:
        pairs = sorted(
            (study[n].opened - study[one.last].closed, one.person, shown.tag)
            for one in part.there + part.away
            for shown, n in part.turned + part.came
            if n >= 0 and study[n].opened >= study[one.last].closed
        )
        used = set(guess.values())
        for _, person, tag in pairs:
            if person not in guess and tag not in used:
                guess[person] = tag
                used.add(tag)
    return guess


def lifetimes(study: Study) -> Guess:
    """Whose connection stood longest is whose next one stood longest."""

    def lasted(number: int) -> float:
        return study[number].closed - study[number].opened if number >= 0 else 0

    return ranked(study, lambda _, one: lasted(one.last), lambda _, __, n: lasted(n))


def bytes_down(study: Study) -> Guess:
    """What was sent for each second."""

    def rate(number: int) -> float:
        one = study[number]
        return one.down / (one.closed - one.opened + 1) if number >= 0 else 0

    return ranked(study, lambda _, one: rate(one.last), lambda _, __, n: rate(n))


def bytes_up(study: Study) -> Guess:
    """What came for each second."""

    def rate(number: int) -> float:
        one = study[number]
        return one.up / (one.closed - one.opened + 1) if number >= 0 else 0

    return ranked(study, lambda _, one: rate(one.last), lambda _, __, n: rate(n))


def slow_ways(study: Study) -> Guess:
    """Whose connection closed late as the round began took long to show the token."""
    return ranked(
        study,
        lambda part, one: (study[one.last].closed - part.begin, one.signed),
        lambda _, one, n: (one.at - one.nonce, study[n].closed - one.at if n >= 0 else 0),
    )


def unsteady(study: Study) -> Guess:
    """Whose connection broke often before is whose breaks often afterwards."""
    breaks: dict[str, int] = {}
    for one in study.participants:
        breaks[one.tag] = breaks.get(one.tag, 0) + 1
    return ranked(study, lambda _, one: -one.parts, lambda _, one, __: -breaks.get(one.tag, 0))


def said_again(study: Study) -> Guess:
    """The second within a quarter of a minute at which somebody says that they wait, and that at which they come back."""
    last = {number: at for at, number, _ in study.seen.awaits}
    return ranked(
        study, lambda _, one: last.get(one.last, one.signed) % 15, lambda _, one, n: (study[n].opened if n >= 0 else one.at) % 15
    )


def one_waiting_token(study: Study) -> Guess:
    """A waiting token that is said on two connections makes one of them; the first is known by the signing."""
    on: dict[bytes, set[int]] = {}
    for _, number, token in study.seen.awaits:
        on.setdefault(token, set()).add(number)
    beside = {number: tag for tag, number in study.beside(one for one in study.seen.shown if one.first).items()}
    guess = {}
    for one in study.coming:
        group = {one.first, one.last}
        for numbers in on.values():
            if group & numbers:
                group |= numbers
        tags = {beside[number] for number in group if number in beside}
        if len(tags) == 1:
            guess[one.person] = tags.pop()
    return guess


def refreshed(study: Study) -> Guess:
    """A ticket is fetched again at the phase of the signing, or of the connection that followed it."""
    again: dict[str, int] = {}
    for one in study.seen.shown:
        if not one.first:
            again.setdefault(one.tag, one.at)
    return ranked(study, lambda _, one: one.signed % REFRESH_S, lambda _, one, __: again.get(one.tag, one.at) % REFRESH_S)


def page_loads(study: Study) -> Guess:
    """The page that was loaded next after the signing, and the participant who came next to a page's loading."""
    pages = sorted({one.opened for one in study.seen.connections if one.kind == "page"})
    first: dict[str, int] = {}
    for one in study.participants:
        first.setdefault(one.tag, one.opened)

    def since(at: int) -> float:
        place = bisect.bisect_right(pages, at)
        return at - pages[place - 1] if place else math.inf

    return ranked(
        study, lambda part, one: since(part.begin) + one.signed % PAGE_S, lambda _, one, __: since(first.get(one.tag, one.at))
    )


def one_connection(study: Study) -> Guess:
    """A token that is shown on the connection that has loaded the page beside a signing."""
    pages = [one for one in study.seen.connections if one.kind == "page" and one.tag]
    return {
        person: one.tag for signed, person in study.seen.signings for one in pages if signed <= one.opened <= signed + AFTER_S
    }


def came_alone(study: Study) -> Guess:
    """Whose connection had gone before the round is who comes in its middle; the longest gone first."""
    guess: Guess = {}
    for part in study.parts:
        taken = set(guess.values())
        away = sorted((one for one in part.away if one.person not in guess), key=lambda one: -study[one.last].closed)
        came = sorted((one for one in part.came if one[0].tag not in taken), key=lambda one: one[0].at)
        guess |= {one.person: shown.tag for one, (shown, _) in zip(away, came, strict=False)}
    return guess


def back_from_the_issuer(study: Study) -> Guess:
    """The connection beside the signing closes as a participant's, known for long, opens."""
    guess = {}
    known: dict[str, int] = {}
    for one in study.seen.shown:
        known.setdefault(one.tag, one.at)
    by_second: dict[int, list[Connection]] = {}
    for connection in study.participants:
        by_second.setdefault(connection.opened, []).append(connection)
    for signed, person in sorted(study.seen.signings):
        for number in study.opened(signed):
            closed = study[number].closed
            near = [one for at in (closed, closed + 1, closed - 1) for one in by_second.get(at, []) if known[one.tag] < signed]
            if near:
                guess[person] = near[0].tag
    return guess


def away_meanwhile(study: Study) -> Guess:
    """The participant who was gone while somebody was at the issuer."""
    spans: dict[str, list[Connection]] = {}
    for one in study.participants:
        spans.setdefault(one.tag, []).append(one)
    guess, best = {}, dict[str, float]()
    for signed, person in study.seen.signings:
        for tag, connections in spans.items():
            for before, after in pairwise(connections):
                if before.closed - 2 <= signed <= after.opened:
                    gap = (signed - before.closed) + abs(after.opened - signed - 120) / 4
                    if gap < best.get(person, math.inf):
                        best[person], guess[person] = gap, tag
    return guess


def likeliest(study: Study) -> Guess:
    """All of it weighed together: the best matching in each round (Kuhn and Munkres; in large ones the best pairs first)."""
    breaks: dict[str, int] = {}
    for connection in study.participants:
        breaks[connection.tag] = breaks.get(connection.tag, 0) + 1
    guess: Guess = {}
    for part in study.parts:
        taken = set(guess.values())
        people = [(one, True) for one in part.there] + [(one, False) for one in part.away]
        people = [one for one in people if one[0].person not in guess]
        tokens = [(*one, True) for one in part.turned] + [(*one, False) for one in part.came]
        tokens = [one for one in tokens if one[0].tag not in taken]
        if not people or not tokens:
            continue
        costs = [
            [_unlikely(study, part, one, there, shown, number, turned, breaks) for shown, number, turned in tokens]
            for one, there in people
        ]
        for row, column in matched(costs):
            guess[people[row][0].person] = tokens[column][0].tag
    return guess


def _unlikely(
    study: Study, part: Part, one: Coming, there: bool, shown: Shown, number: int, turned: bool, breaks: dict[str, int]
) -> float:
    cost = 0.0 if there == turned else 6.0 if there else 1.0
    if number >= 0:
        gap = study[number].opened - study[one.last].closed
        cost += 8.0 if gap < 0 else gap / (10 if there else BREAKS_S)
    slow = study[one.last].closed - part.begin if there else 0
    cost += abs(slow - (shown.at - shown.nonce)) * 1.5
    cost += abs(math.log(one.parts) - math.log(breaks.get(shown.tag, 1))) / 2
    return cost + abs(shown.at - one.signed) / 36_000


EXACT = 60


def matched(costs: list[list[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column) of least cost: exactly up to EXACT rows, greedily beyond."""
    turn = len(costs) > len(costs[0])
    table = [list(column) for column in zip(*costs, strict=True)] if turn else costs
    pairs = _hungarian(table) if len(table) <= EXACT else _greedy(table)
    return [(column, row) for row, column in pairs] if turn else pairs


def _greedy(costs: list[list[float]]) -> list[tuple[int, int]]:
    order = sorted((cost, row, column) for row, line in enumerate(costs) for column, cost in enumerate(line))
    rows, columns, pairs = set[int](), set[int](), []
    for _, row, column in order:
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            pairs.append((row, column))
    return pairs


def _hungarian(costs: list[list[float]]) -> list[tuple[int, int]]:
    rows, columns = len(costs), len(costs[0])
    u, v, matched_row, way = [0.0] * (rows + 1), [0.0] * (columns + 1), [0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, rows + 1):
        matched_row[0], column = row, 0
        least, used = [math.inf] * (columns + 1), [False] * (columns + 1)
        while matched_row[column]:
            used[column] = True
            here, delta, following = matched_row[column], math.inf, 0
            for other in range(1, columns + 1):
                if used[other]:
                    continue
                cost = costs[here - 1][other - 1] - u[here] - v[other]
                if cost < least[other]:
                    least[other], way[other] = cost, column
                if least[other] < delta:
                    delta, following = least[other], other
            for other in range(columns + 1):
                if used[other]:
                    u[matched_row[other]] += delta
                    v[other] -= delta
                else:
                    least[other] -= delta
            column = following
        while column:
            matched_row[column] = matched_row[way[column]]
            column = way[column]
    return [(matched_row[column] - 1, column - 1) for column in range(1, columns + 1) if matched_row[column]]


CLOCK_ATTACKS: dict[str, Callable[[Study], Guess]] = {
    attack.__name__: attack
    for attack in (
        opened_and_closed,
        unbroken,
        signed_and_shown,
        signed_last_shown_first,
        closed_and_opened,
        opened_and_opened,
        by_gap,
        lifetimes,
        bytes_down,
        bytes_up,
        slow_ways,
        unsteady,
        said_again,
        one_waiting_token,
        refreshed,
        page_loads,
        one_connection,
        came_alone,
        back_from_the_issuer,
        away_meanwhile,
        likeliest,
    )
}
