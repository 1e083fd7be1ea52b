"""What a submission still lacks, named by its place under `requires` in the plan.

The names are `sections.ID`, `indicators.CODE`, `attachments`, `signed` and `checks.ID`.
"""

from schemas.plan.plan import IndicatorRequirement, Requirements
from services.rules.core.conditions import Shown
from services.rules.core.facts import Report


def missing(requires: Requirements, report: Report) -> tuple[str, ...]:
    """Return the unmet requirements in the plan's order; empty means complete.

    A nil return has nothing to fill in, so only the signature can be missing from it (ruling 11).
    """
    unsigned = ("signed",) if requires.signed and not report.signed_by.strip() else ()
    if report.is_nil_return:
        return unsigned
    given = report.indicators
    return (
        *[f"sections.{one.id}" for one in requires.sections if not report.sections.get(one.id, "").strip()],
        *[f"indicators.{one.code}" for one in requires.indicators if not _is_given(one, given.get(one.code))],
        *(() if _has_attachments(requires, report) else ("attachments",)),
        *unsigned,
        *(_unmet(requires, report) if requires.checks else ()),
    )


def _unmet(requires: Requirements, report: Report) -> list[str]:
    shown = Shown(report)
    return [f"checks.{check.id}" for check in requires.checks if not shown.satisfies(check.cel)]


def _is_given(wanted: IndicatorRequirement, figure: float | None) -> bool:
    if figure is None:
        return False
    return (wanted.min is None or figure >= wanted.min) and (wanted.max is None or figure <= wanted.max)


def _has_attachments(requires: Requirements, report: Report) -> bool:
    if not requires.attachments.min:
        return True
    wanted = {one.lower() for one in requires.attachments.media_types}
    fitting = [
        one for one in report.attachments if not wanted or one.media_type.split(";")[0].strip().lower() in wanted
    ]
    return len(fitting) >= requires.attachments.min
