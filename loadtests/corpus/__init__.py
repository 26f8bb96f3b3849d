"""What staff write: hand-written messages, and as many distinct ones grown from them as a rehearsal needs.

`messages.ko.json` holds whole messages, openers, closers and typos; `templates.ko.json` sentences with a place left open
(`{층} 엘리베이터가 {달} 사이 {번} 멈췄습니다.`) and what can stand there.
"""

import json
import random
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["question", "opinion", "complaint", "praise", "smalltalk"]
TEXT_MAX = 300
"""Code points; a town hall takes as many grapheme clusters."""
TEMPLATED = 0.75
"""Share of the grown messages that come from a template: a hand-written one is then met about four times in 3,000."""


@dataclass(frozen=True, slots=True)
class Message:
    """`topic`: what it is about; `kind`: how it is meant."""

    text: str
    topic: str
    kind: Kind


@cache
def _source(name: str) -> Any:
    return json.loads(files("loadtests.corpus").joinpath(f"{name}.ko.json").read_text("utf-8"))


def _messages(name: str) -> list[Message]:
    return [
        Message(text, topic, kind)
        for topic, kinds in _source(name)["topics"].items()
        for kind, texts in kinds.items()
        for text in texts
    ]


def load() -> list[Message]:
    """The hand-written ones."""
    return _messages("messages")


def distinct(count: int, seed: int) -> list[Message]:
    """`count` distinct messages, the same for the same seed: the hand-written first, then varied ones, shuffled.

    Varied as people vary: what it is about, an opener, a closer, a missing space, laughter or tears. Raises ValueError if
    there are not enough.
    """
    chance = random.Random(seed)
    source = _source("messages")
    found: dict[str, Message] = {message.text: message for message in load()}
    written, templates = list(found.values()), _messages("templates")
    for _ in range(count * 20):
        if len(found) >= count:
            break
        base = _filled(chance.choice(templates), chance) if chance.random() < TEMPLATED else chance.choice(written)
        message = _varied(base, source, chance)
        if len(message.text) <= TEXT_MAX:
            found.setdefault(message.text, message)
    if len(found) < count:
        raise ValueError(f"only {len(found)} distinct messages")
    kept = list(found.values())
    chance.shuffle(kept)
    return kept[:count]


def _filled(template: Message, chance: random.Random) -> Message:
    slots = _source("templates")["slots"]
    text = re.sub(r"\{(\w+)\}", lambda place: chance.choice(slots[place[1]]), template.text)
    return Message(text, template.topic, template.kind)


def _varied(message: Message, source: Any, chance: random.Random) -> Message:
    text = message.text
    if chance.random() < 0.35:
        text = f"{chance.choice(source['openers'])} {text}"
    if chance.random() < 0.35:
        text = f"{text} {chance.choice(source['closers'][message.kind])}"
    if chance.random() < 0.25:
        text = _typo(text, source, chance)
    if chance.random() < 0.3:
        text += chance.choice(source["tails"])
    return Message(text, message.topic, message.kind)


def _typo(text: str, source: Any, chance: random.Random) -> str:
    wrong = [(right, wrong) for right, wrong in source["typos"] if right in text]
    if wrong and chance.random() < 0.5:
        return text.replace(*chance.choice(wrong), 1)
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    if not spaces:
        return text
    place = chance.choice(spaces)
    return text[:place] + text[place + 1 :]
