"""CSV files as offices have them, in and out."""

import re
from typing import Final

DELIMITERS: Final = (",", ";", "\t")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that begins so would be a formula in a spreadsheet (OWASP, CSV injection); the wide forms in Korean ones too."""


def decoded(raw: bytes) -> str | None:
    """UTF-8, with or without a mark, or CP949 as Excel in Korea writes it. None: neither."""
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def delimiter(text: str) -> str:
    """Whatever of comma, semicolon and tab the header has most of, outside quotes."""
    header = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(DELIMITERS, key=header.count)


def cell(text: str) -> str:
    """`text` as a cell that no spreadsheet computes."""
    return "'" + text if text.startswith(FORMULA) else text
