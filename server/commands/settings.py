"""`townhall settings`: what would be used; or the manual."""

import argparse

from protocol.names import Language
from server.commands.terminal import say
from server.settings import Settings, markdown


def settings_command(given: argparse.Namespace, settings: Settings, sources: dict[str, str], lang: Language) -> int:
    """What would be used; or the manual."""
    print(markdown() if given.markdown else used(settings, sources, lang), end="\n" if not given.markdown else "")
    return 0


def used(settings: Settings, sources: dict[str, str], lang: Language) -> str:
    """Settings that differ from the defaults, without passwords."""
    lines = []
    for name, source in sources.items():
        value = getattr(settings, name)
        if name == "redis_url" and "@" in value:
            value = value.partition("://")[0] + "://…@" + value.rpartition("@")[2]
        lines.append(say(lang, "uses", name=name, value=value, source=source))
    return "\n".join(lines) or say(lang, "defaults")
