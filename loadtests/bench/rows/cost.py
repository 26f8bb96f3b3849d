"""What a delivery costs: one message a frame, and ten of them in one."""

from loadtests.bench.contestant import Audience, Contestant
from loadtests.bench.rows.row import Figures, Options, opened, watched, whole
from loadtests.bench.window import Measured, fitting, medians, warm, window

WINDOWS = 3
RATE = 10.0
BURST = 10
BURSTS_S = 2.0
"""Bursts in a second: far enough apart that each has a flush of its own."""


async def single(name: str, options: Options, viewers: int) -> Figures:
    """Ten messages a second, or as many as use half of the core: what is slower than that gets fewer."""
    async with opened(name, viewers) as contestant, watched(contestant, viewers, options.native) as (audience, _):
        found = await warm(contestant, audience, RATE)
        rate = fitting(found, viewers, RATE, 0.5)
        seconds = max(3.0, 4 / rate)
        windows = [await window(contestant, audience, rate, seconds) for _ in range(options.windows(WINDOWS))]
        return await _figures(contestant, audience, windows)


async def cpu_2000(name: str, options: Options) -> Figures:
    """With 2,000 viewers."""
    return await single(name, options, options.viewers(2_000))


async def cpu_5000(name: str, options: Options) -> Figures:
    """With 5,000 viewers."""
    return await single(name, options, options.viewers(5_000))


async def batch(name: str, options: Options) -> Figures:
    """Ten messages at the same instant, twice a second, to 5,000 viewers."""
    viewers = options.viewers(5_000)
    async with (
        opened(name, viewers, posters=int(BURST * BURSTS_S * 2) + 4) as contestant,
        watched(contestant, viewers, options.native) as (audience, _),
    ):
        await warm(contestant, audience, RATE)
        windows = [await window(contestant, audience, BURST * BURSTS_S, 4.0, BURST) for _ in range(options.windows(WINDOWS))]
        return await _figures(contestant, audience, windows)


async def _figures(contestant: Contestant, audience: Audience, windows: list[Measured]) -> Figures:
    figures: Figures = dict(medians(windows))
    figures["whole"] = await whole(contestant, audience, bool(figures["whole"]))
    return figures
