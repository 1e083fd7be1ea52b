"""The number of a document is compared without regard to the way it is written (ruling 15)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules.core.submissions.document_numbers import normalize_number


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
    assert normalize_number(one) == normalize_number(other)


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
    assert normalize_number(one) != normalize_number(other)


@pytest.mark.parametrize("empty", ["", " \t", "\u200b", "Số:"])
def test_what_has_no_number_is_empty(empty: str) -> None:
    """It identifies no document."""
    assert normalize_number(empty) == ""


@given(st.text(alphabet="0012/-BCđĐÐ –\u200cỷủyuhoòaàêềố:Số"))
def test_the_form_of_comparison_does_not_change_any_more(number: str) -> None:
    """Decomposed or composed, in capitals or not, and taken twice, the same comes out."""
    form = normalize_number(number)
    assert normalize_number(unicodedata.normalize("NFD", number)) == form
    assert normalize_number(number.upper()) == form
    assert normalize_number(f"\u00a0{number} ") == form
