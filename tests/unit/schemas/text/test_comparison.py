"""Numbers of documents (ruling 15), names and searched words are compared however they are written."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text import comparison
from schemas.text.comparison import make_number_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("45/KH-SYT", "45/KH\u2014SYT"),
        ("45/KH-SYT", "45/KH\u2212SYT"),
        ("45/KH-SYT", " 45 / kh-syt\u00a0"),
        ("45/KHSYT", "45/KH\u00adSYT"),
        ("8/BC-LĐTBXH", "08/BC-LÐTBXH"),
        ("8/BC-LĐTBXH", "8/BC-LƉTBXH"),
        ("8/BC-LĐTBXH", "8/bc-lđtbxh"),
        ("3/BC-Thủy", "3/BC-Thuỷ\u200c"),
        ("12/BC-Hòa Bình", "12/BC-HOÀ BÌNH"),
        ("9/BC-UBND", "Số: 09/BC-UBND"),
        ("9/BC-UBND", "SỐ 9/BC-UBND"),
        ("9/BC-UBND", "Số.009/BC\u2011UBND"),
        ("9/BC", unicodedata.normalize("NFD", "Số 9/BC")),
        ("0/BC", "000/BC"),
    ],
)
def test_two_spellings_of_one_number_are_one(one: str, other: str) -> None:
    """Form, case, spaces, invisible letters, dashes, Đ, tone marks, a leading "Số" and zeros make no difference."""
    assert make_number_key(one) == make_number_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10/BC", "1/BC"),
        ("3/BC-Thủy", "3/BC-Thúy"),
        ("3/BC-LD", "3/BC-LĐ"),
        ("1/BC", "Sở 1/BC"),
        ("1/BC-Ha", "1/BC-Hà"),
        ("1/BC-Hê", "1/BC-He"),
        ("1/2/BC", "1/20/BC"),
        ("45/KH-SYT", "45/KHSYT"),
    ],
)
def test_two_numbers_stay_two(one: str, other: str) -> None:
    """Letters, marks of letters and digits tell numbers apart."""
    assert make_number_key(one) != make_number_key(other)


@pytest.mark.parametrize("empty", ["", " \t", "\u200b", "Số:"])
def test_what_has_no_number_is_empty(empty: str) -> None:
    """It identifies no document."""
    assert make_number_key(empty) == ""


@given(st.text(alphabet="0012/-BCđĐÐ –\u200cỷủyuhoòaàêềố:Số"))
def test_the_form_of_comparison_does_not_change_any_more(number: str) -> None:
    """Decomposed or composed, in capitals or not, and taken twice, the same comes out."""
    form = make_number_key(number)
    assert make_number_key(unicodedata.normalize("NFD", number)) == form
    assert make_number_key(number.upper()) == form
    assert make_number_key(f"\u00a0{number} ") == form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("UBND huyện Hoằng Hóa", "ubnd  huyện Hoằng Hoá"),
        ("UBND huyện Hoằng Hóa", unicodedata.normalize("NFD", "UBND HUYỆN HOẰNG HÓA")),
        ("Sở Tài chính", "Sở Tài\u00a0chính\u200b"),
        ("TP. Điện Biên Phủ", "TP. Ðiện Biên Phủ"),
        ("H56.12", " h56.12 "),
        ("Bà Rịa - Vũng Tàu", "Bà Rịa – Vũng Tàu"),
    ],
)
def test_two_spellings_of_one_name_are_one(one: str, other: str) -> None:
    """Case, form, spaces, invisible letters, dashes, Đ and the place of the tone mark make no difference."""
    assert comparison.make_name_key(one) == comparison.make_name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Thọ Xuân", "Thổ Xuân"), ("Sở Y tế", "Sở Y te"), ("so-tc", "so-ct")])
def test_two_names_stay_two(one: str, other: str) -> None:
    """Letters and marks tell names apart: only a search looks past accents."""
    assert comparison.make_name_key(one) != comparison.make_name_key(other)


def test_a_search_ignores_accents_case_and_tone_placement_and_reads_d_for_stroked_d() -> None:
    """The words `hoa`, `Hóa` and `Hoá` find each other, and `don doc` finds Đôn Đốc, however it was typed."""
    assert comparison.make_search_key("Quan  HÓA") == comparison.make_search_key("quan\u200b hoá") == "quan hoa"
    assert {comparison.make_search_key(one) for one in ("Đôn Đốc", "Ðôn Ðốc", "ĐÔN\u00a0ĐỐC")} == {"don doc"}


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("h-tho-xuann", "h-tho-xuan"), ("Tho Xuan", "Thọ Xuân"), ("hoằng hoá", "Hoằng Hóa"), ("zzz", None)],
)
def test_the_nearest_known_name_is_offered(word: str, nearest: str | None) -> None:
    """A slip of the finger and missing accents lead to the name that was meant; what is like nothing leads nowhere."""
    known = ["h-tho-xuan", "h-hoang-hoa", "Thọ Xuân", "Hoằng Hóa", "so-tc"]
    assert comparison.find_nearest(word, known) == nearest
