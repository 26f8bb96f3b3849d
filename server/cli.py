"""The command line: what each command is given, and which one runs."""

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, get_args

from protocol.limits import limit
from protocol.names import Language
from protocol.setup import EligibilityKind
from server import event_loop, private, telemetry
from server.commands.checks import doctor_command, verify_pages_command
from server.commands.create import create_command
from server.commands.export import export_command
from server.commands.links import links_command
from server.commands.log import audit_command, log_command
from server.commands.organiser import organiser_command
from server.commands.serve import demo_command, serve_command
from server.commands.settings import settings_command
from server.commands.terminal import EXPLAINED, explained, say
from server.gateway.gateway import CODE
from server.gateway.staff import DAYS, Holder
from server.issuer.command_line import issuance_command, issuer_command
from server.issuer.invite_command import invite_command
from server.settings import BadSettings, load

_SETTINGS = ("host", "port", "workers", "data_dir", "redis_url", "issuer_host", "issuer_port")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 could not, 2 was asked wrongly, 130 interrupted."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    lang = language(arguments)
    given = parser(lang).parse_args(arguments)
    try:
        settings, sources = load(given.config, given={name: getattr(given, name, None) for name in _SETTINGS})
    except BadSettings as error:
        print(error.words(lang), file=sys.stderr)
        return 2
    if given.run == settings_command:
        return settings_command(given, settings, sources, lang)
    telemetry.set_up()
    private.begin()
    try:
        if given.run not in (doctor_command, verify_pages_command):
            closed = private.close(settings)
            if closed:
                print(say(lang, "closed_to_others", count=len(closed), path=closed[0]), file=sys.stderr, flush=True)
        return event_loop.run(_heard(given.run(given, settings, sources, lang)))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough (`townhall log … | head`); nothing more may be flushed there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except EXPLAINED as error:
        print(explained(error, settings, lang), file=sys.stderr)
        return 1


async def _heard(run: Coroutine[Any, Any, int]) -> int:
    telemetry.hear(asyncio.get_running_loop())
    return await run


def language(arguments: Sequence[str]) -> Language:
    """`--lang`, else the environment's, else English."""
    for place, word in enumerate(arguments):
        if word.startswith("--lang"):
            value = word.partition("=")[2] or (arguments[place + 1] if place + 1 < len(arguments) else "")
            return "ko" if value == "ko" else "en"
    return "ko" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ko") else "en"


def parser(lang: Language) -> argparse.ArgumentParser:
    """The whole command line, explained in `lang`."""

    def t(key: str) -> str:
        return say(lang, key)

    top = argparse.ArgumentParser(prog="townhall", description=t("about"))
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, help=t("config"))
    shared.add_argument("--data", dest="data_dir", help=t("data"))
    shared.add_argument("--redis", dest="redis_url", help=t("redis"))
    shared.add_argument("--lang", choices=("ko", "en"), help=t("lang"))
    listening = argparse.ArgumentParser(add_help=False)
    listening.add_argument("--host", help=t("host"))
    listening.add_argument("--port", type=int, help=t("port"))
    listening.add_argument("--workers", type=int, help=t("workers"))
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: object, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        text = t(name)
        sub = commands.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            parents=[shared, *parents],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    add("serve", serve_command, listening)
    add("demo", demo_command, listening).add_argument("--quiet", action="store_true", help=t("quiet"))
    create = add("create", create_command)
    create.add_argument("--title", required=True, help=t("title"))
    create.add_argument("--directors", type=Path, required=True, help=t("directors"))
    create.add_argument("--code", type=_code, help=t("code"))
    create.add_argument("--mode", choices=("open", "reviewed"), default="reviewed", help=t("mode"))
    create.add_argument("--who", action="append", choices=(*get_args(EligibilityKind), "link"), help=t("who"))
    create.add_argument("--ends", metavar="2026-11-30T18:00", help=t("ends"))
    create.add_argument("--minimum", type=int, default=30, help=t("minimum"))
    create.add_argument("--open", action="store_true", help=t("open"))
    create.add_argument("--card", action="store_true", help=t("join_card"))
    links = add("links", links_command)
    links.add_argument("code", nargs="?", type=_code, help=t("code"))
    links.add_argument("--make", metavar="ROLE[:ID]", type=_holder, help=t("make_link"))
    links.add_argument("--label", help=t("label"))
    links.add_argument("--days", type=int, choices=range(1, limit("link_days") + 1), default=DAYS, metavar="N", help=t("days"))
    links.add_argument("--revoke", metavar="LINK|ROLE", help=t("revoke"))
    organiser = add("organiser", organiser_command)
    organiser.add_argument("--issuer", action="store_true", help=t("of_issuer"))
    organiser.add_argument("--key", action="store_true", help=t("organiser_key"))
    organiser.add_argument("--end", action="store_true", help=t("end_openings"))
    invite = add("invite", invite_command)
    invite.add_argument("code", type=_code, help=t("code"))
    invite.add_argument("people", type=Path, nargs="?", help=t("people"))
    invite.add_argument("--slips", type=Path, metavar="FILE.html", help=t("slips"))
    invite.add_argument("--csv", type=Path, metavar="FILE.csv", help=t("merge"))
    invite.add_argument("--void", action="store_true", help=t("void"))
    invite.add_argument("--send", action="store_true", help=t("send_mail"))
    log = add("log", log_command)
    log.add_argument("code", type=_code, help=t("code"))
    log.add_argument("--follow", action="store_true", help=t("follow"))
    export = add("export", export_command)
    export.add_argument("code", type=_code, help=t("code"))
    export.add_argument("--format", choices=("jsonl", "csv", "polls", "html"), default="jsonl", help=t("format"))
    issuer = add("issuer", issuer_command)
    issuer.add_argument("--issuer-host", help=t("host"))
    issuer.add_argument("--issuer-port", type=int, help=t("port"))
    issuer.add_argument("--port", type=int, help=t("chat_port"))
    issuer.add_argument("--host", help=t("chat_host"))
    issuer.add_argument("--with-parent", action="store_true", help=t("with_parent"))
    issuance = add("issuance", issuance_command)
    issuance.add_argument("code", type=_code, help=t("code"))
    issuance.add_argument("--title", help=t("title"))
    issuance.add_argument("--who", action="append", choices=get_args(EligibilityKind), help=t("who"))
    issuance.add_argument("--ends", metavar="2026-11-30T18:00", help=t("ends"))
    issuance.add_argument("--chat", help=t("chat"))
    issuance.add_argument("--close", action="store_true", help=t("close"))
    issuance.add_argument("--json", action="store_true", help=t("json"))
    audit = add("audit", audit_command)
    audit.add_argument("code", nargs="?", type=_code, help=t("code"))
    audit.add_argument("--check", type=Path, metavar="FILE.jsonl", help=t("check_audit"))
    audit.add_argument("--head", help=t("head"))
    add("verify-pages", verify_pages_command).add_argument("url", help=t("url"))
    add("doctor", doctor_command, listening)
    add("settings", settings_command, listening).add_argument("--markdown", action="store_true", help=t("markdown"))
    return top


def _code(text: str) -> str:
    code = text.strip().upper()
    if not CODE.fullmatch(code):
        raise argparse.ArgumentTypeError(f"{text!r}: A-Z, 0-9, 4-10")
    return code


def _holder(text: str) -> Holder:
    role, _, id = text.partition(":")
    if role not in ("host", "director", "overlay"):
        raise argparse.ArgumentTypeError(f"{text!r}: host, host:ID, director:ID, overlay")
    return Holder(role, id or ("overlay" if role == "overlay" else ""), "")  # type: ignore[arg-type]  # one of the three
