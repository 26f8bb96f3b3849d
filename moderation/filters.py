"""What must not be published unseen: personal data. A finding holds the message for a moderator; it never refuses it."""

from datetime import date

import regex

from protocol.entries import Finding

_DIGITS = str.maketrans({chr(0xFF10 + d): str(d) for d in range(10)} | {"－": "-", "‐": "-", "–": "-", "—": "-"})
_RESIDENT = regex.compile(r"(?<!\d)(\d{6})([^\d\n]{0,3})([1-8])(\d{6}|[\d*]{6})(?!\d)")
_USUAL = regex.compile(r"\s?-?\s?")
"""What stands in the middle of a resident registration number as people write it."""
_PHONE = regex.compile(r"(?<!\d)(?:\+82[- ]?1\d|01[016789])[-. )]?\d{3,4}[-. ]?\d{4}(?!\d)")
_LANDLINE = regex.compile(r"(?<!\d)\(?0(?:2|[3-6]\d)\)?[-. ]?\d{3,4}[-. ]\d{4}(?!\d)")
_EMAIL = regex.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_CARD = regex.compile(r"(?<!\d)\d{4}[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}(?!\d)")
FOUND_MAX = 8
"""Findings kept of one text."""


def findings(text: str) -> tuple[Finding, ...]:
    """Categories and places (code points of `text`), at most FOUND_MAX, in order of place.

    A resident registration number, a foreigner's too, is known by a real date of birth and the digit after it, written as
    usual: its checksum is not asked, since numbers given out from October 2020 on have none. Where the checksum is right, it
    is known however its halves are set apart.
    """
    plain = text.translate(_DIGITS)
    found = [Finding("resident_number", *m.span()) for m in _RESIDENT.finditer(plain) if _is_resident(*m.groups())]
    found += [Finding("phone", *m.span()) for pattern in (_PHONE, _LANDLINE) for m in pattern.finditer(plain)]
    found += [Finding("email", *m.span()) for m in _EMAIL.finditer(plain)]
    found += [Finding("card", *m.span()) for m in _CARD.finditer(plain) if _luhn(m[0])]
    return tuple(sorted(found, key=lambda one: one.start)[:FOUND_MAX])


def _is_resident(day: str, between: str, century: str, rest: str) -> bool:
    return _is_birth(day, century) and (_USUAL.fullmatch(between) is not None or _is_checked(day + century + rest))


def _is_checked(digits: str) -> bool:
    """The last digit as it was until October 2020 (주민등록번호 and, two more, 외국인등록번호)."""
    if not digits.isascii() or not digits.isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=False))
    return int(digits[-1]) == ((13 if digits[6] in "5678" else 11) - total % 11) % 10


def _is_birth(day: str, century: str) -> bool:
    year = (1900 if century in "1256" else 2000) + int(day[:2])
    try:
        date(year, int(day[2:4]), int(day[4:6]))
    except ValueError:
        return False
    return True


def _luhn(number: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, letter in enumerate(reversed([c for c in number if c.isdigit()])):
        digit = int(letter) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
