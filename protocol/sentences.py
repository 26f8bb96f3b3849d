"""The catalogue of all text that a person sees: one for each language, a file a section, the same keys in both."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from protocol.names import Language

LANGUAGES: tuple[Language, ...] = ("ko", "en")


@cache
def section(lang: Language, name: str) -> dict[str, Any]:
    """Section `name` of the catalogue of `lang`. Raises FileNotFoundError."""
    source = files("protocol").joinpath("catalogue", lang, f"{name}.json")
    loaded: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return loaded


def sentence(lang: Language, name: str, key: str, /, **params: object) -> str:
    """The sentence of `key` (dots go down a level) with its placeholders filled; a missing one stays empty."""
    found: Any = section(lang, name)
    for part in key.split("."):
        found = found[part]
    return str(found).format_map(_Blank(params))


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""
