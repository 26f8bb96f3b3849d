"""What a run does, from a small TOML file. `loadtests/scenarios` has those that everybody needs."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`rate` messages a second for `seconds`, `burst` at once."""

    seconds: Annotated[float, Meta(gt=0, le=86_400)]
    rate: Annotated[float, Meta(gt=0, le=5_000)]
    burst: Annotated[int, Meta(ge=1, le=100)] = 1


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`join_over_s`: how long the audience takes to come in; 0: all at the same instant. `stall`: so many stop reading."""

    viewers: Annotated[int, Meta(ge=1, le=50_000)]
    posters: Annotated[int, Meta(ge=1, le=10_000)]
    join_over_s: Annotated[float, Meta(ge=0, le=3_600)] = 10.0
    while_joining: bool = False
    """Whether the first phase begins with the joining, and not after it."""
    stall: Annotated[int, Meta(ge=0)] = 0
    excess: bool = False
    """More is written than the town hall takes: what is refused for that is not sent again, and is no fault."""
    cut_after_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    """So long after writing began all viewers' connections are cut at once; they come back over `join_over_s`. 0: never."""
    length: Annotated[int, Meta(ge=0, le=300)] = 0
    """Letters that each message is filled up to; 0: as people write."""
    phases: Annotated[tuple[Phase, ...], Meta(min_length=1, max_length=100)]

    @property
    def seconds(self) -> float:
        """Of all phases."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def messages(self) -> float:
        """Of all phases."""
        return sum(phase.rate * phase.seconds for phase in self.phases)


class BadScenario(Exception):
    """No such scenario, or what is wrong with the file."""


def names() -> list[str]:
    """Those that come with the program."""
    return sorted(entry.name.removesuffix(".toml") for entry in files("loadtests.scenarios").iterdir() if ".toml" in entry.name)


def load(name: str) -> Scenario:
    """Of one of `names()`, or of a file. Raises BadScenario."""
    try:
        own = files("loadtests.scenarios").joinpath(f"{name}.toml")
        text = own.read_text("utf-8") if name in names() else Path(name).read_text("utf-8")
        return msgspec.convert(tomllib.loads(text), Scenario)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadScenario(f"{name}: {error}") from None
