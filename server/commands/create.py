"""`townhall create`: a town hall from the command line, and the card that people come in with."""

import argparse
import io

import segno

from moderation.context import Actor
from protocol.commands import OpenHall
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.setup import Admission, Setup
from server.commands.links import print_made
from server.commands.terminal import Failed, say, words
from server.commands.town_halls import opened
from server.gateway.staff import everybody, hand_out
from server.halls.runtime import Runtime
from server.http.csv_import import parse
from server.http.organiser import known
from server.issuer.command_line import books, card_of, end_of, until
from server.settings import Settings
from server.toolbox import Toolbox


async def create_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Into the store of this data folder, beside a running server or without one."""
    try:
        raw = given.directors.read_bytes()
    except OSError as error:
        raise Failed(say(lang, "no_file", path=given.directors, why=error.strerror)) from None
    found = parse(raw, lang)
    if isinstance(found, Refusal):
        raise Failed(words(found, lang))
    setup = Setup(title=given.title, language=lang, mode=given.mode, departments=tuple(found[0]), directors=tuple(found[1]))
    async with opened(settings, lang) as tools:
        admission = await _admission(given, settings, tools, lang)
        code = admission[0] if admission else given.code
        runtime = await tools.directory.create(
            code, setup, Actor("organiser"), known(settings), admission[1] if admission else None
        )
        if isinstance(runtime, Refusal):
            raise Failed(words(runtime, lang))
        if given.open:
            # Through the rules, as from the organiser's page.
            done = await tools.executor.execute(runtime, Actor("organiser"), None, OpenHall(client_id="command-line"))
            if isinstance(done, Refusal):
                raise Failed(words(done, lang))
        print(say(lang, "created", code=runtime.code))
        if admission:
            print(admission[2])
        url = tools.links.audience_url(runtime.code)
        print(f"audience: {url}")
        if given.card:
            print(_join_card(runtime, url, lang))
        print_made(await hand_out(tools.executor, tools.links, runtime, everybody(runtime.hall, lang)), lang)
    return 0


async def _admission(
    given: argparse.Namespace, settings: Settings, tools: Toolbox, lang: Language
) -> tuple[str, Admission, str] | None:
    """(code, what the issuer's card makes of it, until when entries are given out).

    This command is the organiser's hand: it alone touches both sides.
    """
    if not given.who and settings.issuer != "none":
        raise Failed(say(lang, "who_of_four"))
    who = tuple(given.who or ("link",))
    if "link" in who:
        return None
    if settings.issuer == "none":
        # Its key would be made in a folder that no issuer serves, and nobody could ever come in.
        raise Failed(say(lang, "no_issuer_here"))
    try:
        ends = None if given.ends is None else end_of(given.ends, settings)
    except ValueError:
        raise Failed(say(lang, "bad_ends", text=given.ends)) from None
    async with books(settings) as issuances:
        found = await issuances.get(given.code) if given.code else None
        made = found or await issuances.create(given.title, lang, tools.links.public_url, who, given.code, ends_at=ends)
        if isinstance(made, Refusal):
            raise Failed(words(made, lang))
        admission = Admission(issuer=card_of(settings, made), minimum_participants=given.minimum)
        return made.code, admission, say(lang, "issuance_until", until=until(made, settings))


def _join_card(runtime: Runtime, url: str, lang: Language) -> str:
    """What people need to come in, to be copied or photographed: title, code, address, and the address as a QR code."""
    drawn = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(drawn, border=2, compact=True)
    return f"\n{runtime.hall.setup.title}\n{say(lang, 'join_code', code=runtime.code)}\n{url}\n\n{drawn.getvalue()}"
