"""`townhall organiser`: a new address of the organiser's page, or the key for programs, which stands in no address."""

import argparse

from protocol.names import Language
from server.commands.terminal import say
from server.commands.town_halls import opened
from server.issuer.command_line import card_url
from server.issuer.run import openings_of
from server.openings import Openings
from server.settings import Settings


async def organiser_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Of the chat, or with `--issuer` of the issuer on this folder."""
    if given.issuer:
        await _print(given, openings_of(settings), "issuer", card_url(settings), lang)
        return 0
    async with opened(settings, lang) as tools:
        await _print(given, tools.openings, "organiser", tools.links.public_url, lang)
    return 0


async def _print(given: argparse.Namespace, openings: Openings, name: str, url: str, lang: Language) -> None:
    if given.key:
        print(openings.api_key)
        return
    if given.end:
        await openings.end()
        print(say(lang, "openings_ended"))
    print(f"{name}: {await openings.url(url)}")
