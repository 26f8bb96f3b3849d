"""What was measured beside what was asked, and the table of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figure:
    """`id`: of the promise. `asked`: the most that any value (`share` 1), or that share of them, may be; in `unit`."""

    id: str
    what: str
    asked: float
    unit: str = "s"
    share: float = 1.0
    values: list[float] = field(default_factory=list)

    def add(self, *values: float) -> None:
        """Measured once more."""
        self.values += values

    def at(self, share: float) -> float:
        """The value that `share` of all stay within; infinite where nothing was measured."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")

    @property
    def met(self) -> bool:
        """Whether it holds."""
        return self.at(self.share) <= self.asked

    def row(self) -> tuple[str, ...]:
        """Its cells."""
        asked = f"≤ {self.asked:g} {self.unit}" + (f" (p{100 * self.share:g})" if self.share < 1 else "")
        found = [f"{self.at(share):.2f}" if self.unit == "s" else f"{self.at(share):g}" for share in (0.5, 0.99, 1.0)]
        return self.id, self.what, asked, *found, str(len(self.values)), "met" if self.met else "**not met**"


HEAD = ("id", "figure", "asked", "p50", "p99", "most", "times", "")


def table(figures: Iterable[Figure]) -> str:
    """In Markdown, for a terminal and for the docs alike."""
    rows: Sequence[tuple[str, ...]] = [HEAD, ("---",) * len(HEAD), *(figure.row() for figure in figures)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
