"""Figures are summed exactly, formulas are worked out exactly and rounded once, numbers are written plainly."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import figures

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


def work_out(formula: str, **values: str) -> Decimal | None:
    """Return the value of *formula* for figures as agencies write them."""
    return figures.parse_formula(formula).work_out({code: Decimal(value) for code, value in values.items()})


@given(st.lists(DECIMALS))
def test_a_sum_has_every_digit(given_figures: list[Decimal]) -> None:
    """The sum is that of fractions, however many digits the figures have."""
    assert Fraction(figures.add_exactly(given_figures)) == sum(map(Fraction, given_figures), Fraction(0))


def test_the_tenths_add_up() -> None:
    """0.1 + 0.2 is 0.3."""
    assert figures.write_plainly(figures.add_exactly([Decimal("0.1"), Decimal("0.2")])) == "0.3"


@pytest.mark.parametrize(
    ("value", "plain"),
    [("368073", "368073"), ("1E+3", "1000"), ("0.500", "0.5"), ("-0.0", "0"), ("-1.50e-7", "-0.00000015"), ("0", "0")],
)
def test_a_number_is_written_without_exponent_and_trailing_zeros(value: str, plain: str) -> None:
    """Plain notation, whatever form the agency wrote."""
    assert figures.write_plainly(Decimal(value)) == plain


def test_a_figure_of_ten_thousand_digits_is_written() -> None:
    """Python limits the digits of an integer that is written; a decimal has no such limit."""
    long = Decimal("0." + "1" * 10_000)
    assert figures.write_plainly(figures.add_exactly([long, long])) == "0." + "2" * 10_000


@pytest.mark.parametrize(
    ("language", "value", "text"),
    [
        ("vi", "9984.2", "9.984,2"),
        ("en", "9984.2", "9,984.2"),
        ("vi", "1E+15", "1.000.000.000.000.000"),
        ("en", "-0.50", "-0.5"),
        ("vi", "0.00", "0"),
    ],
)
def test_people_read_numbers_in_their_own_way(language: str, value: str, text: str) -> None:
    """Vietnamese writes a comma before the decimals and points between thousands."""
    assert figures.write_for_people(Decimal(value), language) == text


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("overdue * 100 / loans", "1.5"),
        ("loans - overdue - 1", "196"),
        ("loans / 2 / 2", "50"),
        ("2 + 3 * overdue", "11"),
        ("(2 + 3) * overdue", "15"),
        ("loans/(overdue - 3)", None),
        ("1 / overdue", "0.333333"),
        ("0.5 / 1000000", "0"),
        ("1.5 / 1000000", "0.000002"),
    ],
)
def test_a_formula_is_worked_out_exactly_and_rounded_once(formula: str, value: str | None) -> None:
    """Products before sums, from left to right; half-even to six decimals; nothing for a division by zero."""
    found = work_out(formula, overdue="3", loans="200")
    assert (None if found is None else figures.write_plainly(found)) == value


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("", "missing before 'the end'"),
        ("a +", "missing before 'the end'"),
        ("a b", "'b' does not fit here"),
        ("a ** b", "missing before '* b'"),
        ("(a", "a bracket is not closed"),
        ("a)", "')' does not fit here"),
        ("A + 1", "missing before 'A + 1'"),
        ("a % b", "'% b' does not fit here"),
        ("(" * 501, "at most 500 characters"),
        ("(" * 51, "at most 50 brackets"),
    ],
)
def test_a_faulty_formula_is_refused_with_its_place(formula: str, words: str) -> None:
    """The message says before what something is missing, or what does not fit."""
    with pytest.raises(ValueError, match=re.escape(words)):
        figures.parse_formula(formula)


def test_a_formula_tells_the_codes_that_it_names() -> None:
    """Each code once, in order."""
    assert figures.parse_formula("b * 100 / (a + b)").codes == ("b", "a")
