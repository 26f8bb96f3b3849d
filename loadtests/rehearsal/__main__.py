"""`python -m loadtests.rehearsal`: exit code 0 if everything adds up, 1 if not, 2 if it was asked wrongly."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from loadtests.client import NotAdmitted
from loadtests.rehearsal.desk import PICKS, ScriptFailed
from loadtests.rehearsal.organiser import Failed, Organiser
from loadtests.rehearsal.people import Ledger
from loadtests.rehearsal.play import Plan, play
from loadtests.rehearsal.reckoning import Line, clients_csv, reckon
from loadtests.rehearsal.server import NoServer, own_server
from protocol.limits import limit
from protocol.names import Language
from protocol.sentences import sentence


def main(words: list[str] | None = None) -> int:
    """The exit code."""
    plan = _asked(sys.argv[1:] if words is None else words)
    try:
        return asyncio.run(rehearse(plan))
    except (ScriptFailed, Failed, NoServer, NotAdmitted, aiohttp.ClientError, TimeoutError) as error:
        print(_say(plan, "failed", why=error or type(error).__name__), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _asked(words: list[str]) -> Plan:
    lang: Language = "ko" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ko") else "en"
    for place, word in enumerate(words):
        if word.startswith("--lang"):
            value = word.partition("=")[2] or (words[place + 1] if place + 1 < len(words) else "")
            lang = "ko" if value == "ko" else "en"

    def t(key: str) -> str:
        return sentence(lang, "rehearsal", key)

    parser = argparse.ArgumentParser(prog="python -m loadtests.rehearsal", description=t("about"))
    parser.add_argument("--people", type=int, default=200, help=t("people"))
    parser.add_argument("--messages", type=int, default=3_000, help=t("messages"))
    parser.add_argument("--seconds", type=float, default=60.0, help=t("seconds"))
    parser.add_argument("--seed", type=int, default=1, help=t("seed"))
    parser.add_argument("--out", type=Path, default=Path("rehearsal-report"), help=t("out"))
    parser.add_argument("--url", default="", help=t("url"))
    parser.add_argument("--key", default=os.environ.get("TOWNHALL_ORGANISER_KEY", ""), help=t("key"))
    parser.add_argument("--lang", choices=("ko", "en"), default=lang, help=t("lang"))
    given = parser.parse_args(words)
    if given.url and not given.key:
        parser.error(t("key_needed"))
    most = int(given.people * limit("messages_per_10_s") * (given.seconds / 10 + 1))
    if not 2 <= given.people <= 10_000 or given.messages < PICKS * 4 or given.messages > most:
        parser.error(sentence(lang, "rehearsal", "bad_size", least=PICKS * 4, most=most))
    return Plan(
        given.people,
        given.messages,
        given.seconds,
        given.seed,
        given.out,
        given.url.rstrip("/"),
        given.key,
        given.lang,
    )


async def rehearse(plan: Plan) -> int:
    """Play it, write the record, print the table; the exit code."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with _server(plan) as (url, key), aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        organiser = Organiser(session, url, key)
        code = await organiser.create()
        print(
            _say(plan, "begins", code=code, people=plan.people, messages=plan.messages, seconds=f"{plan.seconds:g}"), flush=True
        )
        played, seconds = await play(plan, organiser, session, url, code)
    plan.out.mkdir(parents=True, exist_ok=True)
    for name, content in played.record.items():
        (plan.out / name).write_bytes(content)
    (plan.out / "clients.csv").write_text(clients_csv(played), "utf-8")
    lines = reckon(played)
    table = _table(plan, lines)
    (plan.out / "reconciliation.txt").write_text(table + "\n", "utf-8")
    print(table)
    _tell_times(plan, played.ledger, seconds)
    wrong = [line for line in lines if not line.agrees]
    print(_say(plan, "differs" if wrong else "adds_up", count=len(wrong), lines=len(lines), out=plan.out))
    return 1 if wrong else 0


@contextlib.asynccontextmanager
async def _server(plan: Plan) -> AsyncIterator[tuple[str, str]]:
    if plan.url:
        yield plan.url, plan.key
    else:
        async with own_server() as found:
            yield found


def _say(plan: Plan, key: str, /, **params: object) -> str:
    return sentence(plan.lang, "rehearsal", key, **params)


def _table(plan: Plan, lines: list[Line]) -> str:
    rows = [(_say(plan, "what"), _say(plan, "expected"), _say(plan, "found"), True)]
    rows += [(_say(plan, f"line.{line.key}"), _told(line.expected), _told(line.found), line.agrees) for line in lines]
    widths = [max(_width(str(row[column])) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(
            [_padded(row[0], widths[0]), _padded(row[1], -widths[1]), _padded(row[2], -widths[2]), "=" if row[3] else "≠ !"]
        )
        for row in rows
    )


def _told(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _width(text: str) -> int:
    """Columns of a terminal: Korean letters take two."""
    return sum(2 if "\u1100" <= letter <= "\uffdc" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    """Filled up to `width` columns; negative: from the left."""
    blanks = " " * (abs(width) - _width(text))
    return text + blanks if width > 0 else blanks + text


def _tell_times(plan: Plan, ledger: Ledger, seconds: float) -> None:
    waits = sorted(ledger.waits_s)
    if not waits:
        return
    print(
        _say(
            plan,
            "times",
            seconds=f"{seconds:.1f}",
            rate=f"{len(waits) / seconds:.0f}",
            median=f"{waits[len(waits) // 2] * 1000:.1f}",
            p99=f"{waits[len(waits) * 99 // 100] * 1000:.1f}",
            repeated=ledger.repeated,
        )
    )
    for code, count in sorted(ledger.refused.items()):
        print(_say(plan, "refused", code=code, count=count))


if __name__ == "__main__":
    sys.exit(main())
