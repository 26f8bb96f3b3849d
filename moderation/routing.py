"""Suggests who is responsible for a text, from the words of each department's duties; or nobody, rather than a guess."""

from dataclasses import dataclass

from protocol.setup import Setup

SUGGESTED_MAX = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`words`: of its duties, found in the text: the reason."""

    department: str
    director: str | None
    words: tuple[str, ...]


def suggest(setup: Setup, text: str) -> tuple[Suggestion, ...]:
    """Departments whose duties the text speaks of, most words (then longest) first; at most SUGGESTED_MAX."""
    folded = text.casefold()
    found: list[tuple[int, int, Suggestion]] = []
    for department in setup.departments:
        words = tuple(word for word in department.duties if word.casefold() in folded)
        if words:
            director = next((d.id for d in setup.directors if d.department == department.id), None)
            letters = sum(len(word) for word in words)
            found.append((-len(words), -letters, Suggestion(department.id, director, words)))
    found.sort(key=lambda one: one[:2])
    return tuple(suggestion for _, _, suggestion in found[:SUGGESTED_MAX])
