"""The progress bar and the table."""

import shutil
import sys
import unicodedata

from loadtests.outcome import Outcome
from loadtests.report.rows import rows
from loadtests.run import Progress
from protocol.names import Language
from protocol.sentences import section, sentence

BAR = 24


class Bar:
    """Writes over its own line; on what is no terminal it says nothing."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang
        self._shown = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """How far it is."""
        if not self._shown:
            return
        share = min(1.0, progress.done / progress.of) if progress.of else 0.0
        step = sentence(self._lang, "loadtest", f"step.{progress.step}")
        more = sentence(self._lang, "loadtest", "progress", live=f"{progress.live:,}", messages=f"{progress.messages:,}")
        line = f"{step} [{'#' * round(BAR * share):{BAR}}] {share:4.0%} {more}"
        sys.stderr.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")


def table(outcome: Outcome, lang: Language) -> str:
    """All figures, a line each, and the verdict."""
    names = section(lang, "loadtest")["row"]
    width = max(_width(name) for name in names.values())
    lines = [f"{names[key]}{' ' * (width - _width(names[key]))}  {value:>16}" for key, value in rows(outcome)]
    return "\n".join([*lines, "", sentence(lang, "loadtest", "passed" if outcome.whole else "failed")])


def _width(text: str) -> int:
    """Columns on a terminal: Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
