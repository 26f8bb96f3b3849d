"""The version is the same wherever it stands: pyproject.toml, the pages' package.json, the newest head of the CHANGELOG."""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def versions(root: Path = ROOT) -> dict[str, str | None]:
    """{file: its version; None: none found}."""
    head = re.search(r"^## (\d+\.\d+\.\d+)\b", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    return {
        "pyproject.toml": tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"],
        "static/package.json": json.loads((root / "static/package.json").read_text("utf-8"))["version"],
        "CHANGELOG.md": head and head[1],
    }


def main() -> int:
    """The exit status."""
    found = versions()
    if len(set(found.values())) == 1:
        return 0
    print("The versions differ: " + ", ".join(f"{name} says {version}" for name, version in found.items()), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
