"""How figures are read: safely, in Vietnamese and in plain writing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core.forms import number_parsing
from services.intake.core.problems import Said


@pytest.mark.parametrize(
    "text,number",
    [
        ("1234", "1234"),
        ("-5", "-5"),
        ("\u22125", "-5"),
        ("1234.5", "1234.5"),
        ("1234,5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1.234.567,89", "1234567.89"),
        ("1 234 567,5", "1234567.5"),
        ("1\u00a0234", "1234"),
        ("0,123", "0.123"),
        ("1234,567", "1234.567"),
        ("1.234,567", "1234.567"),
        (" 12,50 ", "12.5"),
    ],
)
def test_a_figure_with_one_meaning_is_read(text: str, number: str) -> None:
    """Thousands and decimals are told apart wherever the writing allows no other reading."""
    assert number_parsing.parse_number(text) == Decimal(number)


@pytest.mark.parametrize("text", ["1.234", "1,234", "-12.345"])
def test_a_figure_with_two_meanings_is_refused_with_both_writings(text: str) -> None:
    """One sign before three digits could be thousands or decimals: both unmistakable writings are offered."""
    found = number_parsing.parse_number(text)
    assert isinstance(found, Said)
    offered = [word.strip(" ,;") for word in found.vi.replace("hãy ghi ", "|").split("|")[1].split()]
    readings = {number_parsing.parse_number(one) for one in offered if one[:1].isdigit() or one.startswith("-")}
    assert readings == {Decimal(text.replace(".", "").replace(",", "")), Decimal(text.replace(",", "."))}


@pytest.mark.parametrize(
    "text", ["", "abc", "1.2.3", "12 triệu", "1,2,3", "1.234,567.890", "--1", "1e5", "NaN", "(5)", "1" * 31, "5%"]
)
def test_what_is_no_figure_is_refused(text: str) -> None:
    """Words, units, broken grouping and the writings of programs are not guessed at."""
    assert isinstance(number_parsing.parse_number(text), Said)


def test_a_percent_may_carry_its_sign() -> None:
    """Where the unit is percent the sign says nothing new."""
    assert number_parsing.parse_number("99,5%", is_percent=True) == Decimal("99.5")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4))
def test_what_is_written_the_vietnamese_way_is_read_back(number: Decimal) -> None:
    """Any figure with four decimals, grouped by dots, comes back as it was."""
    written = f"{number:,.4f}".translate(str.maketrans(",.", ".,"))
    assert number_parsing.parse_number(written) == number


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Whatever is typed ends in a number or in words."""
    assert isinstance(number_parsing.parse_number(text), Decimal | Said)


def test_a_figure_is_carried_exactly() -> None:
    """An event carries whole numbers as numbers, others as decimal strings."""
    assert number_parsing.to_json_number(Decimal(1200)) == 1200
    assert number_parsing.to_json_number(Decimal("0.10")) == "0.1"
    assert number_parsing.to_json_number(Decimal("1234567890123.45")) == "1234567890123.45"
