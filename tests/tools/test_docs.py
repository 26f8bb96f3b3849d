from pathlib import Path

import pytest

from tools import docs
from tools.reference.table import table


def test_the_generated_pages_are_what_the_code_says() -> None:
    assert docs.stale() == []


def test_a_page_that_was_changed_or_is_missing_is_stale(tmp_path: Path) -> None:
    docs.write(tmp_path)
    assert docs.stale(tmp_path) == []
    changed, missing, *_ = docs.GENERATED
    (tmp_path / changed).write_text("another text", "utf-8")
    (tmp_path / missing).unlink()
    assert docs.stale(tmp_path) == [changed, missing]


def test_every_link_to_a_heading_of_the_messages_leads_somewhere() -> None:
    import re

    text = docs.GENERATED["docs/reference/messages.md"]()
    heads = {head.strip("`").lower() for head in re.findall(r"^#{2,3} (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= heads


def test_a_cell_cannot_end_its_table() -> None:
    assert table(("a", "b"), [("x | y", "two\nlines")]).splitlines()[2] == "| x \\| y | two lines |"
    with pytest.raises(ValueError, match="2 cells"):
        table(("a", "b"), [("only one",)])
