"""Exact arithmetic on figures: sums of decimals, formulas of ratios, and how a number is written (contract section 8).

A figure is a decimal from the sheet to the report: 0.1 + 0.2 is 0.3. No sum is rounded, whatever number of digits it
has; a ratio is worked out as a fraction and rounded once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, PlainSerializer, WithJsonSchema

RATIO_DECIMALS = 6
# Both bounds keep the recursion of parsing and working out far from the end of Python's stack.
FORMULA_LENGTH_MAX = 500
FORMULA_BRACKETS_MAX = 50

# Addition and multiplication in this context are exact, or raise `Inexact`; only as many digits are kept as there are.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact, InvalidOperation])

_VIETNAMESE_SIGNS = str.maketrans(",.", ".,")

_TOKEN = re.compile(r"\s*(?:(?P<code>[a-z_][a-z0-9_]*)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<mark>[-+*/()]))")

Operator = Literal["+", "-", "*", "/"]


def add_exactly(figures: Iterable[Decimal]) -> Decimal:
    """Return the sum of *figures* with every digit."""
    total = Decimal(0)
    for one in figures:
        total = _EXACT.add(total, one)
    return total


def write_plainly(value: Decimal) -> str:
    """Return *value* without an exponent, without trailing zeros and without a sign before zero: `368073`, `0.3`."""
    if not value:
        return "0"
    return format(_EXACT.normalize(value), "f")


def write_for_people(value: Decimal, language: str) -> str:
    """Return *value* with every digit and with separators of thousands: 9.984,2 in Vietnamese, 9,984.2 in English."""
    english = "0" if not value else format(_EXACT.normalize(value), ",f")
    return english if language == "en" else english.translate(_VIETNAMESE_SIGNS)


@dataclass(frozen=True, slots=True)
class FormulaOperation:
    """Two operands and what is done with them."""

    operator: Operator
    left: "Term"
    right: "Term"


# A code of an indicator, a number, or an operation on two terms.
Term = str | Fraction | FormulaOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """The formula of a ratio, such as `overdue_debt * 100 / outstanding_loans`."""

    term: Term
    codes: tuple[str, ...]  # in the order in which they first stand in the formula

    def work_out(self, values: Mapping[str, Decimal]) -> Decimal | None:
        """Return the value for *values* of all its codes, half-even to six decimals; None for a division by 0."""
        try:
            exact = _work_out(self.term, {code: Fraction(values[code]) for code in self.codes})
        except ZeroDivisionError:
            return None
        # `round` of a fraction is half-even, and exact.
        return Decimal(round(exact * 10**RATIO_DECIMALS)).scaleb(-RATIO_DECIMALS, _EXACT)


def parse_formula(text: str) -> Formula:
    """Parse a formula of codes, decimals, `+ - * /` and brackets; raise `ValueError` that says where it goes wrong."""
    if len(text) > FORMULA_LENGTH_MAX:
        raise ValueError(f"a formula has at most {FORMULA_LENGTH_MAX} characters; this one has {len(text)}")
    if text.count("(") > FORMULA_BRACKETS_MAX:
        raise ValueError(f"a formula has at most {FORMULA_BRACKETS_MAX} brackets")
    parser = _Parser(text)
    term = parser.read_sum()
    parser.require_end()
    return Formula(term=term, codes=tuple(dict.fromkeys(parser.codes)))


def _work_out(term: Term, values: Mapping[str, Fraction]) -> Fraction:
    match term:
        case str():
            return values[term]
        case Fraction():
            return term
        case FormulaOperation(operator="+"):
            return _work_out(term.left, values) + _work_out(term.right, values)
        case FormulaOperation(operator="-"):
            return _work_out(term.left, values) - _work_out(term.right, values)
        case FormulaOperation(operator="*"):
            return _work_out(term.left, values) * _work_out(term.right, values)
        case FormulaOperation():
            return _work_out(term.left, values) / _work_out(term.right, values)


class _Parser:
    """Reads a formula by recursive descent: a sum of products of codes, numbers and sums in brackets."""

    def __init__(self, text: str) -> None:
        self.codes: list[str] = []
        self._text = text
        self._position = 0

    def read_sum(self) -> Term:
        """Read terms that are added or subtracted, from left to right."""
        term = self._read_product()
        while (mark := self._read_mark("+-")) is not None:
            term = FormulaOperation("+" if mark == "+" else "-", term, self._read_product())
        return term

    def require_end(self) -> None:
        """Raise `ValueError` if anything follows."""
        rest = self._text[self._position :].strip()
        if rest:
            raise ValueError(f"{rest!r} does not fit here; {_GRAMMAR}")

    def _read_product(self) -> Term:
        term = self._read_operand()
        while (mark := self._read_mark("*/")) is not None:
            term = FormulaOperation("*" if mark == "*" else "/", term, self._read_operand())
        return term

    def _read_operand(self) -> Term:
        found = _TOKEN.match(self._text, self._position)
        if found is None or (found["mark"] is not None and found["mark"] != "("):
            rest = self._text[self._position :].strip()
            raise ValueError(f"a code, a number or a bracket is missing before {rest or 'the end'!r}; {_GRAMMAR}")
        self._position = found.end()
        if found["code"] is not None:
            self.codes.append(found["code"])
            return found["code"]
        if found["number"] is not None:
            return Fraction(found["number"])
        term = self.read_sum()
        if self._read_mark(")") is None:
            raise ValueError("a bracket is not closed")
        return term

    def _read_mark(self, marks: str) -> str | None:
        found = _TOKEN.match(self._text, self._position)
        if found is None or found["mark"] is None or found["mark"] not in marks:
            return None
        self._position = found.end()
        return found["mark"]


_GRAMMAR = "a formula holds codes of indicators, decimals, + - * / and brackets"


def _require_finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("write a finite number")
    return value


def _serialize_number(value: Decimal) -> int | float | str:
    """Return a JSON number where that keeps every digit, else the text of the number."""
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else write_plainly(value)


# A bound or a target in a plan file: exact, also where YAML reads it as a float (0.1 is 0.1, not its binary neighbour).
PlanNumber = Annotated[
    Decimal,
    AfterValidator(_require_finite),
    PlainSerializer(_serialize_number, return_type=int | float | str, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
