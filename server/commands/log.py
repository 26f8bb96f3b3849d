"""`townhall log` and `townhall audit`: the log as sentences, as it stands and as it grows; as lines that can be checked."""

import argparse
import sys
from zoneinfo import ZoneInfo

from moderation.audit import first_bad
from protocol import wire
from protocol.names import Language
from server.commands.terminal import Failed, say
from server.commands.town_halls import find, opened
from server.halls.replay import replay
from server.http.audit import audit_lines
from server.log_printer import print_log
from server.settings import Settings


async def log_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """Entries as sentences, to standard output."""
    async with opened(settings, lang) as tools:
        await find(tools, given.code, lang)
        await print_log(tools.store, given.code, lang, ZoneInfo(settings.time_zone), follow=given.follow)
    return 0


async def audit_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """The audit to standard output; or whether a file of it holds: 0 if so."""
    if given.check is None:
        if not given.code:
            raise Failed(say(lang, "links_need_code"))
        async with opened(settings, lang) as tools:
            await find(tools, given.code, lang)
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
        async with opened(settings, lang) as tools:
            head = (await replay(tools.store, (await find(tools, given.code, lang)).code)).chain
    bad = first_bad(lines, head)
    print(say(lang, "audit_holds", count=len(lines)) if bad is None else say(lang, "audit_bad", seq=bad))
    return 0 if bad is None else 1
