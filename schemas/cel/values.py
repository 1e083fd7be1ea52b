"""Values of expressions: exact decimals, text, truth, null, lists, and maps with text as keys.

Decimals are exact (contract ruling 16): a sum, a difference and a product have as many digits as they need, a quotient
has 34 significant digits, rounded half-even. What would need more than `DIGITS_MAX` digits cannot be evaluated.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Union

Value = Union[Decimal, str, bool, None, Sequence["Value"], Mapping[str, "Value"]]  # noqa: UP007 - refers to itself

DIGITS_MAX = 2_000
"""Digits of a number. A figure lies below 10^30 and may have an exponent of -999; two of them multiply in 10 µs."""

_EXPONENT_MAX = 2 * DIGITS_MAX
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")

EXACT = Context(
    prec=DIGITS_MAX,
    rounding=ROUND_HALF_EVEN,
    Emin=-_EXPONENT_MAX,
    Emax=_EXPONENT_MAX,
    traps=[Inexact, Overflow, InvalidOperation],
)
QUOTIENT = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-_EXPONENT_MAX,
    Emax=_EXPONENT_MAX,
    traps=[DivisionByZero, Overflow, InvalidOperation],
)
_ORDERED = (Decimal, str, bool)


class NotEvaluable(Exception):  # noqa: N818 - it reads as a claim about the expression
    """The expression has no value for this report: a part has a wrong type."""


def to_figure(figure: Decimal) -> Decimal:
    """Return *figure*, or NaN if it has too many digits to calculate with: whatever compares that is not evaluable."""
    try:
        return EXACT.plus(figure)
    except (Inexact, Overflow):
        return Decimal("NaN")


def parse_number(text: str) -> Decimal:
    """Return the number that *text* is; raise `NotEvaluable` if it is none."""
    if len(text) > DIGITS_MAX or not _NUMBER.fullmatch(text):
        raise NotEvaluable("no number")
    return Decimal(text)


def are_equal(left: Value, right: Value) -> bool:
    """Whether the values are equal; values of different types are not (in Python, `True == 1`)."""
    match left, right:
        case (bool(), _) | (_, bool()):
            return left is right
        case (Decimal(), Decimal()) | (str(), str()):
            return left == right
        case (list(), list()):
            return len(left) == len(right) and all(map(are_equal, left, right))
        case (dict(), dict()):
            return left.keys() == right.keys() and all(are_equal(value, right[key]) for key, value in left.items())
        case _:
            return left is None and right is None


def is_less(left: Value, right: Value) -> bool:
    """Whether *left* comes before *right*: both numbers, both text, or both truth values."""
    for kind in _ORDERED:
        if isinstance(left, kind) and isinstance(right, kind):
            return bool(left < right)  # type: ignore[operator] # both are of this kind
    raise NotEvaluable("values that have no order")


def contains(container: Value, value: Value) -> bool:
    """Whether *value* is an item of the list or a key of the map *container*."""
    match container:
        case list():
            return any(are_equal(one, value) for one in container)
        case dict():
            return isinstance(value, str) and value in container
        case _:
            raise NotEvaluable("`in` asks a list or a map")


def item_of(container: Value, key: Value) -> Value:
    """Return the item of a list at a whole number, or that of a map at a key; raise `LookupError` if it has none."""
    if isinstance(container, dict) and isinstance(key, str):
        found: Value = container[key]
        return found
    if isinstance(container, list) and isinstance(key, Decimal):
        at = to_whole(key)
        if at < 0:
            raise IndexError(at)
        item: Value = container[at]
        return item
    raise NotEvaluable("not an item of that")


def to_whole(number: Decimal) -> int:
    """Return *number* as an integer; raise `NotEvaluable` if it has a fraction."""
    if number != number.to_integral_value():
        raise NotEvaluable("not a whole number")
    return int(number)
