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


def holds(expression: str, report: Report) -> bool:
    """Whether *expression* is true of *report*; one that cannot be evaluated (a figure is missing) is not."""
    try:
        return compiled(expression).execute({name: SHOWN[name](report) for name in _asked(expression)}) is True
    except (KeyError, TypeError, ValueError, ZeroDivisionError, RuntimeError):
        return False


@lru_cache(maxsize=4096)
def _asked(expression: str) -> tuple[str, ...]:
    """Return what *expression* looks at: the engine copies everything it is shown, down to the text of each section."""
    return tuple(sorted(SHOWN.keys() & compiled(expression).variables()))
