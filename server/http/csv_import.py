"""Departments and directors from a CSV file as offices have them: UTF-8 or CP949, Korean or English headers."""

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Container

from moderation.text import clean, graphemes
from protocol.limits import limit
from protocol.names import Language
from protocol.refusals import Refusal
from protocol.sentences import sentence
from protocol.setup import Department, Director
from server.csv_files import decoded, delimiter

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
"""Field → headers it goes by, in any case. Only the department's and the director's name are required."""
REQUIRED = ("department_ko", "director_name")
DUTIES_MAX = 60
"""As protocol.setup.Department.duties."""


class BadCsv(Exception):
    """`key` of section `csv`, its parameters, and the line (0: the whole file)."""

    def __init__(self, key: str, line: int = 0, **params: object) -> None:
        super().__init__(key)
        self.key, self.line, self.params = key, line, params


def parse(raw: bytes, lang: Language) -> tuple[list[Department], list[Director]] | Refusal:
    """(departments, directors) of the file, or `bad_csv` with the line and the reason in `lang`.

    Cells are text and stay text: a formula is not computed, nor is it changed.
    """
    try:
        return _parse(raw)
    except BadCsv as error:
        why = sentence(lang, "csv", error.key, **error.params)
        return Refusal("bad_csv", {"why": sentence(lang, "csv", "line", line=error.line, why=why) if error.line else why})


def _parse(raw: bytes) -> tuple[list[Department], list[Director]]:
    text = _text(raw)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    departments: dict[str, Department] = {}
    directors: dict[str, Director] = {}
    try:
        header = _header(next(rows, []))
        for cells in rows:
            row = {name: clean(cells[place]) for name, place in header.items() if place < len(cells)}
            if any(row.values()):
                _take(row, rows.line_num, departments, directors)
    except csv.Error:
        raise BadCsv("quotes", rows.line_num) from None
    if not directors:
        raise BadCsv("nobody")
    return list(departments.values()), list(directors.values())


def _text(raw: bytes) -> str:
    text = decoded(raw)
    if text is None:
        raise BadCsv("encoding")
    return text


def _header(cells: list[str]) -> dict[str, int]:
    names = [unicodedata.normalize("NFC", cell).strip().casefold() for cell in cells]
    found = {
        field: next(place for place, name in enumerate(names) if name in aliases)
        for field, aliases in COLUMNS.items()
        if any(name in aliases for name in names)
    }
    missing = [f"{COLUMNS[field][0]} ({field})" for field in REQUIRED if field not in found]
    if missing:
        raise BadCsv("columns", 1, columns=", ".join(missing))
    return found


def _take(row: dict[str, str], line: int, departments: dict[str, Department], directors: dict[str, Director]) -> None:
    for column in REQUIRED:
        if not row.get(column):
            raise BadCsv("empty", line, column=COLUMNS[column][0])
    for column, cell in row.items():
        if column != "duties" and graphemes(cell) > limit("name_graphemes"):
            raise BadCsv("too_long", line, column=COLUMNS[column][0], max=limit("name_graphemes"))
    name = row["department_ko"]
    known = next((d for d in departments.values() if d.name_ko == name), None)
    if known is not None and row.get("department_id", known.id).lower() not in ("", known.id):
        raise BadCsv("two_ids", line, name=name, first=known.id, second=row["department_id"])
    id = known.id if known else _slug(row.get("department_id", ""), "dept", departments, line)
    if known is None:
        if len(departments) >= limit("departments"):
            raise BadCsv("too_many_departments", line, max=limit("departments"))
        duties = tuple(word for word in re.split(r"[,;/·\s]+", row.get("duties", "")) if word)[:DUTIES_MAX]
        too_long = [word for word in duties if graphemes(word) > limit("name_graphemes")]
        if too_long:
            raise BadCsv("too_long", line, column=COLUMNS["duties"][0], max=limit("name_graphemes"))
        departments[id] = Department(id=id, name_ko=name, name_en=row.get("department_en") or name, duties=duties)
    if len(directors) >= limit("directors"):
        raise BadCsv("too_many_directors", line, max=limit("directors"))
    director_id = _slug(row.get("director_id", ""), "director", directors, line)
    directors[director_id] = Director(
        id=director_id,
        department=id,
        name=row["director_name"],
        name_en=row.get("director_name_en", ""),
        title=row.get("director_title", ""),
        title_en=row.get("director_title_en", ""),
    )


def _slug(given: str, kind: str, taken: Container[str], line: int) -> str:
    if not given:
        return next(id for number in itertools.count(1) if (id := f"{kind}-{number}") not in taken)
    id = given.lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", id):
        raise BadCsv("bad_id", line, id=given[:40])
    if id in taken:
        raise BadCsv("id_twice", line, id=id)
    return id
