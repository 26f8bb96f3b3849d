"""Writes the golden histories: `python -m tests.golden.write`."""

import hashlib
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

from moderation.evolve import evolve
from moderation.hall import Hall
from moderation.views import audience, director, host, overlay
from moderation.views.fold import fold
from protocol import commands as c
from protocol import limits, wire
from protocol.bus import pack
from tests.histories import play
from tests.town import HOST, Town

FOLDER = Path(__file__).parent
VERSION = "0.1.0"


def state_digest(hall: Hall) -> str:
    """Of all that people see, whoever they are: independent of how the state is kept."""
    views = [
        audience.snapshot(hall),
        host.snapshot(hall),
        director.snapshot(hall, "d1"),
        director.snapshot(hall, "d2"),
        overlay.snapshot(hall),
    ]
    return hashlib.sha256(b"\n".join(wire.fragment(f) for view in views for f in view)).hexdigest()


def history(seed: int, steps: int) -> Town:
    """A random one, closed at its end."""
    town = Town()
    play(town, steps, seed)
    town.do(HOST, c.CloseHall)
    return town


def log_lines() -> list[str]:
    """The golden log of this version."""
    town = history(11, 300)
    lines = []
    for seq, entry in enumerate(town.log, 1):
        body, text = pack(entry)
        lines.append(json.dumps({"seq": seq, "body": body.hex(), "text": text}, ensure_ascii=False))
    lines.append(json.dumps({"digest": state_digest(town.hall)}))
    return lines


def views() -> dict[str, Any]:
    """Cuts of one history for each role, with windows small enough to move."""
    small = {"audience_window": 12, "overlay_window": 5, "host_window": 20}
    with patch.dict(limits.LIMITS, {name: limits.Limit(value, "messages", "-", "-") for name, value in small.items()}):
        town = history(3, 140)
        roles: dict[str, Any] = {
            "audience": (audience.snapshot, audience.render),
            "host": (host.snapshot, host.render),
            "director": (lambda hall: director.snapshot(hall, "d1"), lambda hall, seq, e: director.render(hall, seq, e, "d1")),
            "overlay": (overlay.snapshot, overlay.render),
        }
        found: dict[str, Any] = {}
        for role, (snapshot, render) in roles.items():
            hall = Hall.empty()
            cuts: list[dict[str, Any]] = []
            for seq, entry in enumerate(town.log, 1):
                evolve(hall, seq, entry)
                for cut in cuts:
                    cut["frames"].append([_plain(f) for f in render(hall, seq, entry)])
                if seq in (2, 60):
                    cuts.append({"after": seq, "snapshot": [_plain(f) for f in snapshot(hall)], "frames": []})
            end = {name: _plain(f) for name, f in fold({}, snapshot(hall)).items()}
            found[role] = [{**cut, "end": end} for cut in cuts]
        return found


def _plain(fragment: Any) -> Any:
    return json.loads(wire.fragment(fragment))


if __name__ == "__main__":
    (FOLDER / f"log-{VERSION}.jsonl").write_text("\n".join(log_lines()) + "\n", "utf-8")
    (FOLDER / "views.json").write_bytes(orjson.dumps(views()) + b"\n")
