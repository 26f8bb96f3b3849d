"""CSV files as offices have them, in and out."""

import re
import unicodedata
from typing import Final

DELIMITERS: Final = (",", ";", "\t")
_BEGINS: Final = "=+-@\t\r\n＝＋－＠﹦﹢﹣﹫−"
"""A cell that begins so may be a formula in a spreadsheet (OWASP, CSV injection); the wide and small forms in Korean ones too."""
_UNSEEN: Final = frozenset(("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"))
"""Categories of what is not seen, or not alone (Unicode): a formula may begin behind it. With _BLANK."""
_BLANK: Final = '"\u115f\u1160\u2800\u3164\uffa0'
"""Letters that are blank, and the quotation mark that a spreadsheet takes off."""
_ENDS: Final = re.compile("[;\t]")
"""What ends a cell where a comma does not. Quotation marks help little there: they stand in the middle of what is one cell."""


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
    """`text` as a cell that no spreadsheet computes, not even one that takes a semicolon or a tab for the end of a cell."""
    if _computes(text):
        text = "'" + text
    return _ENDS.sub(lambda found: f"{found[0]}'" if _computes(text[found.end() :]) else found[0], text)


def _computes(text: str) -> bool:
    for sign in text:
        if sign in _BEGINS:
            return True
        if sign not in _BLANK and unicodedata.category(sign) not in _UNSEEN:
            return False
    return False
