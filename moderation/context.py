"""Who acts, and what a decision may know from outside the state. Stored in the entries, never recomputed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from protocol.entries import Finding
from protocol.names import Role

ISSUER = "issuer"
"""Id of an organiser's hand that does what the issuer has granted; entries name it alone."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`id`: of the host or director. `author`, `seed`: a participant's tag and pseudonym seed; the rules never see more."""

    role: Role
    id: str = ""
    author: str | None = None
    seed: int = 0
    link: str | None = None
    """Of staff: the link they came by."""

    @property
    def by(self) -> str:
        """As entries name who acted: `host:ID`, `director:ID`, `organiser`, "" for a participant."""
        match self.role:
            case "host" | "director":
                return f"{self.role}:{self.id}"
            case "organiser":
                return ISSUER if self.id == ISSUER else "organiser"
        return ""


@dataclass(frozen=True, slots=True)
class Context:
    """`now`: unix seconds. `today`: ISO date where the office is. `findings`: what filters found in the cleaned text.

    `support`: figures of gauges that an entry may freeze, by message. `tally`: votes for each choice of the open poll, once
    its box is sealed; None: it is not, or nothing is left of it.
    """

    now: int
    today: str
    findings: tuple[Finding, ...] = ()
    support: Mapping[int, int] = field(default_factory=dict)
    tally: Sequence[int] | None = None
