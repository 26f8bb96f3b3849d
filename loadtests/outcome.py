"""What a run has found."""

from collections import Counter
from dataclasses import dataclass, field

from loadtests.checker import Verdict
from loadtests.histogram import Histogram
from loadtests.posters import TOO_MUCH, Posted
from loadtests.scenario import Scenario
from loadtests.server_figures import ServerFigures


@dataclass(slots=True)
class Sample:
    """One second of the run, over all viewers. `joins` and `latency` in ms; `messages` counts each at each viewer."""

    second: int
    live: int = 0
    messages: int = 0
    frames: int = 0
    bytes: int = 0
    latency: Histogram = field(default_factory=Histogram)
    joins: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class Outcome:
    """`missing`: viewers that did not come in, or were lost on the way."""

    scenario: Scenario
    audience: str
    tickets: int = 0
    missing: int = 0
    join_s: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    holes: int = 0
    doubles: int = 0
    disorders: int = 0
    resets: int = 0
    closings: Counter[str] = field(default_factory=Counter)
    posted: Posted = field(default_factory=Posted)
    samples: list[Sample] = field(default_factory=list)
    latency: Histogram = field(default_factory=Histogram)
    joins: Histogram = field(default_factory=Histogram)
    rejoins: Histogram = field(default_factory=Histogram)
    """From when a viewer whose connection was cut began to come back until it was in."""
    held: bool = False
    server: ServerFigures | None = None

    @property
    def deliveries(self) -> int:
        """Messages seen, over all viewers."""
        return self.latency.total

    @property
    def excess(self) -> int:
        """Messages beyond what the town hall takes or what one participant may write, where that was wanted."""
        return sum(self.posted.refused[code] for code in TOO_MUCH) if self.scenario.excess else 0

    @property
    def whole(self) -> bool:
        """Whether every viewer saw every message exactly once and in order, and every message was taken."""
        return (
            not self.held
            and self.missing == self.verdict.behind == self.verdict.short == 0
            and self.holes == self.doubles == self.disorders == 0
            and len(self.posted.acknowledged) == self.posted.due - self.excess > 0
        )
