"""What staff write: hand-written messages, and as many distinct ones grown from them as a rehearsal needs."""

import json
import random
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["question", "opinion", "complaint", "praise", "smalltalk"]
TEXT_MAX = 300
"""Code points; a town hall takes as many grapheme clusters."""


@dataclass(frozen=True, slots=True)
class Message:
    """`topic`: what it is about; `kind`: how it is meant."""

    text: str
    topic: str
    kind: Kind


@cache
def _source() -> Any:
    return json.loads(files("loadtests.corpus").joinpath("messages.ko.json").read_text("utf-8"))


def load() -> list[Message]:
    """The hand-written ones."""
    return [
        Message(text, topic, kind)
        for topic, kinds in _source()["topics"].items()
        for kind, texts in kinds.items()
        for text in texts
    ]


def distinct(count: int, seed: int) -> list[Message]:
    """`count` distinct messages, the same for the same seed: the hand-written first, then varied ones, shuffled.

    Varied as people vary: an opener, a closer, a missing space, laughter or tears. Raises ValueError if there are not
    enough.
    """
    chance = random.Random(seed)
    source = _source()
    found: dict[str, Message] = {message.text: message for message in load()}
    base = list(found.values())
    for _ in range(count * 20):
        if len(found) >= count:
            break
        message = _varied(chance.choice(base), source, chance)
        if len(message.text) <= TEXT_MAX:
            found.setdefault(message.text, message)
    if len(found) < count:
        raise ValueError(f"only {len(found)} distinct messages")
    kept = list(found.values())
    chance.shuffle(kept)
    return kept[:count]


def _varied(message: Message, source: Any, chance: random.Random) -> Message:
    text = message.text
    if chance.random() < 0.6:
        text = f"{chance.choice(source['openers'])} {text}"
    if chance.random() < 0.6:
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
