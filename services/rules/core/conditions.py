"""Conditions in the Common Expression Language over a submission; only this module knows the engine.

Expressions see `indicators` (numbers, as doubles), `sections` and `attachments`, `signed_by` and `nil_return`. Numbers
are doubles, as CEL reads JSON: write `100.0`, not `100`, in arithmetic.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import cel

from services.rules.core.facts import Report

SHOWN: Mapping[str, Callable[[Report], object]] = {
    "indicators": lambda report: dict(report.indicators),
    "sections": lambda report: dict(report.sections),
    "attachments": lambda report: [{"media_type": one.media_type, "sha256": one.sha256} for one in report.attachments],
    "signed_by": lambda report: report.signed_by,
    "nil_return": lambda report: report.is_nil_return,
}
"""What an expression may look at, by name."""


class ConditionInvalid(ValueError):  # noqa: N818 - it reads as a claim about the input
    """The expression is not CEL. Correct it at the place that the message points to."""


@lru_cache(maxsize=4096)
def compiled(expression: str) -> cel.Program:
    """Return the compiled *expression*; raise `ConditionInvalid` with the engine's own words otherwise."""
    try:
        return cel.compile(expression)
    except ValueError as cause:
        raise ConditionInvalid(str(cause).splitlines()[0]) from cause


class Shown:
    """One report, as expressions see it. The engine copies what it is shown, which costs ten times the evaluation.

    So an expression is shown only what it looks at, and those that look at the same are shown one copy.
    """

    __slots__ = ("_copies", "_report")

    def __init__(self, report: Report) -> None:
        self._report = report
        self._copies: dict[tuple[str, ...], cel.Context] = {}

    def satisfies(self, expression: str) -> bool:
        """Whether *expression* is true of the report; one that cannot be evaluated (a figure is missing) is not."""
        try:
            return compiled(expression).execute(self._copy(_asked(expression))) is True
        except (KeyError, TypeError, ValueError, ZeroDivisionError, RuntimeError):
            return False

    def _copy(self, asked: tuple[str, ...]) -> cel.Context:
        copy = self._copies.get(asked)
        if copy is None:
            copy = self._copies[asked] = cel.Context({name: SHOWN[name](self._report) for name in asked})
        return copy


@lru_cache(maxsize=4096)
def _asked(expression: str) -> tuple[str, ...]:
    """Return the names of what *expression* looks at."""
    return tuple(sorted(SHOWN.keys() & compiled(expression).variables()))
