"""What the server says of itself while a load test runs: `/metrics`, read now and then."""

import re
from dataclasses import dataclass, field

import aiohttp

EVERY_S = 5.0
SETTLES_S = 600.0
"""Memory that grows until then is what an audience takes; what grows later is a leak. In a shorter run: its first third."""
GONE_S = 30.0
"""How long the server may take to notice that everybody has left."""
READ_S = 10.0
_SAMPLE = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)
_BOUND = re.compile(r'le="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Reading:
    """`second`: of the run. Over all processes of the server. `lag`: how often the event loop was late by at most so many s."""

    second: float
    rss: float
    sockets: int
    tasks: int
    lag: dict[float, float]


def reading(text: str, second: float) -> Reading:
    """Of what `/metrics` answers."""
    sums: dict[str, float] = {}
    lag: dict[float, float] = {}
    for name, labels, value in _SAMPLE.findall(text):
        sums[name] = sums.get(name, 0.0) + float(value)
        if name == "townhall_event_loop_lag_seconds_bucket" and (bound := _BOUND.search(labels)):
            lag[float(bound[1])] = float(value)
    return Reading(
        second,
        sums.get("process_resident_memory_bytes", 0.0),
        int(sums.get("townhall_connections", 0)),
        int(sums.get("townhall_tasks", 0)),
        lag,
    )


@dataclass(slots=True)
class ServerFigures:
    """`before` anybody came, `during` the run, `after` all had left."""

    before: Reading
    during: list[Reading] = field(default_factory=list)
    after: Reading | None = None

    @property
    def last(self) -> Reading:
        """The newest."""
        return self.after or (self.during[-1] if self.during else self.before)

    def lag_p99_s(self) -> float:
        """The bound within which the event loop was late 99 times of a hundred, over the whole run; 0: it was not looked at."""
        counts = {bound: count - self.before.lag.get(bound, 0) for bound, count in self.last.lag.items()}
        total = max(counts.values(), default=0)
        return min((bound for bound, count in counts.items() if count >= 0.99 * total), default=0.0) if total else 0.0

    def growth(self) -> float | None:
        """By how much memory grew in 10 minutes once it had settled, as a share of itself; None: the run was too short."""
        slope, mean = self._slope()
        return slope * SETTLES_S / mean if slope is not None and mean else None

    def growth_each(self, messages_per_s: float) -> float | None:
        """The same in bytes for each message of a run at this rate: its log grows, and nothing else should."""
        slope, _ = self._slope()
        return slope / messages_per_s if slope is not None and messages_per_s else None

    def _slope(self) -> tuple[float | None, float]:
        """Bytes a second once it had settled, and bytes in the middle."""
        if not self.during:
            return None, 0.0
        first, last = self.during[0].second, self.during[-1].second
        kept = [one for one in self.during if one.second >= first + min(SETTLES_S, (last - first) / 3)]
        if len(kept) < 3:
            return None, 0.0
        middle = sum(one.second for one in kept) / len(kept)
        mean = sum(one.rss for one in kept) / len(kept)
        spread = sum((one.second - middle) ** 2 for one in kept)
        return sum((one.second - middle) * (one.rss - mean) for one in kept) / spread, mean

    def most_rss(self) -> float:
        """Bytes, at the most."""
        return max((one.rss for one in self.during), default=self.before.rss)

    def left(self) -> tuple[int, int] | None:
        """(connections, tasks) that are there after everybody has left and were not before; None: nobody looked."""
        if self.after is None:
            return None
        return self.after.sockets - self.before.sockets, self.after.tasks - self.before.tasks

    def gone(self) -> bool:
        """Whether all is as it was."""
        left = self.left()
        return left is not None and left[0] <= 0 and left[1] <= 0


async def read(session: aiohttp.ClientSession, url: str, token: str, second: float) -> Reading:
    """Raises aiohttp's errors, TimeoutError, and PermissionError where the token is not the server's."""
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(READ_S)
    async with session.get(f"{url.rstrip('/')}/metrics", headers=headers, timeout=timeout) as response:
        if response.status == 403:
            raise PermissionError("/metrics: the token is not the server's")
        response.raise_for_status()
        return reading(await response.text(), second)
