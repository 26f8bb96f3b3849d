"""Cells of the files that we write: none is a formula, in whatever way a spreadsheet may read them."""

import csv
import io
import unicodedata

import pytest

from server.csv_files import cell

BEGINS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "−"]
BEFORE = ["", " ", "\u00a0", "\u200b", "\ufeff", "\u00ad", "\u2060", "\u202e", "\u3000", "\u3164", "\u034f", "\u2800"]
BEFORE += ['"', "\x00", "  \u200b"]
BLANK = '"\u3164\u2800'
INERT = ["", "예산", "1+1", "a=b", "a-b", "감사합니다 :)", "3; 4", "a;b", "a; b=c", "'", "“=”", "가\n- 나", "010-1234-5678"]


@pytest.mark.parametrize("begin", BEGINS)
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("place", ["", "a;", "예산; ", "a\t", "a;;", "1;2;"])
def test_a_cell_or_a_part_of_one_that_begins_as_a_formula_is_text(place: str, before: str, begin: str) -> None:
    text = cell(f"{place}{before}{begin}SUM(A1)")
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(["1", text, "x"])
    for delimiter in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter):
            for found in row:
                seen = "".join(
                    sign for sign in found if unicodedata.category(sign)[0] not in "CZM" and sign not in '"\u3164\u2800'
                )
                assert not seen.startswith(tuple("=+-@＝＋－＠﹦﹢﹣﹫−")), (delimiter, row)


@pytest.mark.parametrize("text", INERT)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert cell(text) == text
