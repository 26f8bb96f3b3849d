"""The figures of a run in words: (key of section `loadtest`, `row`; value)."""

from loadtests.outcome import Outcome


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
    ]


def milliseconds(value: float) -> str:
    """Three figures are all that a time here is good for."""
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def _codes(counts: dict[str, int]) -> str:
    return ", ".join(f"{code} {count:,}" for code, count in sorted(counts.items())) or "0"
