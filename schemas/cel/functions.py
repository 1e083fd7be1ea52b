"""The functions that an expression may call, with what each costs. `SIGNATURES` is the whole of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal

import re2

from schemas.cel.costs import CALCULATION, NUMBER_TEXT, SMALL, Shape, join_shapes
from schemas.cel.values import EXACT, NotEvaluable, Value, parse_number
from schemas.plan import figures

_PATTERN_BYTES = 256 * 1024  # of a compiled regular expression, with the states it adds while it searches

# Where the states do not fit, the engine takes 0.15 microseconds a character and 1.2 nanoseconds more for each
# instruction of the program. It was measured with RE2 2025-11-05; mostly it takes 3 nanoseconds a character.
_SEARCH_UNITS = 15
_INSTRUCTIONS_A_UNIT = 10


class InvalidPattern(ValueError):  # noqa: N818 - it reads as a claim about the input
    """The regular expression is none, or is too large; the message is the engine's own."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One function: how many arguments it takes, what it does, what it costs and the shape of its result."""

    arguments: tuple[int, int]
    call: Callable[..., Value]
    cost: Callable[[Sequence[Shape]], int] = lambda _: 1
    result: Callable[[Sequence[Shape]], Shape] = lambda _: SMALL


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled regular expression: the search for it, and what one search costs for each unit of the text."""

    search: Callable[[str], bool]
    factor: int


def compile_pattern(pattern: str) -> Pattern:
    """Compile a regular expression in RE2 syntax, whose time is linear in the text; raise `InvalidPattern`."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_BYTES
    # Without groups the engine can mostly use its automaton of states, thirty times as fast as the other one.
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as cause:
        reason = cause.args[0].decode(errors="replace") if isinstance(cause.args[0], bytes) else str(cause)
        raise InvalidPattern(f"{pattern[:50]!r} is no regular expression in RE2 syntax: {reason}") from cause
    factor = _SEARCH_UNITS + compiled.programsize // _INSTRUCTIONS_A_UNIT
    return Pattern(lambda text: compiled.search(text) is not None, factor)


def _size(value: Value) -> Value:
    if isinstance(value, (str, list, dict)):
        return Decimal(len(value))
    raise NotEvaluable("size() takes text, a list or a map")


def _text_function(find: Callable[[str, str], bool]) -> Signature:
    def call(text: Value, part: Value) -> Value:
        if isinstance(text, str) and isinstance(part, str):
            return find(text, part)
        raise NotEvaluable("not text")

    return Signature((2, 2), call, cost=lambda shapes: shapes[0].weight + shapes[1].weight)


def _to_number(value: Value) -> Decimal:
    match value:
        case Decimal():
            return value
        case str():
            return parse_number(value)
        case _:
            raise NotEvaluable("no number")


def _to_text(value: Value) -> Value:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return figures.write_plainly(value)
        case str():
            return value
        case _:
            raise NotEvaluable("cannot be written as text")


def _to_truth(value: Value) -> Value:
    truths: Mapping[Value, bool] = {True: True, False: False, "true": True, "false": False}
    if isinstance(value, (bool, str)) and value in truths:
        return truths[value]
    raise NotEvaluable("neither true nor false")


def _to_whole_number(value: Value) -> Value:
    number = _to_number(value)
    whole = number.to_integral_value(ROUND_DOWN)
    if isinstance(value, str) and whole != number:
        raise NotEvaluable("not a whole number")
    return whole


def _number(value: Value) -> Decimal:
    if not isinstance(value, Decimal):
        raise NotEvaluable("not a number")
    return value


def _numbers(values: Sequence[Value]) -> list[Decimal]:
    """Return the arguments, or the items of the only argument, which is then a list."""
    numbers = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    if not numbers:
        raise NotEvaluable("no numbers")
    return [_number(one) for one in numbers]


def _rounding(mode: str) -> Signature:
    return Signature((1, 1), lambda value: _number(value).to_integral_value(mode), cost=lambda _: CALCULATION)


def _weight(shapes: Sequence[Shape]) -> int:
    return sum(one.weight for one in shapes)


_ARGUMENTS_MAX = 20

SIGNATURES: Mapping[str, Signature] = {
    "size": Signature((1, 1), _size),
    "contains": _text_function(lambda text, part: part in text),
    "startsWith": _text_function(str.startswith),
    "endsWith": _text_function(str.endswith),
    "int": Signature((1, 1), _to_whole_number, cost=_weight),
    "uint": Signature((1, 1), _to_whole_number, cost=_weight),
    "double": Signature((1, 1), _to_number, cost=_weight),
    "string": Signature((1, 1), _to_text, cost=_weight, result=lambda shapes: join_shapes(*shapes, NUMBER_TEXT)),
    "bool": Signature((1, 1), _to_truth),
    "dyn": Signature((1, 1), lambda value: value, result=lambda shapes: shapes[0]),
    "math.abs": Signature((1, 1), lambda value: EXACT.abs(_number(value)), cost=lambda _: CALCULATION),
    "math.ceil": _rounding(ROUND_CEILING),
    "math.floor": _rounding(ROUND_FLOOR),
    "math.trunc": _rounding(ROUND_DOWN),
    "math.round": _rounding(ROUND_HALF_UP),  # half away from zero, as the CEL extension has it
    "math.least": Signature((1, _ARGUMENTS_MAX), lambda *values: min(_numbers(values)), cost=_weight),
    "math.greatest": Signature((1, _ARGUMENTS_MAX), lambda *values: max(_numbers(values)), cost=_weight),
}
"""The functions by name. `matches` is apart, for its second argument is a constant (`compile_pattern`)."""
