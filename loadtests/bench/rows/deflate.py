"""Compressed against plain: bytes on the wire and processor time, for the same messages at the same rate."""

from loadtests.bench.rows.row import Figures, Options, opened, watched, whole
from loadtests.bench.window import medians, warm, window

RATE = 20.0


async def deflate(name: str, options: Options) -> Figures:
    """Both with Python's audience, since C's does not inflate. It offers compression as browsers do, and each viewer inflates."""
    viewers = options.viewers(2_000)
    found: dict[bool, Figures] = {}
    for compressed in (False, True):
        async with (
            opened(name, viewers, posters=int(RATE * 2) + 4) as contestant,
            watched(contestant, viewers, None, rate=500.0, deflate=compressed) as (audience, _),
        ):
            await warm(contestant, audience)
            windows = [await window(contestant, audience, RATE, 8.0) for _ in range(options.windows(2))]
            figures = medians(windows)
            found[compressed] = {**figures, "whole": await whole(contestant, audience, bool(figures["whole"]))}
    plain, small = found[False], found[True]
    return {
        "wire_plain": plain["wire"],
        "wire": small["wire"],
        "bytes_ratio": round(float(small["wire"]) / float(plain["wire"]), 3),
        "us_plain": plain["us"],
        "us": small["us"],
        "cpu_ratio": round(float(small["us"]) / float(plain["us"]), 3),
        "audience_busy": max(float(plain["audience_busy"]), float(small["audience_busy"])),
        "whole": bool(plain["whole"]) and bool(small["whole"]),
    }
