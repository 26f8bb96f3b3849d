"""`townhall invite`: from a CSV of people to slips, a CSV to merge, or mail; or unused invitations ended."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from functools import partial

from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import sentence
from server.answers import refused
from server.issuer.command_line import books, card_of
from server.issuer.invitations import Invitations, guests
from server.issuer.mail import Mailer
from server.issuer.people import People
from server.issuer.run import folder
from server.issuer.slips import letter, merged, printed
from server.private_files import write_private
from server.secret import load
from server.settings import Settings

LOOK_S = 0.2


async def invite_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """0: every invitation was made, and sent where that was asked for."""

    def say(key: str, **params: object) -> str:
        return sentence(lang, "cli", key, **params)

    def no(refusal: Refusal) -> int:
        error = refused(refusal, lang).error
        print(say("refused", why=error.message if error else refusal.code), file=sys.stderr)
        return 1

    if (given.people is None) != given.void:
        print(say("invite_whom"), file=sys.stderr)
        return 1
    if given.void:
        return await _void(given.code, settings, say)
    people = await asyncio.to_thread(given.people.read_bytes)
    found = guests(people, lang)
    if isinstance(found, Refusal):
        return no(found)
    mailer = Mailer(settings)
    if given.send:
        without = [guest.name for guest in found.guests if not guest.address]
        if not mailer.set_up:
            return no(Refusal("no_mail"))
        if without:
            return no(Refusal("guest_without_address", {"name": without[0]}))
    async with books(settings) as issuances:
        issuance = await issuances.get(given.code)
        if issuance is None:
            print(say("no_issuance", code=given.code), file=sys.stderr)
            return 1
        if not issuance.open:
            return no(Refusal("issuing_closed"))
        ways = Invitations(issuances, People(load(folder(settings) / "secret")))
        invited = await ways.invite(issuance, found.guests, card_of(settings, issuance).url)
        made = invited.made
    for path, body in ((given.slips, printed(issuance, made)), (given.csv, merged(made))):
        if path is not None:
            await asyncio.to_thread(write_private, path, body)
    if not (given.slips or given.csv or given.send):
        sys.stdout.buffer.write(merged(made))
    if given.send:
        mailer.send(issuance.code, [(one.guest.address, partial(letter, issuance, one, mailer.sender)) for one in made])
        while not mailer.sending(issuance.code).ended:
            await asyncio.sleep(LOOK_S)
        await mailer.stop()
        for address in mailer.sending(issuance.code).failed:
            print(say("not_sent", address=address), file=sys.stderr)
    print(say("invited", count=len(made), sent=mailer.sending(issuance.code).sent), file=sys.stderr)
    print(say("invitations_held", holding=invited.holding, replaced=invited.replaced), file=sys.stderr)
    if found.same_address:
        print(say("same_address", count=found.same_address), file=sys.stderr)
    if found.same_name:
        print(say("same_name", count=found.same_name), file=sys.stderr)
    return 1 if mailer.sending(issuance.code).failed else 0


async def _void(code: str, settings: Settings, say: Callable[..., str]) -> int:
    async with books(settings) as issuances:
        issuance = await issuances.get(code)
        if issuance is None:
            print(say("no_issuance", code=code), file=sys.stderr)
            return 1
        ways = Invitations(issuances, People(load(folder(settings) / "secret")))
        print(say("voided", count=await ways.void(issuance), holding=await ways.count(issuance)))
    return 0
