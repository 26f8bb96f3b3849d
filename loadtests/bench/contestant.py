"""What the rows of the bench measure: something that runs, that an audience can watch, and that can be made to publish."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from loadtests.audience.words import Words
from loadtests.bench.usage import Usage
from loadtests.child import Child


class Contestant(Protocol):
    """A running server, the product or a peer."""

    name: str

    def usage(self) -> Usage:
        """Of the server and all that it started."""

    def words(self, viewers: int, rate: float, *, stall: int = 0, deflate: bool = False) -> Words:
        """What an audience needs to be told."""

    async def publish(self, rate: float, seconds: float, burst: int = 1) -> int:
        """`rate` messages a second for `seconds`, `burst` at once; how many, once all are through."""


class Audience:
    """Of `contestant`. `native` None: the Python one."""

    def __init__(self, words: Words, native: Path | None, before: Sequence[str] = ()) -> None:
        self.viewers = words.viewers
        self.stall = words.stall
        self.child = Child(words, native, before)

    async def __aenter__(self) -> "Audience":
        await self.child.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.child.__aexit__(None, None, None)
