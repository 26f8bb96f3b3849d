"""`townhall doctor` and `townhall verify-pages`: whether all is well with the machine, and with a server's pages."""

import argparse

from protocol.names import Language
from server import doctor
from server.commands.terminal import Failed, say
from server.settings import Settings
from server.verify_pages import CannotVerify, compare


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
