"""Near duplicates, to help a moderator merge. Merging itself is always a moderator's act."""

from collections.abc import Mapping

from rapidfuzz import fuzz, process

ALIKE = 88.0
"""Ratio (0-100) from which two texts are shown as near duplicates."""
COMPARED_MAX = 500
FOUND_MAX = 5


def near_duplicates(text: str, others: Mapping[int, str]) -> tuple[int, ...]:
    """Ids of the most alike among the last COMPARED_MAX of `others`, best first."""
    last = dict(list(others.items())[-COMPARED_MAX:])
    found = process.extract(text, last, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=FOUND_MAX)
    return tuple(id for _, _, id in found)
