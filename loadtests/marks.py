"""A mark inside a message's text: which message of which run it is, and when it was due to be posted.

In letters alone, since a filter may take rows of digits for somebody's number: `~RUNS.NNNNNN.DDDDDDDDDDDDDDDD~`, each
letter from `a` to `p` four bits. `native/parse.c` reads the same.
"""

import re
import secrets

_TO_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_TO_HEX = str.maketrans("abcdefghijklmnop", "0123456789abcdef")
_MARK = "~{run}\\.([a-p]{{6}})\\.([a-p]{{16}})~"
NUMBERS = 1 << 24
"""Messages that one run can tell apart."""


def run_name() -> str:
    """Four letters by which a run knows its own messages among those of others."""
    return secrets.token_hex(2).translate(_TO_LETTERS)


def mark(run: str, number: int, due_ns: int) -> str:
    """`due_ns`: on this machine's monotonic clock. Raises ValueError if `number` is beyond NUMBERS."""
    if not 0 <= number < NUMBERS:
        raise ValueError(f"a run has at most {NUMBERS} messages")
    return f"~{run}.{_letters(number, 6)}.{_letters(due_ns, 16)}~"


def pattern(run: str) -> re.Pattern[str]:
    """Finds the marks of `run`; the groups are for `read`."""
    return re.compile(_MARK.format(run=run))


def read(found: re.Match[str]) -> tuple[int, int]:
    """(number, due_ns) of a mark that `pattern` found."""
    return int(found[1].translate(_TO_HEX), 16), int(found[2].translate(_TO_HEX), 16)


def _letters(value: int, width: int) -> str:
    return f"{value:0{width}x}".translate(_TO_LETTERS)
