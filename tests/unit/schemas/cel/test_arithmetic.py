"""Numbers in conditions are exact decimals (contract ruling 16)."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cel import compiler, syntax
from schemas.cel.compiler import Frame, Scope
from schemas.cel.values import Value

FIGURES = st.decimals(min_value=Decimal("-1e29"), max_value=Decimal("1e29"), places=6)


def evaluate(expression: str, **variables: Value) -> Value:
    """Evaluate *expression* with *variables*."""
    compiled = compiler.compile_node(syntax.parse(expression), Scope({}, set()))
    return compiled.evaluate(Frame(dict(variables)))


@pytest.mark.parametrize(
    "expression",
    [
        "0.1 + 0.2 == 0.3",
        "36.54 + 22.309 == 58.849",
        "1.1 * 1.1 == 1.21",
        "0.3 - 0.1 == 0.2",
        "1 == 1.0 && 1 + 1.0 == 2 && 3 / 2 == 1.5 && 2 * 0.5 == 1u",
        "5 / 2 == 2.5",
        "1 / 3 == 0.3333333333333333333333333333333333",
        "2 / 3 == 0.6666666666666666666666666666666667",
        "1 / 3 * 3 == 0.9999999999999999999999999999999999",
        "7 % 4 == 3 && -7 % 4 == -3 && 7.5 % 2 == 1.5",
        "99999999999999999999999999999 + 0.00000000000000000000000000001 > 99999999999999999999999999999",
        "1e999 * 1e-999 == 1 && 1e3 == 1000 && .5 == 0.50 && 0x10 == 16",
        "- 1.5 == 0 - 1.5 && math.abs(-1.5) == 1.5",
        "math.round(2.5) == 3 && math.floor(-1.5) == -2 && math.ceil(1.1) == 2 && math.trunc(-1.9) == -1",
        "math.least(3, 1.5, 2) == 1.5 && math.greatest([3, 10, 2.0]) == 10",
        "string(1.50) == '1.5' && string(1e3) == '1000' && string(-0.0) == '0' && string(100) == '100'",
        "int(2.9) == 2 && int(-2.9) == -2 && int('12') == 12 && double('1.50') == 1.5",
    ],
)
def test_numbers_are_exact_and_mix_freely(expression: str) -> None:
    """Whole and decimal numbers mix, sums are exact, a quotient has 34 significant digits, half-even."""
    assert evaluate(expression) is True


@given(a=FIGURES, b=FIGURES)
def test_sums_differences_and_products_are_those_of_fractions(a: Decimal, b: Decimal) -> None:
    """Every figure of money adds up and multiplies as fractions do."""
    for operator, exact in {
        "+": Fraction(a) + Fraction(b),
        "-": Fraction(a) - Fraction(b),
        "*": Fraction(a) * Fraction(b),
    }.items():
        value = evaluate(f"a {operator} b", a=a, b=b)
        assert isinstance(value, Decimal)
        assert Fraction(value) == exact


@given(a=FIGURES, b=FIGURES.filter(bool))
def test_a_quotient_is_rounded_once(a: Decimal, b: Decimal) -> None:
    """A quotient is the decimal of 34 digits that is nearest to the fraction, of two the even one."""
    assert evaluate("a / b", a=a, b=b) == Context(prec=34, rounding=ROUND_HALF_EVEN).divide(a, b)


@pytest.mark.parametrize(
    "expression",
    [
        "1 / 0 == 1",
        "1 % 0 == 1",
        "1 < '1'",
        "'a' + 1 == 'a1'",
        "-'a' == 1",
        "!1",
        "1 && true",
        "missing > 1",
        "{'a': 1}.b == 1",
        "[1][1] == 1",
        "[1][-1] == 1",
        "[1][0.5] == 1",
        "int('1.5') == 1",
        "double('x') == 1",
        "double('1_0') == 10",
        "bool('yes')",
        "size(1) == 1",
        "1 in 'a'",
        "{1: 2} == {}",
        "{'a': 1, 'a': 2} == {}",
        "has('a'.b)",
        "1.all(x, true)",
        "1.0.matches('1')",
        "'a'.contains(1)",
        "math.abs('a') == 1",
        "math.least([]) == 1",
        "string([]) == ''",
        # More digits than are calculated with.
        " * ".join(["1e999"] * 5) + " > 0",
        "(1e999 + 1) * (1e999 + 1) * (1e999 + 1) > 0",
    ],
)
def test_what_has_no_value_cannot_be_evaluated(expression: str) -> None:
    """A wrong type, a missing key and a division by zero are one kind of failure, whose value is none."""
    with pytest.raises(compiler.NOT_EVALUABLE):
        evaluate(expression)
