"""Conditions in the Common Expression Language (CEL) over a submission. Only this module knows the CEL engine.

Expressions see `indicators`, `sections`, `attachments`, `signed_by` and `nil_return`. Numbers are doubles, because CEL
reads JSON numbers so: in arithmetic write `100.0`, not `100`. Example: `indicators.overdue / indicators.total < 0.02`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import cel

from services.rules.core.facts import ReportContent

# The variables that an expression may use, and how each is read from a report.
VARIABLES: Mapping[str, Callable[[ReportContent], object]] = {
    "indicators": lambda report: dict(report.indicators),
    "sections": lambda report: dict(report.sections),
    "attachments": lambda report: [{"media_type": one.media_type, "sha256": one.sha256} for one in report.attachments],
    "signed_by": lambda report: report.signed_by,
    "nil_return": lambda report: report.is_nil_return,
}


class InvalidCondition(ValueError):  # noqa: N818 - it reads as a claim about the input
    """The expression is not CEL. Correct it at the place that the message points to."""


@lru_cache(maxsize=4096)
def compile_expression(expression: str) -> cel.Program:
    """Return the compiled *expression*; raise `InvalidCondition` with the engine's own words if it is not CEL."""
    try:
        return cel.compile(expression)
    except ValueError as cause:
        raise InvalidCondition(str(cause).splitlines()[0]) from cause


class ConditionContext:
    """One report, as the variables of expressions.

    The engine copies its variables, which costs ten times as much as evaluating an expression. An expression is
    therefore given only the variables it uses, and expressions that use the same ones share one copy.
    """

    __slots__ = ("_contexts", "_report")

    def __init__(self, report: ReportContent) -> None:
        self._report = report
        self._contexts: dict[tuple[str, ...], cel.Context] = {}

    def satisfies(self, expression: str) -> bool:
        """Whether *expression* is true of the report; one that cannot be evaluated (a figure is missing) is false."""
        try:
            return compile_expression(expression).execute(self._context_for(_variables_of(expression))) is True
        # The engine raises these for a missing key, a wrong type, a division by zero and what else it cannot evaluate.
        except (KeyError, TypeError, ValueError, ZeroDivisionError, RuntimeError):
            return False

    def _context_for(self, names: tuple[str, ...]) -> cel.Context:
        context = self._contexts.get(names)
        if context is None:
            context = self._contexts[names] = cel.Context({name: VARIABLES[name](self._report) for name in names})
        return context


@lru_cache(maxsize=4096)
def _variables_of(expression: str) -> tuple[str, ...]:
    """Return the names of the variables that *expression* uses."""
    return tuple(sorted(VARIABLES.keys() & compile_expression(expression).variables()))
