"""The figures of a run in words: (key of section `loadtest`, `row`; value)."""

from loadtests.outcome import Outcome
from loadtests.server_figures import ServerFigures


def rows(outcome: Outcome) -> list[tuple[str, str]]:
    """In the order in which they are read."""
    posted, verdict, samples = outcome.posted, outcome.verdict, outcome.samples
    frames = sum(sample.frames for sample in samples)
    return [
        ("audience", outcome.audience),
        ("viewers", f"{outcome.scenario.viewers:,}"),
        ("joined", f"{outcome.joins.total:,}"),
        ("all_in", f"{outcome.join_s:.1f} s"),
        ("join_p50", milliseconds(outcome.joins.percentile(0.5))),
        ("join_p99", milliseconds(outcome.joins.percentile(0.99))),
        ("join_max", milliseconds(outcome.joins.longest())),
        ("posted", f"{posted.due:,}"),
        ("written_per_s", f"{posted.due / posted.writing_s:,.0f}" if posted.writing_s else "-"),
        ("acknowledged", f"{len(posted.acknowledged):,}"),
        ("refused", _codes(posted.refused)),
        ("unanswered", f"{posted.unanswered:,}"),
        ("answer_p99", milliseconds(posted.answers.percentile(0.99))),
        ("deliveries", f"{outcome.deliveries:,}"),
        ("per_second", f"{max((sample.messages for sample in samples), default=0):,}"),
        ("per_frame", f"{outcome.deliveries / frames:.1f}" if frames else "-"),
        ("bytes", f"{sum(sample.bytes for sample in samples) / 1e6:,.1f} MB"),
        ("p50", milliseconds(outcome.latency.percentile(0.5))),
        ("p99", milliseconds(outcome.latency.percentile(0.99))),
        ("p999", milliseconds(outcome.latency.percentile(0.999))),
        ("max", milliseconds(outcome.latency.longest())),
        ("whole", f"{verdict.whole:,}"),
        ("behind", f"{verdict.behind:,}"),
        ("short", f"{verdict.short:,}"),
        ("holes", f"{outcome.holes:,}"),
        ("doubles", f"{outcome.doubles:,}"),
        ("disorders", f"{outcome.disorders:,}"),
        ("resets", f"{outcome.resets:,}"),
        ("missing", f"{outcome.missing:,}"),
        ("closings", _codes(outcome.closings)),
        ("rejoined", f"{outcome.rejoins.total:,}"),
        ("rejoin_p99", milliseconds(outcome.rejoins.percentile(0.99))),
        *_server(outcome.server, len(posted.acknowledged) / outcome.scenario.seconds),
    ]


def _server(told: ServerFigures | None, messages_per_s: float) -> list[tuple[str, str]]:
    """What the server said of itself; dashes where it was not asked."""
    growth, left = (told.growth(), told.left()) if told is not None else (None, None)
    each = told.growth_each(messages_per_s) if told is not None else None
    return [
        ("lag_p99", f"≤ {told.lag_p99_s() * 1e3:g} ms" if told is not None else "-"),
        ("memory", f"{told.most_rss() / 1e6:,.0f} MB" if told is not None else "-"),
        ("growth", f"{growth:+.2%}" if growth is not None else "-"),
        ("growth_each", f"{each:+,.0f} B" if each is not None else "-"),
        ("sockets_left", f"{left[0]:,}" if left is not None else "-"),
        ("tasks_left", f"{left[1]:,}" if left is not None else "-"),
    ]


def milliseconds(value: float) -> str:
    """Three figures are all that a time here is good for."""
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def _codes(counts: dict[str, int]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in sorted(counts.items())) or "0"
