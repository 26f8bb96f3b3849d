"""Entry version n → n+1, on raw dicts, as a chain: logs outlive programs. None is needed yet."""

from collections.abc import Callable
from typing import Any

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTS: dict[tuple[str, int], Upcast] = {}
"""(kind, from version) → step."""


def upcast(kind: str, version: int, raw: dict[str, Any]) -> dict[str, Any]:
    """`raw` brought to the newest version of its kind."""
    while step := UPCASTS.get((kind, version)):
        raw = step(raw)
        version += 1
    return raw
