"""What changed between two instants: duties whose status is another, and figures that differ, each with its events.

The two instants may also differ only in what was known: then a change is what became known meanwhile.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from schemas.events.assessments import Status
from schemas.plan.plan import Plan
from services.reporting.core import labels
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.evidence.wording import Wording
from services.reporting.core.results import AgencyFigure, IndicatorResult, ObligationResults


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """A duty whose status is another; `before` is None where nothing was known of it yet.

    `events` are those that the later status rests on and the earlier did not; where none was added, as when a deadline
    has passed, those that were taken away.
    """

    before: Status | None
    line: DutyLine
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureShift:
    """A figure of an agency, or with `agency` None a total, that is another; None is what was or is not given.

    `events` holds the submission that the later figure came with, or the earlier one where it was taken away.
    """

    obligation: str
    code: str
    unit: str | None
    agency: str | None
    before: Decimal | None
    after: Decimal | None
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantsCompared:
    """Everything that differs, and how many duties had and have each status."""

    changes: tuple[StatusChange, ...]
    unchanged: int
    counts_before: Mapping[Status, int]
    counts_after: Mapping[Status, int]


def compare_lines(before: Iterable[DutyLine], after: Iterable[DutyLine]) -> InstantsCompared:
    """Compare the lines of the same question at two instants; changes stand in the order of *after*."""
    earlier = {line.key: line for line in before}
    later = list(after)
    pairs = [(earlier.get(line.key), line) for line in later]
    changes = tuple(_describe(old, new) for old, new in pairs if old is None or old.status is not new.status)
    return InstantsCompared(
        changes=changes,
        unchanged=len(later) - len(changes),
        counts_before=Counter(line.status for line in earlier.values()),
        counts_after=Counter(line.status for line in later),
    )


def _describe(before: DutyLine | None, after: DutyLine) -> StatusChange:
    old = () if before is None else before.evidence
    added = tuple(event for event in after.evidence if event not in old)
    removed = tuple(event for event in old if event not in after.evidence)
    return StatusChange(before=None if before is None else before.status, line=after, events=added or removed)


def compare_results(before: Iterable[ObligationResults], after: Iterable[ObligationResults]) -> tuple[FigureShift, ...]:
    """Compare consolidated results of the same period at two instants, totals first, then figures by agency."""
    earlier = {one.obligation: {each.indicator.code: each for each in one.indicators} for one in before}
    shifts: list[FigureShift] = []
    for results in after:
        for indicator in results.indicators:
            old = earlier.get(results.obligation, {}).get(indicator.indicator.code)
            shifts += _compare_indicator(results.obligation, old, indicator)
    return tuple(shifts)


def _compare_indicator(
    obligation: str, before: IndicatorResult | None, after: IndicatorResult
) -> Iterator[FigureShift]:
    code, unit = after.indicator.code, after.indicator.unit
    total = before.total if before is not None else None
    if total != after.total:
        yield FigureShift(obligation=obligation, code=code, unit=unit, agency=None, before=total, after=after.total)
    olds = {one.agency: one for one in (before.figures if before is not None else ())}
    news = {one.agency: one for one in after.figures}
    for agency in sorted({*olds, *news}):
        old, new = olds.get(agency), news.get(agency)
        if _value(old) != _value(new):
            behind = new or old
            yield FigureShift(
                obligation=obligation,
                code=code,
                unit=unit,
                agency=agency,
                before=_value(old),
                after=_value(new),
                events=() if behind is None else (behind.id,),
            )


def _value(figure: AgencyFigure | None) -> Decimal | None:
    return None if figure is None else figure.value


def describe_reason(line: DutyLine, plan: Plan, words: Wording) -> str:
    """Return in a few words what the status of *line* follows from."""
    match line.status:
        case Status.ON_TIME | Status.LATE | Status.FULFILLED if line.effective_at is not None:
            at = words.instant(line.effective_at)
            return words.choose(vi=f"đủ nội dung lúc {at}", en=f"complete at {at}")
        case Status.INCOMPLETE:
            obligation = plan.obligation(line.key.obligation)
            missing = "" if obligation is None else labels.describe_missing(line, obligation, plan, words.language)
            return words.choose(vi=f"còn thiếu {missing}", en=f"missing: {missing}")
        case Status.OVERDUE | Status.PENDING if line.due_at is not None:
            due = words.deadline(line.due_at)
            if "withdrawn" in line.flags:
                return words.choose(
                    vi=f"hạn là {due}, báo cáo đã rút lại", en=f"due by {due}, the report was withdrawn"
                )
            return words.choose(vi=f"hạn là {due}, chưa có báo cáo nào", en=f"due by {due}, no report has come")
        case _:
            return "; ".join(labels.describe_notes(line, words.language))
