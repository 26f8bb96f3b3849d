"""What the page hints at before sending, the filter finds after it: one file of cases holds both to the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from moderation.filters import findings

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "golden" / "hints.json").read_text("utf-8"))
SHARED = {"phone", "email", "resident_number"}
"""The page hints at more: what tells an author need not be what must not be published."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:20])
def test_page_and_filter_agree(case: dict[str, Any]) -> None:
    assert {one.kind for one in findings(case["text"])} & SHARED == set(case["hints"]) & SHARED
