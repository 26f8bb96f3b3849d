"""A readable name for a participant, unique within one town hall: three indexes that each page says in its language."""

from collections.abc import Container

from protocol.names import Language, Pseudonym
from protocol.sentences import section

WORDS = 64
NUMBERS = 99
_ALL = WORDS * WORDS * NUMBERS


def pseudonym(seed: int, taken: Container[Pseudonym]) -> Pseudonym:
    """The name of `seed` (any size), or the next free one after it. 405,504 names: more than any town hall has people."""
    for step in range(_ALL):
        place = (seed + step * 40_503) % _ALL  # a stride with no factor in common: neighbours do not sound alike
        name = (place // NUMBERS % WORDS, place // (NUMBERS * WORDS), place % NUMBERS + 1)
        if name not in taken:
            return name
    raise ValueError("all names are taken")


def said(name: Pseudonym, lang: Language) -> str:
    """`푸른 고래 27`, `Blue Whale 27`."""
    words = section(lang, "pseudonym")
    return f"{words['adjectives'][name[0]]} {words['animals'][name[1]]} {name[2]}"
