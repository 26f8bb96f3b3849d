"""One window: publish, wait until everybody has it, and say what a delivery cost."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.audience.lines import Counted, Window
from loadtests.bench.contestant import Audience, Contestant
from loadtests.histogram import Histogram

DRAIN_S = 8.0
SLOWEST = 0.5
"""Messages a second at least."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`us`: of the server's processor time for each delivery, `user_us` and `system_us` its parts; `core_us` of all that its
    core did. Times in ms. `busy`, `audience_busy`: shares of a core. `per_frame`: messages,
    `frame_us`: processor time for each frame. `wire`: bytes a delivery."""

    us: float
    user_us: float
    system_us: float
    core_us: float
    p50: float
    p99: float
    whole: bool
    deliveries_s: float
    per_frame: float
    frame_us: float
    wire: float
    busy: float
    audience_busy: float
    stolen: float
    rate: float


async def window(
    contestant: Contestant, audience: Audience, rate: float, seconds: float, burst: int = 1, drain_s: float = DRAIN_S
) -> Measured:
    """`whole`: each viewer got each message once; the product's order is judged at the end of its row."""
    child, readers = audience.child, audience.viewers - audience.stall
    await child.tell("window")
    await child.until(Window)
    before = contestant.usage()
    count = await contestant.publish(rate, seconds, burst)
    await child.tell(f"count {count * readers} {drain_s}")
    counted = await child.until(Counted)
    used = contestant.usage().since(before)
    took_s = max(seconds, count / rate)
    latency = Histogram(counted.latency)
    messages, frames = max(1, counted.messages), max(1, counted.frames)
    us = used.cpu_s / messages * 1e6
    user = used.user / max(1, used.user + used.system)
    return Measured(
        us=us,
        user_us=us * user,
        system_us=us * (1 - user),
        core_us=used.core_s / messages * 1e6,
        p50=latency.percentile(0.5),
        p99=latency.percentile(0.99),
        whole=counted.messages == count * readers and (counted.least == counted.most or not counted.most),
        deliveries_s=counted.messages / took_s,
        per_frame=messages / frames,
        frame_us=us * messages / frames,
        wire=counted.bytes / messages,
        busy=used.cpu_s / took_s,
        audience_busy=counted.cpu_s / took_s,
        stolen=used.stolen_s / took_s,
        rate=rate,
    )


async def warm(contestant: Contestant, audience: Audience, most: float = 10.0) -> Measured:
    """First windows, whose figures are dropped: new connections cost the sender more for some tens of segments (TCP quick
    acknowledgements), and the first windows tell how much this contestant can do. Returns the last one."""
    found = await window(contestant, audience, 1.0, 2.0)
    for seconds in (2.0, 4.0):
        found = await window(contestant, audience, fitting(found, audience.viewers, most, 0.5), seconds)
    return found


def fitting(found: Measured, viewers: int, most: float, share: float = 0.4) -> float:
    """A rate at which the server uses about `share` of its core, and not above `most`."""
    return max(SLOWEST, min(most, share * 1e6 / (max(found.us, 0.1) * viewers)))


def medians(windows: Sequence[Measured]) -> dict[str, float | bool]:
    """One set of figures from several windows; `whole` only if all were."""
    found: dict[str, float | bool] = {}
    for name in Measured.__slots__:
        values = [getattr(one, name) for one in windows]
        found[name] = all(values) if name == "whole" else round(statistics.median(values), 3)
    return found
