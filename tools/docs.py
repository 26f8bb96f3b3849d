"""The generated pages of docs/: `python -m tools.docs` writes them, `--check` says which are not as they would be written."""

import sys
from collections.abc import Callable
from pathlib import Path

from server.settings import markdown
from tools.reference import codes, lifecycles, limits, log, messages, overlay, permissions

ROOT = Path(__file__).parent.parent
GENERATED: dict[str, Callable[[], str]] = {
    "docs/reference/codes.md": codes.page,
    "docs/reference/lifecycles.md": lifecycles.page,
    "docs/reference/limits.md": limits.page,
    "docs/reference/log.md": log.page,
    "docs/reference/messages.md": messages.page,
    "docs/reference/overlay.md": overlay.page,
    "docs/reference/permissions.md": permissions.page,
    "docs/reference/settings.md": markdown,
}
"""{path: what gives its text}."""


def stale(root: Path = ROOT) -> list[str]:
    """The pages that differ from what the code says now, or are not there."""
    return [path for path, make in GENERATED.items() if not (root / path).exists() or (root / path).read_text("utf-8") != make()]


def write(root: Path = ROOT) -> None:
    """All of them."""
    for path, make in GENERATED.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(make(), "utf-8")


def main(words: list[str]) -> int:
    """The exit status."""
    if "--check" not in words:
        write()
        return 0
    found = stale()
    for path in found:
        print(f"{path} is not up to date: run `make docs`", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
