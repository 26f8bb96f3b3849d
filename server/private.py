"""What a command makes is its owner's alone: files and folders from their first byte, and no image of the memory (core(5)).

A data folder that is brought back from a backup has the modes that the backup gave it: what is open to others is closed first.
"""

import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

from server.settings import ADDRESS, Settings

OTHERS = 0o077
FILES = (ADDRESS, "secret", "metrics-token", "server.lock")
"""Ours in the data folder itself, where others may keep something, too."""


class OpenToOthers(Exception):
    """Others can read or change a file of ours, whose owner we are not."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def begin() -> None:
    """At the start of every process; what it starts inherits it."""
    os.umask(OTHERS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def open_paths(settings: Settings) -> list[Path]:
    """What lies in the data folders and others can get at."""
    return [path for path in _ours(settings) if _is_open(path)]


def close(settings: Settings) -> list[Path]:
    """Take the others' rights away; what had them. Raises OpenToOthers."""
    closed = []
    for path in open_paths(settings):
        try:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
        except FileNotFoundError:
            continue  # the store rewrites its files
        except PermissionError:
            raise OpenToOthers(path) from None
        closed.append(path)
    return closed


def _ours(settings: Settings) -> Iterator[Path]:
    data = Path(settings.data_dir)
    if data.is_dir() and not data.stat().st_mode & stat.S_ISVTX:  # where all may write, as in /tmp, it is nobody's
        yield data
    yield from (data / name for name in FILES)
    for folder in (data / "valkey", Path(settings.issuer_dir) if settings.issuer_dir else data / "issuer"):
        yield folder
        yield from (Path(at) / name for at, folders, files in os.walk(folder) for name in (*folders, *files))


def _is_open(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & OTHERS)
