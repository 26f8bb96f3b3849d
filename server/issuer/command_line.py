"""Commands of the issuer: run it alone; make a town hall's key there and print the card that the chat is given; close."""

import argparse
import asyncio
import contextlib
import errno
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from protocol.credentials import key_hex, key_words
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import sentence
from protocol.setup import Issuer
from server import event_loop
from server.answers import refused
from server.issuer.eligibility import Issuance
from server.issuer.issuances import Issuances
from server.issuer.routes import b64
from server.issuer.run import ADDRESS, folder, parent_gone, port, running, staff_grants
from server.settings import Settings

AGAIN_S = 0.5
TRIES = 20
"""An issuer whose chat was killed still holds the port for a moment: the one of the next start tries this often."""


async def issuer_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Until SIGINT or SIGTERM; beside a chat, until that is gone."""
    stopped = event_loop.stop_signal()
    async with contextlib.AsyncExitStack() as stack:
        tries = TRIES if given.with_parent else 1
        while True:
            try:
                issuer = await stack.enter_async_context(running(settings))
                break
            except OSError as error:
                tries -= 1
                if error.errno != errno.EADDRINUSE:
                    raise
                if not tries:
                    print(sentence(lang, "cli", "port_taken", port=port(settings)), file=sys.stderr)
                    return 1
                await asyncio.sleep(AGAIN_S)
        print(f"issuer: {issuer.organiser_url}", flush=True)
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(stopped.wait())]
        if given.with_parent:
            ends.append(asyncio.create_task(parent_gone()))
        _, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
    return 0


@contextlib.asynccontextmanager
async def books(settings: Settings) -> AsyncIterator[Issuances]:
    """The issuer's ledger and keys, beside a running issuer or without one."""
    issuances = Issuances(folder(settings))
    try:
        yield issuances
    finally:
        await issuances.stop()


def end_of(text: str, settings: Settings) -> int:
    """Unix seconds of `2026-11-30T18:00` in the office's time zone. Raises ValueError."""
    if len(text) <= len("2026-11-30"):
        raise ValueError("a day without a time")
    found = datetime.fromisoformat(text)
    return int((found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings.time_zone))).timestamp())


def until(issuance: Issuance, settings: Settings) -> str:
    """Until when entries are given out, in the office's time zone."""
    return datetime.fromtimestamp(issuance.closes_at, ZoneInfo(settings.time_zone)).strftime("%Y-%m-%d %H:%M")


def card_of(settings: Settings, issuance: Issuance) -> Issuer:
    """What the organiser carries from the issuer to the chat."""
    told = folder(settings) / ADDRESS
    listening = f"http://{settings.issuer_host}:{port(settings)}"
    url = settings.issuer_public_url.rstrip("/") or (told.read_text("ascii").strip() if told.exists() else listening)
    return Issuer(
        url=url,
        key=b64(issuance.spki),
        kinds=issuance.kinds,
        staff_key=b64(staff_grants(settings).public),
        waiting_key=b64(issuance.waiting_spki),
    )


async def issuance_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Make, show, put off or close the issuance of one town hall."""
    try:
        given.ends = None if given.ends is None else end_of(given.ends, settings)
    except ValueError:
        print(sentence(lang, "cli", "bad_ends", text=given.ends), file=sys.stderr)
        return 1

    def say(key: str, **params: object) -> str:
        return sentence(lang, "cli", key, **params)

    async with books(settings) as issuances:
        found: Issuance | Refusal | None = await issuances.get(given.code)
        if found is None and given.title:
            chat = given.chat or settings.public_url or f"http://{settings.host}:{settings.port}"
            if not given.who:
                print(say("who_then"), file=sys.stderr)
                return 1
            found = await issuances.create(given.title, given.lang or lang, chat, given.who, given.code, ends_at=given.ends)
        elif isinstance(found, Issuance) and given.ends is not None:
            found = await issuances.put_off(found, given.ends)
        if isinstance(found, Refusal):
            error = refused(found, lang).error
            print(say("refused", why=error.message if error else found.code), file=sys.stderr)
            return 1
        if found is None:
            print(say("no_issuance", code=given.code))
            return 1
        if given.close:
            found = await issuances.close_issuing(found)
        card = card_of(settings, found)
        if given.json:
            print(msgspec.json.encode(card).decode())
            return 0
        print(say("issuance_open" if found.open else "issuance_closed", code=found.code, count=await issuances.issued(found)))
        if found.open:
            print(say("issuance_until", until=until(found, settings)))
        print(say("issuance_words", words=" · ".join(key_words(found.spki, lang))))
        print(say("issuance_hex", hex=key_hex(found.spki)))
        print(say("issuance_card", card=msgspec.json.encode(card).decode()))
        if card.staff_key:
            print(say("issuance_staff", url=f"{card.url}/oidc/staff?code={found.code}"))
    return 0
