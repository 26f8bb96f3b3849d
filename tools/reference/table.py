"""A Markdown table."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """In: heads, and rows of as many cells. Out: lines, each ended. Raises ValueError where a row has another length."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(map(_cell, row))} |\n" for row in _even(lines, len(heads)))


def code(words: Iterable[object]) -> str:
    """`a`, `b`; or a dash."""
    return ", ".join(f"`{word}`" for word in words) or "–"


def _even(rows: Iterable[Sequence[object]], length: int) -> Iterable[Sequence[object]]:
    for row in rows:
        if len(row) != length:
            raise ValueError(f"{length} cells wanted: {row}")
        yield row


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
