"""`townhall export`: the record of a town hall, to standard output."""

import argparse
import sys
from zoneinfo import ZoneInfo

from protocol.names import Language
from server.commands.town_halls import find, opened
from server.halls.replay import replay
from server.http.export import FORMATS
from server.settings import Settings


async def export_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """The record, to standard output."""
    name = {"jsonl": "record.jsonl", "csv": "questions.csv", "polls": "polls.csv", "html": "report.html"}[given.format]
    async with opened(settings, lang) as tools:
        runtime = await find(tools, given.code, lang)
        chosen = given.lang or runtime.hall.setup.language
        hall = await replay(tools.store, runtime.code)
        for chunk in FORMATS[name][1](hall, ZoneInfo(settings.time_zone), chosen):
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    return 0
