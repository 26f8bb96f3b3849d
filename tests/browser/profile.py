"""A browser with a profile that stays on the disk, and what it has kept there."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDE = re.compile(rb"(?:[\x20-\x7e]\x00){12,}")
"""Letters in UTF-16, as some of the browser's files have them."""


async def browsed(folder: Path, visits: Sequence[dict[str, Any]], camera: Path | None = None) -> None:
    """Open all of `visits` in a browser whose profile is `folder`, and close it. `camera`: film that it shows."""
    process = await asyncio.create_subprocess_exec(
        *(
            "node",
            "tests/browser/profile.mjs",
            json.dumps({"folder": str(folder), "visits": visits, "camera": str(camera or "")}),
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(180):
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def kept(folder: Path) -> str:
    """All letters in all files of the profile."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            raw = path.read_bytes()
            found.append(raw.decode("latin-1"))
            found += [wide.decode("utf-16-le") for wide in WIDE.findall(raw)]
    return "\n".join(found)
