"""The report as one HTML page that loads nothing."""

import html

from loadtests.outcome import Outcome
from loadtests.report.plot import STYLE, lines
from loadtests.report.rows import rows
from protocol.names import Language
from protocol.sentences import section, sentence

_CSS = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{padding:.2rem .6rem;text-align:end;border-bottom:1px solid #8884}"
    "th:first-child{text-align:start;font-weight:400}.verdict{font-weight:600}.plot{margin:1rem 0;display:block}" + STYLE
)


def page(outcome: Outcome, lang: Language) -> str:
    """All figures and plots."""
    words = section(lang, "loadtest")
    names, plot = words["row"], words["plot"]
    verdict = sentence(lang, "loadtest", "passed" if outcome.whole else "failed")
    figures = "".join(f"<tr><th scope=row>{html.escape(names[key])}<td>{html.escape(value)}" for key, value in rows(outcome))
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{words["title"]}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_CSS}</style>'
        f'<h1>{words["title"]}</h1><p class="verdict">{html.escape(verdict)}</p><table>{figures}</table>'
        + "".join(_plots(outcome, plot))
        + f"<details><summary>{plot['table']}</summary>{_seconds(outcome, plot)}</details></html>\n"
    )


def _plots(outcome: Outcome, words: dict[str, str]) -> list[str]:
    samples = outcome.samples
    told = outcome.server.during if outcome.server is not None else []
    seen = [sample for sample in samples if sample.latency.total]
    came = [sample for sample in samples if sample.joins.total]
    return [
        lines(words["deliveries"], words["time"], [("", [(s.second, s.messages) for s in samples])]),
        lines(
            words["latency"],
            words["time"],
            [
                (words["p50"], [(s.second, s.latency.percentile(0.5)) for s in seen]),
                (words["p99"], [(s.second, s.latency.percentile(0.99)) for s in seen]),
                (words["max"], [(s.second, s.latency.longest()) for s in seen]),
            ],
        ),
        lines(words["joins"], words["time"], [("", [(s.second, s.live) for s in samples])]),
        lines(
            words["join_ms"],
            words["time"],
            [
                (words["p50"], [(s.second, s.joins.percentile(0.5)) for s in came]),
                (words["p99"], [(s.second, s.joins.percentile(0.99)) for s in came]),
            ],
        ),
        *([lines(words["memory"], words["time"], [("", [(int(one.second), one.rss / 1e6) for one in told])])] if told else []),
    ]


def _seconds(outcome: Outcome, words: dict[str, str]) -> str:
    head = "".join(f"<th scope=col>{html.escape(words[key])}" for key in ("time", "in", "deliveries", "p50", "p99", "max"))
    body = "".join(
        f"<tr><td>{s.second}<td>{s.live:,}<td>{s.messages:,}<td>{s.latency.percentile(0.5):.1f}"
        f"<td>{s.latency.percentile(0.99):.1f}<td>{s.latency.longest():.1f}"
        for s in outcome.samples
    )
    return f"<table><tr>{head}{body}</table>"
