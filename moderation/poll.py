"""A poll as the log knows it: what is asked, and what came of it. Who voted for what stands in no state and in no entry."""

from dataclasses import dataclass


@dataclass(slots=True)
class Poll:
    """`id`: seq of the entry that opened it. `voters`, `counts`: once closed, None where too few have voted."""

    id: int
    question: str
    choices: tuple[str, ...]
    at: int
    closed_at: int | None = None
    voters: int | None = None
    counts: tuple[int, ...] | None = None

    @property
    def open(self) -> bool:
        """Whether votes count."""
        return self.closed_at is None
