"""What a submission still lacks, named by its place under `requires` in the plan.

The names are `sections.ID`, `indicators.CODE`, `attachments`, `signed` and `checks.ID`.
"""

from collections.abc import Iterator

from schemas.plan import IndicatorRequirement, Requirements
from services.rules.core import conditions
from services.rules.core.facts import Report


def missing(requires: Requirements, report: Report) -> tuple[str, ...]:
    """Return the unmet requirements in the plan's order; empty means complete.

    A nil return has nothing to fill in, so only the signature can be missing from it (ruling 11).
    """
    return tuple(_unmet(requires, report))


def _unmet(requires: Requirements, report: Report) -> Iterator[str]:
    if not report.is_nil_return:
        yield from (
            f"sections.{section}" for section in requires.sections if not report.sections.get(section, "").strip()
        )
        yield from (
            f"indicators.{one.code}"
            for one in requires.indicators
            if not _is_given(one, report.indicators.get(one.code))
        )
        if not _has_attachments(requires, report):
            yield "attachments"
    if requires.signed and not report.signed_by.strip():
        yield "signed"
    if not report.is_nil_return:
        yield from (f"checks.{check.id}" for check in requires.checks if not conditions.holds(check.cel, report))


def _is_given(wanted: IndicatorRequirement, figure: float | None) -> bool:
    if figure is None:
        return False
    return (wanted.min is None or figure >= wanted.min) and (wanted.max is None or figure <= wanted.max)


def _has_attachments(requires: Requirements, report: Report) -> bool:
    wanted = {one.lower() for one in requires.attachments.media_types}
    fitting = [
        one for one in report.attachments if not wanted or one.media_type.split(";")[0].strip().lower() in wanted
    ]
    return len(fitting) >= requires.attachments.min
