"""Peers, installed by package name and pinned version into .make/bench: none of them is a dependency of the product."""

import shutil
import subprocess
import sys
from pathlib import Path

from loadtests.native.build import FOLDER, NoCompiler, compiled

PEERS = Path(__file__).parent / "peers"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


class Missing(Exception):
    """A peer cannot be had on this machine; the sentence says what to do. Its place in the tables stays empty."""


def python() -> Path:
    """A Python with the peers' packages. Raises Missing."""
    folder, wanted = FOLDER / "venv", PEERS / "requirements.txt"
    program = folder / "bin" / "python"
    if _done(folder, wanted):
        return program.absolute()
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(program), "-m", "pip", "-qq", "--disable-pip-version-check", "install", "-r", str(wanted)])
    _note(folder, wanted)
    return program.absolute()


def node() -> Path:
    """A folder of Node modules. Raises Missing."""
    folder, wanted = FOLDER / "node", PEERS / "package.json"
    if shutil.which("npm") is None:
        raise Missing("Node and npm are not installed")
    if not _done(folder, wanted):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted, folder / "package.json")
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        _run(["npm", "install", "--prefix", str(folder), *options])
        _note(folder, wanted)
    return (folder / "node_modules").absolute()


def floor() -> Path:
    """The C loop. Raises Missing."""
    try:
        return compiled("floor", [PEERS / "floor.c"])
    except (NoCompiler, subprocess.CalledProcessError) as error:
        raise Missing(f"gcc is not installed, or failed: {error}") from None


def nchan() -> Path:
    """nginx's module. Raises Missing."""
    if not NCHAN.exists() or shutil.which("nginx", path="/usr/sbin:/usr/bin:/bin") is None:
        raise Missing("apt-get install nginx libnginx-mod-nchan")
    return NCHAN


def _done(folder: Path, wanted: Path) -> bool:
    note = folder / "installed"
    return note.exists() and note.read_bytes() == wanted.read_bytes()


def _note(folder: Path, wanted: Path) -> None:
    (folder / "installed").write_bytes(wanted.read_bytes())


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(f"cannot be installed: {error}") from None
