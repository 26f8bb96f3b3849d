"""What must hold, row by row: what was measured, in words, and whether it is within the bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from loadtests.bench.results import Results

ALONE = 1.1
"""Messages in a frame up to which a row tells what one alone costs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`met` None: not measured."""

    what: str
    must: str
    measured: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Target:
    """`value` NaN: not measured."""

    what: str
    must: str
    value: Callable[[Results], float]
    within: Callable[[float], bool]
    unit: str = ""

    def found(self, results: Results) -> Finding:
        """Against what is kept."""
        value = self.value(results)
        if math.isnan(value):
            return Finding(self.what, self.must, "not measured", None)
        return Finding(self.what, self.must, f"{short(value)}{self.unit}", self.within(value))


def short(value: float) -> str:
    """Three figures."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _of(row: str, figure: str, contestant: str = "product") -> Callable[[Results], float]:
    return lambda results: results.number(row, contestant, figure)


def _whole(row: str, figure: str) -> Callable[[Results], float]:
    """The figure, or infinity if not everybody got everything: then it does not count."""
    return lambda results: math.inf if _broken(results, row) else results.number(row, "product", figure)


def _broken(results: Results, row: str) -> bool:
    return bool(results.figures(row, "product")) and not results.whole(row, "product")


def _ratio(row: str, figure: str, other: str, other_row: str = "") -> Callable[[Results], float]:
    return lambda results: (
        math.inf
        if _broken(results, row)
        else results.number(row, "product", figure) / results.number(other_row or row, other, figure)
    )


def _alone(row: str, other: str) -> Callable[[Results], float]:
    """CPU per delivery against `other`, where each message really had a frame of its own: gathered ones cost far less."""
    ratio = _ratio(row, "us", other)
    return lambda results: ratio(results) if results.number(row, "product", "per_frame") <= ALONE else math.nan


def _at_most(bound: float) -> Callable[[float], bool]:
    return lambda value: value <= bound


def _at_least(bound: float) -> Callable[[float], bool]:
    return lambda value: bound <= value < math.inf


TARGETS: tuple[Target, ...] = (
    *(
        Target(f"{title}: CPU per delivery against {other}", f"≤ {bound:g} ×", _alone(row, key), _at_most(bound), " ×")
        for row, title in (("cpu-2000", "2,000 viewers"), ("cpu-5000", "5,000 viewers"))
        for key, other, bound in (("floor", "the floor", 1.2), ("uws", "uWebSockets", 1.05), ("node", "Socket.IO on Node", 0.4))
    ),
    Target("100 messages/s to 10,000, p99", "< 500 ms, none lost", _whole("sustained-100", "p99"), _at_most(500), " ms"),
    Target("300 messages/s to 10,000, p99", "< 1 s, none lost", _whole("sustained-300", "p99"), _at_most(1000), " ms"),
    Target(
        "ten in a flush: CPU per message against single sends of the floor",
        "≤ 0.15 ×",
        lambda results: _ratio("batch-10", "us", "floor", "cpu-2000" if results.quick("batch-10") else "cpu-5000")(results),
        _at_most(0.15),
        " ×",
    ),
    Target("deliveries/s with p99 < 250 ms", "≥ 100,000", _of("most", "deliveries_s"), _at_least(100_000), "/s"),
    Target("the same against uWebSockets", "≥ 1 ×", _ratio("most", "deliveries_s", "uws"), _at_least(1), " ×"),
    Target("memory of an idle connection", "≤ 4 kB", _of("kept", "kb"), _at_most(4), " kB"),
    Target("CPU per heartbeat", "≤ 30 µs", _of("kept", "ping_us"), _at_most(30), " µs"),
    Target("longest garbage collection", "≤ 50 ms", _of("kept", "gc_ms"), _at_most(50), " ms"),
    Target("CPU per join", "≤ 350 µs", _of("kept", "join_us"), _at_most(350), " µs"),
    Target("10,000 join in 10 s: p99 of a join", "< 2 s", _whole("storm", "join_p99"), _at_most(2000), " ms"),
    Target("meanwhile those who are there see, p99", "< 1 s", _whole("storm", "seen_p99"), _at_most(1000), " ms"),
    Target("5,000 at the same instant: all in after", "≤ 2.5 s", _of("instant", "joined_s"), _at_most(2.5), " s"),
    Target("1,000 of 5,000 stop reading: memory of each", "≤ 64 kB", _whole("slow", "kb"), _at_most(64), " kB"),
    Target("the others' p99 against without them", "≤ 1.3 ×", _whole("slow", "ratio"), _at_most(1.3), " ×"),
    Target("bytes compressed against plain", "≤ 0.5 ×", _whole("deflate", "bytes_ratio"), _at_most(0.5), " ×"),
    Target("CPU compressed against plain", "≤ 1.2 ×", _whole("deflate", "cpu_ratio"), _at_most(1.2), " ×"),
    Target("two workers against one", "≥ 1.8 ×", _whole("workers", "ratio"), _at_least(1.8), " ×"),
    Target("posted → seen on another node, p99", "≤ 15 ms", _whole("two-nodes", "p99"), _at_most(15), " ms"),
)
