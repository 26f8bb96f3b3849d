"""A fifth of the audience stops reading."""

from loadtests.bench.product import Product
from loadtests.bench.rows.row import Figures, Options, opened, watched
from loadtests.bench.window import window

RATE = 50.0
LENGTH = 300
"""Letters: so much that what is not read does not fit into the kernel's buffers."""


async def slow(name: str, options: Options) -> Figures:
    """The same once without and once with 1,000 of 5,000 that do not read: memory for each, and what the others notice."""
    viewers, seconds = options.viewers(5_000), 15.0 if options.quick else 60.0
    stall = viewers // 5
    grown, p99, wholes = [], [], []
    for stalled in (0, stall):
        async with opened(name, viewers, posters=int(RATE * 2) + 10, length=LENGTH) as contestant:
            assert isinstance(contestant, Product)
            async with watched(contestant, viewers, options.native, stall=stalled) as (audience, _):
                await window(contestant, audience, RATE / 2, 4.0)
                before = contestant.usage()
                found = await window(contestant, audience, RATE, seconds, drain_s=20.0)
                grown.append(contestant.usage().since(before).rss_kb)
                p99.append(found.p99)
                whole, _ = await contestant.judged(audience)
                wholes.append(whole)
    return {
        "kb": round(max(0, grown[1] - grown[0]) / stall, 1),
        "p99_without": round(p99[0], 1),
        "p99": round(p99[1], 1),
        "ratio": round(p99[1] / p99[0], 3),
        "whole": all(wholes),
    }
