"""`townhall links`: links of a town hall listed, made and revoked; or the list of all town halls."""

import argparse
import time
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from moderation.context import Actor
from protocol.commands import Command, RenewLinks, RevokeLink
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.views import RoleLink
from server.commands.terminal import Failed, say, words
from server.commands.town_halls import find, opened
from server.gateway.staff import Holder, hand_out
from server.halls.runtime import Runtime
from server.http.staff import states
from server.settings import Settings


async def links_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Links of one town hall: listed, made, revoked; or the list of all town halls."""
    if (given.make or given.revoke) and not given.code:
        raise Failed(say(lang, "links_need_code"))
    async with opened(settings, lang) as tools:
        if given.code:
            runtime = await find(tools, given.code, lang)
            if given.revoke:
                by_role = given.revoke in ("host", "director", "overlay")
                id = uuid4().hex
                command: Command = (
                    RenewLinks(client_id=id, role=given.revoke) if by_role else RevokeLink(client_id=id, link=given.revoke)
                )
                done = await tools.executor.execute(runtime, Actor("organiser"), None, command)
                if isinstance(done, Refusal):
                    raise Failed(words(done, lang))
                await tools.directory.caught_up(runtime, done.seq)
            if given.make:
                role, id, _ = given.make
                label = given.label or (runtime.hall.name_of(f"{role}:{id}") if id else role)
                holder = Holder(role, id, label)
                print_made(await hand_out(tools.executor, tools.links, runtime, [holder], days=given.days), lang)
            else:
                print(f"audience: {tools.links.audience_url(runtime.code)}")
                _print_links(runtime, lang, ZoneInfo(settings.time_zone))
            return 0
        print(f"organiser: {await tools.openings.url(tools.links.public_url)}")
        for code in await tools.directory.codes():
            runtime = await find(tools, code, lang)
            print(f"{code}  {runtime.hall.phase}  {runtime.hall.setup.title}")
    return 0


def print_made(made: tuple[RoleLink, ...] | Refusal, lang: Language) -> None:
    """Addresses with their secrets, which are told this once. Raises Failed."""
    if isinstance(made, Refusal):
        raise Failed(words(made, lang))
    for link in made:
        print(f"{link.role}: {link.url}  ({link.name})")
    if made:
        print(say(lang, "told_once"))


def _print_links(runtime: Runtime, lang: Language, zone: ZoneInfo) -> None:
    for link in states(runtime, int(time.time())):
        until = datetime.fromtimestamp(link.expires, zone).strftime("%Y-%m-%d %H:%M")
        print(f"{link.link}  {link.role}:{link.id}  {link.label}  {say(lang, 'link_' + link.state, until=until)}")
