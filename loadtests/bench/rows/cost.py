"""What a delivery costs: one message a frame, and ten of them in one."""

from loadtests.bench.contestant import Audience, Contestant
from loadtests.bench.rows.row import Figures, Options, opened, watched, whole
from loadtests.bench.window import Measured, fitting, medians, warm, window

WINDOWS = 3
RATE = 10.0
STEADY = {2_000: 10.0, 5_000: 7.0}
"""Messages a second, the same for all who can: of a connection on which nothing came for longer than its retransmission
time-out, 200 ms at least, Linux acknowledges the next segment at once, and that doubles what a delivery costs the sender
(tcp_event_data_recv in net/ipv4/tcp_input.c)."""
ABLE = 2.0
"""Cores that the steady rate may seem to take, judged by a rate at which each segment is acknowledged, to be tried."""
BUSY = 0.85
BURST = 10
BURSTS_S = 7.0
"""Bursts in a second: far enough apart that each has a flush of its own, and near enough for what STEADY says."""


async def single(name: str, options: Options, most: int) -> Figures:
    """The steady rate, or as many messages as use half of the core: what is slower than that gets fewer."""
    viewers, steady = options.viewers(most), STEADY[most]
    async with opened(name, viewers) as contestant, watched(contestant, viewers, options.native) as (audience, _):
        found = await warm(contestant, audience, steady)
        able = found.us * viewers * steady / 1e6 < ABLE
        if able:
            found = await window(contestant, audience, steady, 3.0)
        rate = steady if able and found.whole and found.busy < BUSY else fitting(found, viewers, steady, 0.5)
        seconds = max(3.0, 4 / rate)
        windows = [await window(contestant, audience, rate, seconds) for _ in range(options.windows(WINDOWS))]
        return await _figures(contestant, audience, windows)


async def cpu_2000(name: str, options: Options) -> Figures:
    """With 2,000 viewers."""
    return await single(name, options, 2_000)


async def cpu_5000(name: str, options: Options) -> Figures:
    """With 5,000 viewers."""
    return await single(name, options, 5_000)


async def batch(name: str, options: Options) -> Figures:
    """Ten messages at the same instant, seven times a second, to 5,000 viewers."""
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
