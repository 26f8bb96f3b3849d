"""The setup of the demo town hall."""

import json
from importlib.resources import files

import msgspec

from protocol.names import Language
from protocol.setup import Department, Director, Host, Setup

CODE = "DEMO24"


def setup(language: Language = "ko") -> Setup:
    """Eight departments with a director each, two hosts, open mode so that a newcomer sees life at once."""
    found = json.loads(files("server.demo").joinpath("directory.json").read_text("utf-8"))
    return Setup(
        title=found[f"title_{language}"],
        language=language,
        mode="open",
        departments=msgspec.convert(found["departments"], tuple[Department, ...]),
        directors=msgspec.convert(found["directors"], tuple[Director, ...]),
        hosts=msgspec.convert(found["hosts"], tuple[Host, ...]),
    )
