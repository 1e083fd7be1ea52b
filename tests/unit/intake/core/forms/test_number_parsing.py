"""Parsing of figures, as Vietnamese people and as programs write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan.values import Bilingual
from services.intake.core.forms import number_parsing


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
def test_an_unambiguous_figure_is_parsed(text: str, number: str) -> None:
    """Thousands separators and decimal signs are distinguished if the figure can mean only one number."""
    assert number_parsing.parse_number(text) == Decimal(number)


@pytest.mark.parametrize("text", ["1.234", "1,234", "-12.345"])
def test_an_ambiguous_figure_is_refused_with_both_readings(text: str) -> None:
    """A single separator before three digits could be either sign, so the message offers both numbers."""
    found = number_parsing.parse_number(text)
    assert isinstance(found, Bilingual)
    offered = [word.strip(" ,;") for word in found.vi.replace("hãy ghi ", "|").split("|")[1].split()]
    readings = {number_parsing.parse_number(one) for one in offered if one[:1].isdigit() or one.startswith("-")}
    assert readings == {Decimal(text.replace(".", "").replace(",", "")), Decimal(text.replace(",", "."))}


@pytest.mark.parametrize(
    "text", ["", "abc", "1.2.3", "12 triệu", "1,2,3", "1.234,567.890", "--1", "1e5", "NaN", "(5)", "1" * 31, "5%"]
)
def test_text_that_is_no_figure_is_refused(text: str) -> None:
    """Words, units, wrong grouping and notations of programs are refused."""
    assert isinstance(number_parsing.parse_number(text), Bilingual)


def test_a_percent_may_carry_its_sign() -> None:
    """A percent sign is allowed in a field whose unit is percent."""
    assert number_parsing.parse_number("99,5%", is_percent=True) == Decimal("99.5")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4))
def test_a_figure_in_vietnamese_notation_is_parsed_exactly(number: Decimal) -> None:
    """Any number with four decimals, formatted with dots between thousands, is parsed back to itself."""
    text = f"{number:,.4f}".translate(str.maketrans(",.", ".,"))
    assert number_parsing.parse_number(text) == number


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Arbitrary text gives a number or a sentence, and raises nothing."""
    assert isinstance(number_parsing.parse_number(text), Decimal | Bilingual)


def test_an_event_holds_a_figure_exactly() -> None:
    """An event holds whole numbers as integers, others as decimal strings with the digits they were written with."""
    assert number_parsing.to_json_number(Decimal(1200)) == 1200
    assert number_parsing.to_json_number(Decimal("1.2E3")) == 1200
    assert number_parsing.to_json_number(Decimal("0.10")) == "0.10"
    assert number_parsing.to_json_number(Decimal("12.0")) == "12.0"
    assert number_parsing.to_json_number(Decimal("1234567890123.45")) == "1234567890123.45"


def test_a_figure_keeps_every_digit_on_its_way_into_the_event() -> None:
    """A number of thirty digits is not rounded to the twenty-eight of Python's usual arithmetic."""
    number = number_parsing.parse_number("12345678901234567890123,456789")
    assert isinstance(number, Decimal)
    assert number_parsing.to_json_number(number) == "12345678901234567890123.456789"
