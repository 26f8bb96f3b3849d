"""Departments and directors from a CSV file as offices have them: UTF-8 or CP949, Korean or English headers."""

import csv
import io
import re
import unicodedata

from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.setup import Department, Director

COLUMNS: dict[str, tuple[str, ...]] = {
    "department_id": ("부서코드", "department_id", "department id", "dept_id"),
    "department_ko": ("부서명", "부서", "실국", "department_ko", "department", "dept"),
    "department_en": ("부서영문명", "department_en"),
    "director_id": ("담당코드", "director_id"),
    "director_name": ("담당자", "성명", "이름", "director_name", "director", "name"),
    "director_name_en": ("담당자영문명", "director_name_en", "name_en"),
    "director_title": ("직위", "직급", "director_title", "title"),
    "director_title_en": ("직위영문명", "director_title_en", "title_en"),
    "duties": ("업무", "업무분장", "duties"),
}
"""Field → headers it goes by. Only the department's and the director's name are required."""
REQUIRED = ("department_ko", "director_name")


class BadCsv(Exception):
    """Says which line, and what to mend."""


def parse(raw: bytes) -> tuple[list[Department], list[Director]] | Refusal:
    """(departments, directors) of the file, or `bad_csv` with the line and the reason."""
    try:
        return _parse(raw)
    except BadCsv as error:
        return Refusal("bad_csv", {"why": str(error)})


def _parse(raw: bytes) -> tuple[list[Department], list[Director]]:
    text = _text(raw)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4_096].splitlines()[0], delimiters=",;\t")
    except (csv.Error, IndexError):
        dialect = csv.excel
    rows = csv.reader(io.StringIO(text), dialect, strict=True)
    departments: dict[str, Department] = {}
    directors: dict[str, Director] = {}
    try:
        header = _header(next(rows, []))
        for cells in rows:
            row = {name: cells[place].strip() for name, place in header.items() if place < len(cells)}
            if any(row.values()):
                _take(row, rows.line_num, departments, directors)
    except csv.Error as error:
        raise BadCsv(f"line {rows.line_num}: {error}") from None
    if not directors:
        raise BadCsv("line 2: no director (담당자) in the file")
    return list(departments.values()), list(directors.values())


def _text(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadCsv("the file is neither UTF-8 nor CP949 text")


def _header(cells: list[str]) -> dict[str, int]:
    names = [unicodedata.normalize("NFC", cell).strip().casefold() for cell in cells]
    found = {
        field: next(place for place, name in enumerate(names) if name in aliases)
        for field, aliases in COLUMNS.items()
        if any(name in aliases for name in names)
    }
    missing = [COLUMNS[field][0] + f" ({field})" for field in REQUIRED if field not in found]
    if missing:
        raise BadCsv(f"line 1: missing columns: {', '.join(missing)}")
    return found


def _take(row: dict[str, str], line: int, departments: dict[str, Department], directors: dict[str, Director]) -> None:
    name, director = row.get("department_ko", ""), row.get("director_name", "")
    if not name or not director:
        raise BadCsv(f"line {line}: the department (부서명) or the director (담당자) is empty")
    known = next((d for d in departments.values() if d.name_ko == name), None)
    id = known.id if known else _slug(row.get("department_id", ""), "dept", len(departments) + 1, line)
    if known is None:
        if id in departments:
            raise BadCsv(f"line {line}: the department id {id} is used twice")
        if len(departments) >= limit("departments"):
            raise BadCsv(f"line {line}: more than {limit('departments')} departments")
        duties = tuple(word for word in re.split(r"[,;/·\s]+", row.get("duties", "")) if word)[:60]
        departments[id] = Department(id=id, name_ko=name, name_en=row.get("department_en") or name, duties=duties)
    director_id = _slug(row.get("director_id", ""), "director", len(directors) + 1, line)
    if director_id in directors:
        raise BadCsv(f"line {line}: the director id {director_id} is used twice")
    if len(directors) >= limit("directors"):
        raise BadCsv(f"line {line}: more than {limit('directors')} directors")
    directors[director_id] = Director(
        id=director_id,
        department=id,
        name=director,
        name_en=row.get("director_name_en", ""),
        title=row.get("director_title", ""),
        title_en=row.get("director_title_en", ""),
    )


def _slug(given: str, kind: str, number: int, line: int) -> str:
    if not given:
        return f"{kind}-{number}"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", given.lower()):
        raise BadCsv(f"line {line}: {given!r} is no id: use a-z, 0-9 and -, at most 32")
    return given.lower()
