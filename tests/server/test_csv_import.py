"""Departments and directors from the files that offices have."""

import pytest

from protocol.limits import limit
from protocol.refusals import Refusal
from protocol.setup import Department, Director
from server.http.csv_import import parse

KOREAN = "부서명,담당자,직위,업무\n기획조정실,한도윤,실장,예산 조직\n건설교통국,편수호,국장,버스\n"
EXPECTED = (
    [
        Department(id="dept-1", name_ko="기획조정실", name_en="기획조정실", duties=("예산", "조직")),
        Department(id="dept-2", name_ko="건설교통국", name_en="건설교통국", duties=("버스",)),
    ],
    [
        Director(id="director-1", department="dept-1", name="한도윤", title="실장"),
        Director(id="director-2", department="dept-2", name="편수호", title="국장"),
    ],
)


def why(text: str | bytes, lang: str = "en") -> str:
    found = parse(text if isinstance(text, bytes) else text.encode(), lang)  # type: ignore[arg-type]
    assert isinstance(found, Refusal) and found.code == "bad_csv"
    return str(found.params["why"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_file_is_read_however_an_office_saved_it(encoding: str, delimiter: str, newline: str) -> None:
    text = KOREAN.replace(",", delimiter).replace("\n", newline)
    assert parse(text.encode(encoding), "ko") == EXPECTED


def test_headers_go_by_english_names_in_any_case_and_order() -> None:
    text = "Director_Name,extra,DEPARTMENT_KO,department_id,director_id,department_en,director_title\n"
    found = parse(f"{text}한도윤,x,기획조정실,PLANNING,han,Planning,실장\n".encode(), "en")
    assert found == (
        [Department(id="planning", name_ko="기획조정실", name_en="Planning")],
        [Director(id="han", department="planning", name="한도윤", title="실장")],
    )


def test_decomposed_headers_are_recognised() -> None:
    assert parse(KOREAN.replace("부서명", "부서명").encode(), "ko") == EXPECTED


def test_two_directors_share_a_department() -> None:
    found = parse("부서명,담당자\n기획조정실,한도윤\n기획조정실,서지안\n".encode(), "ko")
    assert not isinstance(found, Refusal)
    assert [d.department for d in found[1]] == ["dept-1", "dept-1"] and len(found[0]) == 1


def test_a_given_id_that_looks_like_a_drawn_one_is_not_drawn_again() -> None:
    found = parse(b"department,director,director_id\nA,x,director-2\nB,y,\n", "en")
    assert not isinstance(found, Refusal)
    assert [d.id for d in found[1]] == ["director-2", "director-1"]


def test_empty_rows_are_passed_over() -> None:
    assert parse((KOREAN + ",,,\n\n , ,\n").encode(), "ko") == EXPECTED


def test_cells_with_quotes_line_breaks_and_delimiters_are_read() -> None:
    found = parse(b'"department";"director"\n"A, B";"x ""y"""\n', "en")
    assert not isinstance(found, Refusal)
    assert (found[0][0].name_ko, found[1][0].name) == ("A, B", 'x "y"')


def test_a_formula_stays_text() -> None:
    found = parse("부서명,담당자\n=1+1,@SUM(A1)\n".encode(), "ko")
    assert not isinstance(found, Refusal)
    assert (found[0][0].name_ko, found[1][0].name) == ("=1+1", "@SUM(A1)")


def test_invisible_characters_are_dropped() -> None:
    found = parse("부서명,담당자\n기획\u202e조정실\u200b,한\0도윤\n".encode(), "ko")
    assert not isinstance(found, Refusal)
    assert (found[0][0].name_ko, found[1][0].name) == ("기획조정실", "한도윤")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: Columns are missing: 부서명 (department_ko), 담당자 (director_name)"),
        ("부서명,직위\n기획,실장\n", "line 1: Columns are missing: 담당자 (director_name)"),
        ("부서명,담당자\n", "There is no director in the file."),
        ("부서명,담당자\n\n기획,한도윤\n교통,\n", "line 4: The cell 담당자 is empty."),
        ("부서명,담당자\n,한도윤\n", "line 2: The cell 부서명 is empty."),
        ("부서명,담당자,담당코드\nA,x,d1\nB,y,D1\n", "line 3: The id d1 is used twice."),
        ("부서명,담당자,부서코드\nA,x,p\nB,y,p\n", "line 3: The id p is used twice."),
        ("부서명,담당자,부서코드\nA,x,p\nA,y,q\n", "line 3: A has two ids: p, q"),
        ("부서명,담당자,담당코드\nA,x,../x\n", "line 2: ../x is no id. Use a to z, 0 to 9 and -, at most 32."),
        (f"부서명,담당자\nA,{'가' * 81}\n", "line 2: The cell 담당자 is too long. Shorten it to 80 letters."),
        (f"부서명,담당자,업무\nA,x,{'가' * 81}\n", "line 2: The cell 업무 is too long. Shorten it to 80 letters."),
        ('부서명,담당자\nA,"x\n', "line 2: The quotation marks do not match."),
        (b"\xff\xff\xff\n", "The file is neither UTF-8 nor CP949 text. In Excel, save it as 'CSV UTF-8'."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str | bytes, words: str) -> None:
    assert why(text) == words
    assert why(text, "ko") != words


def test_a_file_of_300_directors_fits_and_one_more_does_not() -> None:
    rows = "".join(f"부서 {n % 80},담당 {n}\n" for n in range(limit("directors")))
    found = parse(("부서명,담당자\n" + rows).encode(), "ko")
    assert not isinstance(found, Refusal) and len(found[1]) == 300
    assert why("부서명,담당자\n" + rows + "부서 1,한 명 더\n").startswith("line 302: There are too many directors.")
    assert "too many departments" in why("부서명,담당자\n" + "".join(f"부서 {n},담당\n" for n in range(101)))
