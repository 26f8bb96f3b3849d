"""Cleaning, counting, naming, finding, likening."""

import re
import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from moderation.filters import findings
from moderation.pseudonyms import pseudonym, said
from moderation.similarity import near_duplicates
from moderation.text import clean, graphemes


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("a\u202eb\u2066c\u200f", "abc"),
        ("가\u0000나\u0007", "가나"),
        ("\ud800글\udfff", "글"),
        ("z\u0301\u0302\u0303\u0304\u0305\u0306", "ź\u0302\u0303\u0304\u0305"),
        ("한 글   사이\t칸", "한 글 사이 칸"),
        ("줄\r\n\r\n\r\n\r\n바꿈\u2028끝", "줄\n\n바꿈\n끝"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("가\u200d나", "가나"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("숨은\U000e0041\U000e0042글", "숨은글"),
        ("\u1112\u1161\u11ab", "한"),
        ("\u3164빈\u115f칸\ufeff", "빈칸"),
    ],
)
def test_what_could_deceive_is_dropped_and_the_rest_is_kept(given_: str, kept: str) -> None:
    assert clean(given_) == unicodedata.normalize("NFC", kept)


@given(st.text(max_size=200))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(max_size=200))
def test_what_is_clean_can_be_encoded_and_has_no_control(text: str) -> None:
    found = clean(text)
    found.encode("utf-8")
    assert not any(unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n" for letter in found)


@given(st.text(alphabet="가힣각ㄱㅣㅎ!~aZ09<& \n\u3164\u1100\u11a8\u0301", max_size=40))
def test_what_is_seen_to_be_plain_is_cleaned_and_counted_as_ever(text: str) -> None:
    quick = clean(text), graphemes(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("moderation.text._PLAIN", re.compile(r"(?!)"))
        assert (clean(text), graphemes(text)) == quick


def test_graphemes_are_what_a_reader_counts() -> None:
    assert [graphemes(text) for text in ("", "한글", "👩‍👩‍👧‍👦", "e\u0301", "🇰🇷🇰🇷")] == [0, 2, 1, 1, 2]


def test_pseudonyms_never_run_into_each_other() -> None:
    taken: set[tuple[int, int, int]] = set()
    for _ in range(2_000):
        name = pseudonym(7, taken)
        assert name not in taken
        taken.add(name)
    assert {0 <= a < 64 and 0 <= b < 64 and 1 <= n <= 99 for a, b, n in taken} == {True}


def test_a_pseudonym_is_said_in_both_languages() -> None:
    assert said((0, 0, 27), "ko") == "푸른 고래 27"
    assert said((0, 0, 27), "en") == "Blue Whale 27"


def test_when_all_names_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderation.pseudonyms._ALL", 1)
    with pytest.raises(ValueError, match="taken"):
        pseudonym(0, {pseudonym(0, set())})


def test_findings_name_their_place() -> None:
    text = "번호 010-1234-5678 과 a@b.kr"
    assert [(f.kind, text[f.start : f.end]) for f in findings(text)] == [("phone", "010-1234-5678"), ("email", "a@b.kr")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("901301-1234567", None),
        ("000229-3234567", "resident_number"),
        ("９００１０１－１２３４５６７", "resident_number"),
        ("211005-3123456", "resident_number"),
        ("900101-1******", "resident_number"),
        ("041-635-1234", "phone"),
        ("02-123-4567", "phone"),
    ],
)
def test_resident_numbers_by_date_of_birth(text: str, kind: str | None) -> None:
    assert [f.kind for f in findings(text)] == ([kind] if kind else [])


def test_near_duplicates_come_best_first() -> None:
    others = {1: "통근버스 시간을 늦춰 주세요", 2: "식당 밥이 맛있어요", 3: "통근버스 시간을 늦춰 주세요!!"}
    assert near_duplicates("통근버스 시간을 늦춰 주세요", others) == (1, 3)
