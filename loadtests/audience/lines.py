"""What an audience says, a JSON line each. `latency` and `joins` are pairs (bucket, count) of a Histogram of ms."""

import msgspec

Pairs = list[tuple[int, int]]


class Line(msgspec.Struct, frozen=True, tag_field="k", kw_only=True):
    """Base of all lines."""


class Tick(Line, frozen=True, tag="tick"):
    """Since the tick before. `s`: since the audience began; `live`, `dead`: now."""

    s: float
    live: int
    dead: int
    messages: int
    frames: int
    bytes: int
    latency: Pairs
    joins: Pairs


class Joined(Line, frozen=True, tag="joined"):
    """Everybody has joined, or failed to."""

    live: int
    dead: int
    s: float


class Window(Line, frozen=True, tag="window"):
    """Counting has begun afresh."""


class Counted(Line, frozen=True, tag="counted"):
    """Since the window began. `cpu_s`: the audience's own. `least`, `most`: messages of one viewer; `disorders` of all."""

    live: int
    dead: int
    messages: int
    frames: int
    bytes: int
    latency: Pairs
    cpu_s: float
    pings: int = 0
    least: int = 0
    most: int = 0
    disorders: int = 0


class Report(Line, frozen=True, tag="report"):
    """`rows`: of each viewer that watches, as `checker.Track.row`. The counts are of all viewers, also of those who left."""

    rows: list[tuple[int, int, int, int]]
    holes: int
    doubles: int
    disorders: int
    resets: int
    joins: Pairs
    closings: dict[str, int]


decode = msgspec.json.Decoder(Tick | Joined | Window | Counted | Report).decode
encode = msgspec.json.Encoder().encode
