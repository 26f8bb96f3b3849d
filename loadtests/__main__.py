"""`python -m loadtests`: a town hall tried with a simulated audience before the real one comes."""

import argparse
import asyncio
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import msgspec

from loadtests import scenario as scenarios
from loadtests.child import AudienceFailed
from loadtests.client import NotAdmitted
from loadtests.native import build
from loadtests.posters import fits, taken
from loadtests.report.page import page
from loadtests.report.terminal import Bar, table
from loadtests.run import Plan, Run
from loadtests.scenario import BadScenario, Phase, Scenario
from protocol.limits import limit
from protocol.names import Language
from protocol.sentences import sentence

DEFAULT = Scenario(viewers=1000, posters=50, phases=(Phase(seconds=30.0, rate=10.0),))
"""Where no scenario is named."""
FILES_BESIDE = 64


class Wrong(Exception):
    """A sentence for the person at the terminal."""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 everybody saw everything, 1 not, 2 asked wrongly or the server is not there, 130 interrupted."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    lang = language(arguments)
    given = parser(lang).parse_args(arguments)
    bar = Bar(lang)
    try:
        plan = plan_of(given, lang)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        outcome = asyncio.run(Run(plan, bar.show).run())
    except KeyboardInterrupt:
        return 130
    except (Wrong, BadScenario) as error:
        print(error, file=sys.stderr)
        return 2
    except (NotAdmitted, AudienceFailed, aiohttp.ClientError, OSError, TimeoutError) as error:
        print(explained(error, given.url, lang), file=sys.stderr)
        return 2
    finally:
        bar.end()
    if outcome.held:
        print(say(lang, "held"), file=sys.stderr)
        return 2
    print(table(outcome, lang))
    if outcome.tickets < outcome.scenario.viewers + outcome.scenario.posters:
        print(say(lang, "shared", tickets=f"{outcome.tickets:,}", viewers=f"{outcome.scenario.viewers:,}"))
    if given.html:
        given.html.write_text(page(outcome, lang), "utf-8")
        print(say(lang, "report_at", path=given.html))
    return 0 if outcome.whole else 1


def explained(error: Exception, url: str, lang: Language) -> str:
    """What went wrong and what to do."""
    match error:
        case NotAdmitted(data={"message": str() as why}):
            return say(lang, "not_admitted", why=why)
        case NotAdmitted() | ConnectionRefusedError(errno=None):
            return say(lang, "not_admitted", why=error)
        case PermissionError():
            return say(lang, "metrics_token")
        case AudienceFailed():
            return say(lang, "audience_failed", why=error)
    return say(lang, "no_server", url=url, why=str(error) or type(error).__name__)


def language(arguments: Sequence[str]) -> Language:
    """`--lang`, else the environment's, else English."""
    for place, word in enumerate(arguments):
        if word.startswith("--lang"):
            value = word.partition("=")[2] or (arguments[place + 1] if place + 1 < len(arguments) else "")
            return "ko" if value == "ko" else "en"
    return "ko" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ko") else "en"


def say(lang: Language, key: str, /, **params: object) -> str:
    """A sentence of section `loadtest`."""
    return sentence(lang, "loadtest", key, **params)


def parser(lang: Language) -> argparse.ArgumentParser:
    """The whole command line, explained in `lang`."""

    def t(key: str, **params: object) -> str:
        return say(lang, key, **params).replace("%", "%%")

    top = argparse.ArgumentParser(
        prog="python -m loadtests", description=t("about"), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("url", metavar="URL", help=t("url"))
    top.add_argument("code", metavar="CODE", type=lambda text: text.strip().upper(), help=t("code"))
    top.add_argument("--scenario", help=t("scenario", names=", ".join(scenarios.names())))
    top.add_argument("--viewers", type=int, help=t("viewers"))
    top.add_argument("--posters", type=int, help=t("posters"))
    top.add_argument("--rate", type=float, help=t("rate"))
    top.add_argument("--seconds", type=float, help=t("seconds"))
    top.add_argument("--for", dest="seconds", type=duration, metavar="15m", help=t("for"))
    top.add_argument("--join-over", dest="join_over_s", type=float, help=t("join_over"))
    top.add_argument("--stall", type=int, help=t("stall"))
    top.add_argument("--audience", choices=("auto", "python", "native"), default="auto", help=t("audience"))
    top.add_argument("--processes", type=int, choices=range(1, 17), default=1, metavar="N", help=t("processes"))
    top.add_argument("--metrics-token", dest="metrics", type=Path, metavar="FILE", help=t("metrics"))
    top.add_argument("--html", type=Path, metavar="FILE", help=t("html"))
    top.add_argument("--lang", choices=("ko", "en"), help=t("lang"))
    return top


def duration(text: str) -> float:
    """Seconds of `90`, `90s`, `15m` or `1h`. Raises ValueError."""
    unit = {"s": 1, "m": 60, "h": 3_600}.get(text[-1:])
    return float(text[:-1]) * unit if unit else float(text)


def plan_of(given: argparse.Namespace, lang: Language) -> Plan:
    """What was asked for, if it can be done. Raises Wrong, BadScenario."""
    base = scenarios.load(given.scenario) if given.scenario else DEFAULT
    changes = {name: getattr(given, name) for name in ("viewers", "posters", "join_over_s", "stall")}
    phases = base.phases
    if given.rate is not None or given.seconds is not None:
        first = phases[0]
        phases = (Phase(seconds=given.seconds or first.seconds, rate=given.rate or first.rate, burst=first.burst),)
    kept = {name: value for name, value in changes.items() if value is not None}
    try:
        # Built from plain values, so that the bounds of the scenario hold for the command line too.
        whole = msgspec.convert(msgspec.to_builtins(base) | kept | {"phases": msgspec.to_builtins(phases)}, Scenario)
    except msgspec.ValidationError as error:
        raise Wrong(str(error)) from None
    for phase in whole.phases:
        if not whole.excess and (needed := fits(whole.posters, phase.rate, phase.seconds)):
            burst, most = limit("messages_per_10_s"), limit("messages_per_participant")
            raise Wrong(say(lang, "does_not_fit", burst=burst, most=most, rate=phase.rate, needed=needed, posters=whole.posters))
    if not whole.excess and not taken(whole.messages, whole.seconds):
        burst, refill = limit("messages_burst_per_hall"), limit("messages_refill_per_hall_s")
        raise Wrong(say(lang, "too_much", burst=burst, refill=refill))
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if files != resource.RLIM_INFINITY and max(whole.viewers / given.processes, whole.posters) + FILES_BESIDE > files:
        raise Wrong(say(lang, "too_many_files", files=files, viewers=whole.viewers))
    native = build.found() if given.audience != "python" else None
    if given.audience == "native":
        if native is None:
            raise Wrong(say(lang, "no_native"))
        if given.url.startswith("https"):
            raise Wrong(say(lang, "native_http"))
    if given.url.startswith("https"):
        native = None
    try:
        token = given.metrics.read_text("ascii").strip() if given.metrics else ""
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(str(error)) from None
    return Plan(
        url=given.url,
        code=given.code,
        scenario=whole,
        native=native,
        processes=given.processes,
        metrics=token,
        lang=lang,
    )


if __name__ == "__main__":
    sys.exit(main())
