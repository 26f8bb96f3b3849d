"""How much it carries: messages a second for a minute, and the most deliveries a second."""

from loadtests.bench.rows.row import Figures, Options, opened, watched, whole
from loadtests.bench.window import Measured, medians, warm, window

MOST_P99_MS = 250.0
TRIES = 9
CLOSE = 1.07
"""The search ends once the rate that failed is so near to the one that held."""
PEAK_RATE = 120.0
"""Messages a second at which the search for the product's most ends: it takes two posters for each."""

GATHERS_RATE = 60.0
"""Messages a second at which that search begins."""


async def sustained(name: str, options: Options, rate: float) -> Figures:
    """`rate` messages a second for 60 s to 10,000 viewers of one process on one core."""
    viewers, seconds = options.viewers(10_000), 10.0 if options.quick else 60.0
    async with (
        opened(name, viewers, posters=int(rate * 2) + 10) as contestant,
        watched(contestant, viewers, options.native) as (audience, _),
    ):
        await window(contestant, audience, rate / 2, 4.0)
        found = await window(contestant, audience, rate, seconds, drain_s=20.0)
        return {**medians([found]), "whole": await whole(contestant, audience, found.whole), "viewers": viewers}


async def sustained_100(name: str, options: Options) -> Figures:
    """100 a second."""
    return await sustained(name, options, 100.0)


async def sustained_300(name: str, options: Options) -> Figures:
    """300 a second."""
    return await sustained(name, options, 300.0)


async def most(name: str, options: Options) -> Figures:
    """The rate is raised until the 99th percentile passes 250 ms or something is lost, then the gap is halved."""
    viewers = options.viewers(5_000)
    async with (
        opened(name, viewers, posters=int(PEAK_RATE * 2) + 10) as contestant,
        watched(contestant, viewers, options.native) as (audience, _),
    ):
        first = await warm(contestant, audience)
        # Who gathers messages carries more the more there are: the search begins above what single ones would allow.
        rate = GATHERS_RATE if name == "product" else max(1.0, 0.7e6 / (first.us * viewers))
        best: Measured | None = None
        bad = float("inf")
        for _ in range(4 if options.quick else TRIES):
            found = await window(contestant, audience, rate, 4.0)
            if found.whole and found.p99 < MOST_P99_MS:
                best = found
                if rate >= PEAK_RATE and name == "product":
                    break
            else:
                bad = rate
            rate = _next(rate, best, bad)
            if name == "product":
                rate = min(rate, PEAK_RATE)
            if best is not None and bad / best.rate < CLOSE:
                break
        if best is None:
            return {"deliveries_s": 0.0, "whole": True}
        return {**medians([best]), "ended": best.rate >= PEAK_RATE and name == "product"}


def _next(rate: float, best: Measured | None, bad: float) -> float:
    if best is None:
        return rate * 0.7
    return rate * 1.3 if bad == float("inf") else (best.rate + bad) / 2
