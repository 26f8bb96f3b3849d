"""The command line: serve, demo, create, links, log, export, doctor, settings."""

import argparse
import asyncio
import contextlib
import errno
import io
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

import segno

from moderation.audit import first_bad
from moderation.context import Actor
from protocol import wire
from protocol.commands import Command, OpenHall, RenewLinks, RevokeLink
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import sentence
from protocol.setup import Admission, EligibilityKind, Setup
from protocol.views import RoleLink
from server import app, doctor, event_loop, telemetry
from server.answers import refused
from server.demo.run import crowd, demo_hall, print_links
from server.gateway.gateway import CODE
from server.gateway.staff import DAYS, Holder, everybody, hand_out
from server.halls.replay import replay
from server.halls.runtime import Runtime
from server.http.audit import audit_lines
from server.http.csv_import import parse
from server.http.export import FORMATS
from server.http.metrics import BadToken
from server.http.organiser import known
from server.http.staff import states
from server.issuer.beside import Beside, beside
from server.issuer.command_line import books, card_of, issuance_command, issuer_command
from server.issuer.invite_command import invite_command
from server.log_printer import print_log
from server.secret import BadSecret
from server.settings import BadSettings, Settings, load, markdown
from server.store.appender import Busy
from server.store.client import StoreRefused, StoreUnavailable
from server.store.embedded import DataFolderBusy, ValkeyFailed
from server.toolbox import Toolbox, toolbox
from server.verify_pages import CannotVerify, compare
from server.workers.parent import Parent, WorkerFailed, supervising


class Failed(Exception):
    """A sentence for the person at the terminal; the exit code is 1."""


_EXPLAINED = (
    Failed,
    StoreUnavailable,
    StoreRefused,
    Busy,
    DataFolderBusy,
    ValkeyFailed,
    BadSecret,
    BadToken,
    WorkerFailed,
    OSError,
)
"""What has a sentence of its own; anything else is a bug, and shows where."""


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
    try:
        return event_loop.run(_heard(given.run(given, settings, sources, lang)))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough (`townhall log … | head`); nothing more may be flushed there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except _EXPLAINED as error:
        print(explained(error, settings, lang), file=sys.stderr)
        return 1


async def _heard(run: Coroutine[Any, Any, int]) -> int:
    telemetry.hear(asyncio.get_running_loop())
    return await run


def explained(error: Exception, settings: Settings, lang: Language) -> str:
    """What went wrong and what to do, for the person at the terminal; no password in it."""
    match error:
        case DataFolderBusy():
            return say(lang, "data_busy", data=settings.data_dir)
        case BadToken():
            return say(lang, "bad_token", path=error)
        case WorkerFailed():
            return say(lang, "worker_failed")
        case BadSecret():
            return say(lang, "bad_secret", path=error)
        case StoreUnavailable() | StoreRefused() | Busy():
            return say(lang, "no_store", url=settings.redis_url.rpartition("@")[2] or settings.data_dir, why=error)
        case OSError(errno=errno.EADDRINUSE):
            return say(lang, "port_taken", port=settings.port)
        case OSError(errno=errno.EACCES, filename=None) | OSError(errno=errno.EADDRNOTAVAIL):
            return say(lang, "port_refused", host=settings.host, port=settings.port, why=error.strerror)
        case OSError(filename=str() | bytes()):
            return say(lang, "no_file", path=error.filename, why=error.strerror)
        case ValkeyFailed():
            return say(lang, "valkey_failed", why=error)
    return str(error)


FILES = 65_536
"""Open files that a server asks for, within what it is allowed: one a connection, and some for itself."""
_SETTINGS = ("host", "port", "workers", "data_dir", "redis_url", "issuer_host", "issuer_port")


def language(arguments: Sequence[str]) -> Language:
    """`--lang`, else the environment's, else English."""
    for place, word in enumerate(arguments):
        if word.startswith("--lang"):
            value = word.partition("=")[2] or (arguments[place + 1] if place + 1 < len(arguments) else "")
            return "ko" if value == "ko" else "en"
    return "ko" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ko") else "en"


def say(lang: Language, key: str, /, **params: object) -> str:
    """A sentence of section `cli`."""
    return sentence(lang, "cli", key, **params)


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
    create.add_argument("--minimum", type=int, default=30, help=t("minimum"))
    create.add_argument("--open", action="store_true", help=t("open"))
    create.add_argument("--card", action="store_true", help=t("join_card"))
    links = add("links", links_command)
    links.add_argument("code", nargs="?", type=_code, help=t("code"))
    links.add_argument("--make", metavar="ROLE[:ID]", type=_holder, help=t("make_link"))
    links.add_argument("--label", help=t("label"))
    links.add_argument("--days", type=int, choices=range(1, limit("link_days") + 1), default=DAYS, metavar="N", help=t("days"))
    links.add_argument("--revoke", metavar="LINK|ROLE", help=t("revoke"))
    invite = add("invite", invite_command)
    invite.add_argument("code", type=_code, help=t("code"))
    invite.add_argument("people", type=Path, help=t("people"))
    invite.add_argument("--slips", type=Path, metavar="FILE.html", help=t("slips"))
    invite.add_argument("--csv", type=Path, metavar="FILE.csv", help=t("merge"))
    invite.add_argument("--send", action="store_true", help=t("send_mail"))
    log = add("log", log_command)
    log.add_argument("code", type=_code, help=t("code"))
    log.add_argument("--follow", action="store_true", help=t("follow"))
    export = add("export", export_command)
    export.add_argument("code", type=_code, help=t("code"))
    export.add_argument("--format", choices=("jsonl", "csv", "html"), default="jsonl", help=t("format"))
    issuer = add("issuer", issuer_command)
    issuer.add_argument("--issuer-host", help=t("host"))
    issuer.add_argument("--issuer-port", type=int, help=t("port"))
    issuer.add_argument("--port", type=int, help=t("chat_port"))
    issuer.add_argument("--with-parent", action="store_true", help=t("with_parent"))
    issuance = add("issuance", issuance_command)
    issuance.add_argument("code", type=_code, help=t("code"))
    issuance.add_argument("--title", help=t("title"))
    issuance.add_argument("--who", action="append", choices=get_args(EligibilityKind), help=t("who"))
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


def settings_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """What would be used; or the manual."""
    print(markdown() if given.markdown else _used(settings, sources, lang), end="\n" if not given.markdown else "")
    return 0


def _used(settings: Settings, sources: dict[str, str], lang: Language) -> str:
    """Settings that differ from the defaults, without passwords."""
    lines = []
    for name, source in sources.items():
        value = getattr(settings, name)
        if name == "redis_url" and "@" in value:
            value = value.partition("://")[0] + "://…@" + value.rpartition("@")[2]
        lines.append(say(lang, "uses", name=name, value=value, source=source))
    return "\n".join(lines) or say(lang, "defaults")


def _more_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _stop_signal() -> asyncio.Event:
    """Set by SIGINT or SIGTERM. Asked for before anything starts: a signal in the middle of it must leave no store behind."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(kind, stopped.set)
    return stopped


async def serve_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Until SIGINT or SIGTERM."""
    _more_files()
    stopped = _stop_signal()
    print(_used(settings, sources, lang), flush=True)
    async with _served(settings) as server, _issuer(given, settings, server) as issuer:
        event_loop.settle()
        if server.valkey is not None and server.valkey.adopted:
            print(say(lang, "adopted", pid=server.valkey.pid))
        print(f"organiser: {server.links.organiser_url()}")
        if issuer:
            print(f"issuer: {issuer.organiser_url}")
        print(say(lang, "listening", url=server.url), flush=True)
        await stopped.wait()
        print(say(lang, "stopping"), flush=True)
    return 0


def _served(settings: Settings) -> contextlib.AbstractAsyncContextManager[app.Node | Parent]:
    """One process that does all, or a parent with workers."""
    return app.running(settings) if settings.workers == 1 else supervising(settings)


async def demo_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """The server with a demo town hall."""
    _more_files()
    stopped = _stop_signal()
    async with _served(settings) as server, _issuer(given, settings, server) as issuer, contextlib.AsyncExitStack() as stack:
        same = _same(given) if issuer else None
        async with contextlib.AsyncExitStack() as shortly:
            if isinstance(server, app.Node):
                directory, executor, links = server.gateway.directory, server.executor, server.links
            else:
                tools = await shortly.enter_async_context(toolbox(settings))
                directory, executor, links = tools.directory, tools.executor, server.links
            hall = await demo_hall(directory, executor, links, settings, same)
            if issuer:
                print(f"issuer: {issuer.organiser_url}")
            await print_links(executor, links, hall)
        event_loop.settle()
        if not given.quiet:
            await stack.enter_async_context(crowd(server.url, hall.code))
        await stopped.wait()
        print(say(lang, "stopping"), flush=True)
    return 0


def _same(given: argparse.Namespace) -> list[str]:
    """What another command is given so that it uses the settings of this one."""
    flags = {"data_dir": "--data", "redis_url": "--redis"}
    found = [word for name, flag in flags.items() if (value := getattr(given, name, None)) for word in (flag, str(value))]
    return [*found, *(("--config", str(given.config)) if given.config else ())]


@contextlib.asynccontextmanager
async def _issuer(given: argparse.Namespace, settings: Settings, server: app.Node | Parent) -> AsyncIterator[Beside | None]:
    """The issuer beside this server, which tells when it is down; None: it runs elsewhere."""
    if settings.issuer == "none":
        yield None
        return
    # Its port follows from the chat's, which may be given on the command line.
    arguments = [*_same(given), "--port", str(settings.port)]
    async with beside(arguments, same_port=not settings.port and not settings.issuer_port) as found:
        server.neighbours = found.warnings
        yield found


@contextlib.asynccontextmanager
async def _tools(settings: Settings, lang: Language) -> AsyncIterator[Toolbox]:
    async with contextlib.AsyncExitStack() as stack:
        try:
            tools = await stack.enter_async_context(toolbox(settings))
        except (DataFolderBusy, ValkeyFailed) as error:
            raise Failed(say(lang, "offline_needs", why=error)) from None
        yield tools


async def create_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Into the store of this data folder, beside a running server or without one."""
    try:
        raw = given.directors.read_bytes()
    except OSError as error:
        raise Failed(say(lang, "no_file", path=given.directors, why=error.strerror)) from None
    found = parse(raw, lang)
    if isinstance(found, Refusal):
        raise Failed(_words(found, lang))
    setup = Setup(title=given.title, language=lang, mode=given.mode, departments=tuple(found[0]), directors=tuple(found[1]))
    async with _tools(settings, lang) as tools:
        admission = await _admission(given, settings, tools, lang)
        code = admission[0] if admission else given.code
        runtime = await tools.directory.create(
            code, setup, Actor("organiser"), known(settings), admission[1] if admission else None
        )
        if isinstance(runtime, Refusal):
            raise Failed(_words(runtime, lang))
        if given.open:
            # Through the rules, as from the organiser's page.
            done = await tools.executor.execute(runtime, Actor("organiser"), None, OpenHall(client_id="command-line"))
            if isinstance(done, Refusal):
                raise Failed(_words(done, lang))
        print(say(lang, "created", code=runtime.code))
        url = tools.links.audience_url(runtime.code)
        print(f"audience: {url}")
        if given.card:
            print(_join_card(runtime, url, lang))
        _print_made(await hand_out(tools.executor, tools.links, runtime, everybody(runtime.hall, lang)), lang)
    return 0


async def _admission(
    given: argparse.Namespace, settings: Settings, tools: Toolbox, lang: Language
) -> tuple[str, Admission] | None:
    """(code, what the issuer's card makes of it). This command is the organiser's hand: it alone touches both sides."""
    who = tuple(given.who or (("link",) if settings.issuer == "none" else ("open",)))
    if "link" in who:
        return None
    if settings.issuer == "none":
        # Its key would be made in a folder that no issuer serves, and nobody could ever come in.
        raise Failed(say(lang, "no_issuer_here"))
    async with books(settings) as issuances:
        found = await issuances.get(given.code) if given.code else None
        made = found or await issuances.create(given.title, lang, tools.links.public_url, who, given.code)
        if isinstance(made, Refusal):
            raise Failed(_words(made, lang))
        return made.code, Admission(issuer=card_of(settings, made), minimum_participants=given.minimum)


def _join_card(runtime: Runtime, url: str, lang: Language) -> str:
    """What people need to come in, to be copied or photographed: title, code, address, and the address as a QR code."""
    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(drawn, border=2, compact=True)
    return f"\n{runtime.hall.setup.title}\n{say(lang, 'join_code', code=runtime.code)}\n{url}\n\n{drawn.getvalue()}"


def _words(refusal: Refusal, lang: Language) -> str:
    error = refused(refusal, lang).error
    assert error is not None
    return say(lang, "refused", why=error.message)


def _print_made(made: tuple[RoleLink, ...] | Refusal, lang: Language) -> None:
    if isinstance(made, Refusal):
        raise Failed(_words(made, lang))
    for link in made:
        print(f"{link.role}: {link.url}  ({link.name})")
    if made:
        print(say(lang, "told_once"))


def _print_links(runtime: Runtime, lang: Language, zone: ZoneInfo) -> None:
    for link in states(runtime, int(time.time())):
        until = datetime.fromtimestamp(link.expires, zone).strftime("%Y-%m-%d %H:%M")
        print(f"{link.link}  {link.role}:{link.id}  {link.label}  {say(lang, 'link_' + link.state, until=until)}")


async def _find(tools: Toolbox, code: str, lang: Language) -> Runtime:
    runtime = await tools.directory.get(code)
    if runtime is None:
        raise Failed(say(lang, "no_hall", code=code))
    return runtime


async def links_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Links of one town hall: listed, made, revoked; or the list of all town halls."""
    if (given.make or given.revoke) and not given.code:
        raise Failed(say(lang, "links_need_code"))
    async with _tools(settings, lang) as tools:
        if given.code:
            runtime = await _find(tools, given.code, lang)
            if given.revoke:
                by_role = given.revoke in ("host", "director", "overlay")
                id = uuid4().hex
                command: Command = (
                    RenewLinks(client_id=id, role=given.revoke) if by_role else RevokeLink(client_id=id, link=given.revoke)
                )
                done = await tools.executor.execute(runtime, Actor("organiser"), None, command)
                if isinstance(done, Refusal):
                    raise Failed(_words(done, lang))
                await tools.directory.caught_up(runtime, done.seq)
            if given.make:
                role, id, _ = given.make
                label = given.label or (runtime.hall.name_of(f"{role}:{id}") if id else role)
                holder = Holder(role, id, label)
                _print_made(await hand_out(tools.executor, tools.links, runtime, [holder], days=given.days), lang)
            else:
                print(f"audience: {tools.links.audience_url(runtime.code)}")
                _print_links(runtime, lang, ZoneInfo(settings.time_zone))
            return 0
        print(f"organiser: {tools.organiser_url}")
        for code in await tools.directory.codes():
            runtime = await _find(tools, code, lang)
            print(f"{code}  {runtime.hall.phase}  {runtime.hall.setup.title}")
    return 0


async def log_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Entries as sentences, to standard output."""
    async with _tools(settings, lang) as tools:
        await _find(tools, given.code, lang)
        await print_log(tools.store, given.code, lang, ZoneInfo(settings.time_zone), follow=given.follow)
    return 0


async def export_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """The record, to standard output."""
    name = {"jsonl": "record.jsonl", "csv": "questions.csv", "html": "report.html"}[given.format]
    async with _tools(settings, lang) as tools:
        runtime = await _find(tools, given.code, lang)
        chosen = given.lang or runtime.hall.setup.language
        hall = await replay(tools.store, runtime.code)
        for chunk in FORMATS[name][1](hall, ZoneInfo(settings.time_zone), chosen):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    return 0


async def audit_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """The audit to standard output; or whether a file of it holds: 0 if so."""
    if given.check is None:
        if not given.code:
            raise Failed(say(lang, "links_need_code"))
        async with _tools(settings, lang) as tools:
            await _find(tools, given.code, lang)
            async for one in audit_lines(tools.store, given.code):
                sys.stdout.buffer.write(one)
            sys.stdout.buffer.flush()
        return 0
    lines: list[object] = []
    for text in given.check.read_bytes().splitlines():
        try:
            lines.append(wire.loads(text))
        except wire.BadJson:
            lines.append(None)
    head = given.head
    if head is None and given.code:
        async with _tools(settings, lang) as tools:
            head = (await replay(tools.store, (await _find(tools, given.code, lang)).code)).chain
    bad = first_bad(lines, head)
    print(say(lang, "audit_holds", count=len(lines)) if bad is None else say(lang, "audit_bad", seq=bad))
    return 0 if bad is None else 1


async def verify_pages_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """0 if a running server's pages are this checkout's."""
    try:
        found = await compare(given.url)
    except CannotVerify as error:
        raise Failed(str(error)) from None
    for path in found.differ:
        print(say(lang, "page_differs", path=path))
    print(say(lang, "pages_same" if found.same else "pages_differ", files=found.files, ours=found.ours, theirs=found.theirs))
    return 0 if found.same else 1


async def doctor_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """0 if all is well."""
    findings = await doctor.examine(settings)
    for finding in findings:
        print(f"[{say(lang, 'ok' if finding.well else 'check')}] {say(lang, finding.key, **finding.params)}")
        if not finding.well:
            print(f"     {say(lang, finding.key + '_no', **finding.params)}")
    return 0 if all(finding.well for finding in findings) else 1
