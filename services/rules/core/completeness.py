"""What is missing from a submission, named by its place under `requires` in the plan.

The names are `sections.ID`, `indicators.CODE`, `attachments`, `signed` and `checks.ID`.
"""

from decimal import Decimal
from functools import lru_cache

from schemas.plan.plan import IndicatorRequirement, Requirements
from services.rules.core.conditions import ConditionContext
from services.rules.core.facts import ReportContent


def find_missing(requires: Requirements, report: ReportContent) -> tuple[str, ...]:
    """Return the unmet requirements in the plan's order; an empty tuple means complete (ruling 4).

    A nil return has nothing to fill in, so only the signature can be missing from it (ruling 11).
    """
    unsigned = ("signed",) if requires.signed and not report.signed_by.strip() else ()
    if report.is_nil_return:
        return unsigned
    given = report.indicators
    return (
        *[f"sections.{one.id}" for one in requires.sections if not report.sections.get(one.id, "").strip()],
        *[f"indicators.{one.code}" for one in requires.indicators if not _is_within_limits(one, given.get(one.code))],
        *(() if _has_attachments(requires, report) else ("attachments",)),
        *unsigned,
        *(_find_unmet_checks(requires, report) if requires.checks else ()),
    )


def _find_unmet_checks(requires: Requirements, report: ReportContent) -> list[str]:
    context = ConditionContext(report)
    return [f"checks.{check.id}" for check in requires.checks if not context.satisfies(check.cel)]


def _is_within_limits(required: IndicatorRequirement, figure: Decimal | None) -> bool:
    """Whether the figure is given and lies between the limits, both of which count."""
    if figure is None:
        return False
    least, most = _to_exact(required.min), _to_exact(required.max)
    return (least is None or figure >= least) and (most is None or figure <= most)


@lru_cache(maxsize=4096)
def _to_exact(limit: float | None) -> Decimal | None:
    """Return *limit* as its author wrote it, 0.7 and not the nearest double, which is 0.69999999999999996."""
    return None if limit is None else Decimal(repr(limit))


def _has_attachments(requires: Requirements, report: ReportContent) -> bool:
    """Whether enough files of the required media types came along; their case and parameters make no difference."""
    if not requires.attachments.min:
        return True
    accepted = {one.lower() for one in requires.attachments.media_types}
    fitting = [
        one for one in report.attachments if not accepted or one.media_type.split(";")[0].strip().lower() in accepted
    ]
    return len(fitting) >= requires.attachments.min
