"""When a browser shows its token, and on which connections: the rules of static/src/admission/rounds.ts, for simulated people.

A test holds the two together (tests/anonymity/test_clocks.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rules:
    """The constants, under the names that the page has for them, in seconds.

    `rotates`: whether the connection is made anew at the beginning of a round; without it this is the page as it was in
    protocol 1's first year: it closes its connection as it shows its token, and opens the participant's in the same moment.
    `fresh`: in which rounds somebody may show who was not connected at its beginning. `overlaps`: whether a page that watches
    first because it came from the issuer keeps that connection beside the participant's for a while (`overlap_s`).
    """

    quiet_s: float = 10
    rotate_s: float = 5
    settle_s: float = 15
    fresh_s: float = 60
    return_s: tuple[float, float] = (60, 180)
    await_s: tuple[float, float] = (1, 20)
    again_s: float = 15
    counted_s: float = 17
    heard_s: float = 5
    quiet_part: float = 1 / 3
    rotate_part: float = 1 / 6
    rotates: bool = True
    fresh: Literal["any", "first", "second", "never"] = "any"
    second_part: float = 1 / 2
    overlap_s: tuple[float, float] = (0, 0)


RULES = Rules(fresh="second", overlap_s=(60, 180))
BEFORE = Rules(rotates=False, settle_s=0, counted_s=0, fresh_s=0, return_s=(0, 0), await_s=(0, 15), quiet_s=0)
"""The page before it made its connections anew."""


@dataclass(frozen=True, slots=True)
class Times:
    """What the page knows: unix seconds by the server's clock. `round`: number, beginning and end of the newest one.

    `chosen`: the round for which the connection was made anew, or in which a fresh visit may show (0: none).
    """

    now: float
    signed_at: float
    round: tuple[int, float, float] | None
    round_s: float
    few: bool
    willing: bool
    opened_at: float
    here_before: float
    chosen: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """`show_s`: show the token after so many seconds; None: wait for the next round. `rotate_s`: drop the connection now, and
    open another after so many; None: it stays.
    """

    show_s: float | None = None
    rotate_s: float | None = None
    again_s: float | None = None


WAIT = Plan()


def plan(times: Times, chance: Callable[[], float], rules: Rules = RULES) -> Plan:
    """Show the token, or wait for the next round. `chance`: from 0 up to 1, anew at each call."""
    if times.round_s == 0:
        return Plan(0.0)
    if times.round is None or times.now > times.round[2]:
        return WAIT
    number, begun, ends = times.round
    late = times.few or ends - begun < times.round_s
    if times.signed_at > begun - (rules.settle_s if late else 0) or (times.few and not times.willing):
        return WAIT
    if not rules.rotates:
        return Plan(chance() * (ends - times.now))
    quiet, rotate = min(rules.quiet_s, (ends - begun) * rules.quiet_part), min(rules.rotate_s, (ends - begun) * rules.rotate_part)
    there = times.opened_at < begun + 1 and times.now <= begun + rules.heard_s
    second = begun + (ends - begun) * rules.second_part if rules.fresh == "second" and not late else None
    if times.chosen != number and not there:
        if second is not None and times.now <= second:
            show_at = second + quiet + chance() * (ends - second - quiet)
            return Plan(show_at - times.now, None, second - times.now)
        if not _fresh(times, rules, late=late):
            return WAIT
    begins = max(times.now, begun + quiet)
    show_at = begins + chance() * max(0.0, ends - begins)
    again = None
    if second is not None and show_at > second - 2:
        # Nobody shows a token while connections are made anew.
        show_at, again = second + quiet + chance() * (ends - second - quiet), second - times.now
    return Plan(show_at - times.now, chance() * rotate if there and times.chosen != number else None, again)


def _fresh(times: Times, rules: Rules, *, late: bool) -> bool:
    if rules.fresh in ("never", "second") or (rules.fresh == "first" and late):
        return False
    return times.opened_at - times.here_before >= rules.fresh_s
