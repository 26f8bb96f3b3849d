"""What a row is; and how any contestant is opened by name."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtests.audience.lines import Joined
from loadtests.bench.contestant import Audience, Contestant
from loadtests.bench.peer import peer
from loadtests.bench.product import LENGTH, Product, product

Figures = dict[str, float | bool | str]
WARM_RATE = 800.0
"""Connections a second while an audience comes in and nobody measures how: any contestant can take them."""
QUICK = 0.4
LEAST = 20


@dataclass(frozen=True, slots=True)
class Options:
    """`quick`: fewer viewers, shorter windows. `native`: the C audience. `scale`: of the number of viewers, for trials."""

    quick: bool
    native: Path
    scale: float = 1.0

    def viewers(self, count: int) -> int:
        """How many of `count` there are."""
        return max(LEAST, round(count * self.scale * (QUICK if self.quick else 1)))

    def windows(self, count: int) -> int:
        """How many of `count` windows there are."""
        return 1 if self.quick else count


@dataclass(frozen=True, slots=True)
class Row:
    """`measure(contestant's name, options)` gives the figures of one round. `quick`: contestants that a quick run has."""

    name: str
    title: str
    contestants: tuple[str, ...]
    measure: Callable[[str, Options], Awaitable[Figures]]
    rounds: int = 3
    quick: tuple[str, ...] = ()


class NobodyThere(Exception):
    """The audience could not come in: what is measured would mean nothing."""


@contextlib.asynccontextmanager
async def opened(
    name: str,
    viewers: int,
    *,
    posters: int = 24,
    length: int = LENGTH,
    settings: Mapping[str, str] | None = None,
    cores: str = "0",
) -> AsyncIterator[Contestant]:
    """The product with tickets for `viewers`, or a peer."""
    async with contextlib.AsyncExitStack() as stack:
        if name == "product":
            made = await stack.enter_async_context(product(posters=posters, length=length, settings=settings, cores=cores))
            await made.tickets(viewers)
            yield made
        else:
            yield await stack.enter_async_context(peer(name))


@contextlib.asynccontextmanager
async def watched(
    contestant: Contestant,
    viewers: int,
    native: Path | None,
    *,
    rate: float = WARM_RATE,
    stall: int = 0,
    deflate: bool = False,
    wait_s: float = 90.0,
) -> AsyncIterator[tuple[Audience, Joined]]:
    """`viewers` watch it. Raises NobodyThere if not all came in."""
    async with Audience(contestant.words(viewers, rate, stall=stall, deflate=deflate), native) as audience:
        joined = await audience.child.until(Joined, wait_s)
        if joined.live < viewers:
            raise NobodyThere(f"{joined.live} of {viewers} came in")
        yield audience, joined


async def whole(contestant: Contestant, audience: Audience, counted: bool) -> bool:
    """The product's deliveries are judged message by message and in order, a peer's are counted."""
    if isinstance(contestant, Product):
        return (await contestant.judged(audience))[0]
    return counted
