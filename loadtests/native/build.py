"""Compiles the C sources beside it. `make bench` does; without it, and without gcc, Python's audience plays."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("LOADTESTS_DIR", ".make/bench"))
"""Where compiled programs and the peers of the bench lie."""
FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror")


class NoCompiler(Exception):
    """There is no gcc."""


def found() -> Path | None:
    """The compiled audience, if it is newer than its sources."""
    program = FOLDER / "audience"
    if not program.exists() or program.stat().st_mtime < max(source.stat().st_mtime for source in HERE.glob("*.[ch]")):
        return None
    return program.resolve()


def compiled(name: str, sources: list[Path], *libraries: str) -> Path:
    """Program `name` from C sources, made anew where it is older. Raises NoCompiler, CalledProcessError."""
    program = FOLDER / name
    if program.exists() and program.stat().st_mtime >= max(source.stat().st_mtime for source in sources):
        return program.resolve()
    compiler = shutil.which("gcc")
    if compiler is None:
        raise NoCompiler
    FOLDER.mkdir(parents=True, exist_ok=True)
    code = [str(source) for source in sources if source.suffix == ".c"]
    subprocess.run([compiler, *FLAGS, "-o", str(program), *code, *libraries], check=True)
    return program.resolve()


def audience() -> Path:
    """The C audience. Raises NoCompiler, CalledProcessError."""
    return compiled("audience", sorted(HERE.glob("*.[ch]")), "-lm")


if __name__ == "__main__":
    try:
        print(audience())
    except NoCompiler:
        sys.exit("gcc is missing: the Python audience plays instead")
