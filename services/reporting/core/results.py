"""The results of one obligation for one period: figures and texts of the agencies, consolidated (contract section 8).

Everything here is a pure function of the duties as they stand at an instant, with the content of the submission that
counts for each. Who finds these duties (reporting in its database, `dondoc results` in a file of facts) does not matter
to the figures. Sums are exact, ratios are worked out from sums and rounded once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import msgspec

from schemas.events.assessments import Status
from schemas.plan import figures
from schemas.plan.figures import Formula
from schemas.plan.indicators import Indicator
from services.reporting.core import reported_duties
from services.reporting.core.reported_duties import ReportedDuty

RETURNED = "returned"
UNASKED = "unasked"
PARTS_DIFFER = "parts_differ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The same duties a year earlier, and what became of their agencies since.

    `heirs` names for each agency of either year that was merged the one that its figures count under; `has_split` says
    whether an agency that owed a report then was split.
    """

    period: str
    duties: Sequence[ReportedDuty]
    heirs: Mapping[str, str] = field(default_factory=dict)
    has_split: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuestion:
    """What is asked of one obligation: its indicators, its groups in the plan's order, its sections, its duties.

    Where it compiles the reports of another, `parts` holds for each agency the duties of the agencies below it.
    """

    obligation: str
    period: str
    indicators: Sequence[Indicator]
    groups: Sequence[str]
    sections: Sequence[str]
    duties: Sequence[ReportedDuty]
    previous: Comparison | None = None
    parts: Mapping[str, Sequence[ReportedDuty]] = field(default_factory=dict)


class AgencyFigure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One figure of one agency, with the event behind it. `value` is None for a ratio that divides by zero."""

    agency: str
    value: Decimal | None
    status: Status
    cut_off: date | None
    source: str
    id: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalBasis:
    """What a total rests on: the days as of which agencies gave the figure, and the ids of the events behind it.

    A ratio rests on the events of whoever gave a figure that it names.
    """

    cut_offs: frozenset[date | None] = frozenset()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTotal:
    """The total over the members of one group."""

    group: str
    total: Decimal | None
    agencies: int
    basis: TotalBasis = TotalBasis()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTotals:
    """The totals over the agencies that gave the figure in both years, as of the same day of the year.

    `previous_by_agency` has what each of them gave the year before, a merged one under its heir. It leaves out an heir
    beside which a merged one still stands this year: its own figure and that of the year before speak of other areas.
    `basis_by_agency` says what each of these rests on.
    """

    agencies: int
    total: Decimal | None
    previous: Decimal | None
    previous_by_agency: Mapping[str, Decimal | None] = field(default_factory=dict)
    basis_by_agency: Mapping[str, TotalBasis] = field(default_factory=dict)
    basis: TotalBasis = TotalBasis()
    previous_basis: TotalBasis = TotalBasis()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousTotal:
    """The total of the year before, and whether it compares with this year's."""

    period: str
    total: Decimal | None
    agencies: int
    is_comparable: bool
    same: ComparedTotals
    basis: TotalBasis = TotalBasis()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorResult:
    """The consolidated figures of one indicator. The cut-off None stands for figures without one."""

    indicator: Indicator
    total: Decimal | None
    asked: int
    agencies: int
    late: int
    incomplete: int
    not_given: tuple[str, ...]
    cut_offs: Mapping[date | None, int]
    target: Decimal | None
    previous: PreviousTotal | None
    groups: tuple[GroupTotal, ...]
    figures: tuple[AgencyFigure, ...]
    basis: TotalBasis = TotalBasis()


class AgencyText(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one agency writes under one heading, with the event behind it."""

    agency: str
    text: str
    source: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationResults:
    """The results of one obligation for one period, and the groups that each agency was in as for its duty."""

    obligation: str
    expected: int
    standing: int
    indicators: tuple[IndicatorResult, ...]
    sections: Mapping[str, tuple[AgencyText, ...]]
    groups_by_agency: Mapping[str, frozenset[str]] = field(default_factory=dict)


def consolidate(question: ResultsQuestion) -> ObligationResults:
    """Consolidate the figures and texts of the duties of *question*; their order changes nothing."""
    duties = sorted(question.duties, key=lambda duty: duty.agency)
    expected = [duty for duty in duties if duty.is_expected]
    by_code = {one.code: one for one in question.indicators}
    return ObligationResults(
        obligation=question.obligation,
        expected=len(expected),
        standing=sum(duty.submission is not None for duty in expected),
        indicators=tuple(_consolidate_indicator(one, by_code, duties, question) for one in question.indicators),
        sections={section: tuple(_list_texts(section, duties)) for section in question.sections},
        groups_by_agency={duty.agency: duty.groups for duty in duties},
    )


class _Measure:
    """How one indicator is asked, read from a duty, and totalled: itself, or as a ratio by its formula."""

    def __init__(self, indicator: Indicator, by_code: Mapping[str, Indicator]) -> None:
        self.formula: Formula | None = indicator.parse_formula()
        codes = (indicator.code,) if self.formula is None else self.formula.codes
        self.parts = [by_code[code] for code in codes]

    def is_asked_of(self, duty: ReportedDuty) -> bool:
        """Whether the agency is asked for every part."""
        return all(_is_asked_of(part, duty) for part in self.parts)

    def is_given_by(self, duty: ReportedDuty) -> bool:
        """Whether the agency gives every part."""
        return all(duty.figure(part.code) is not None for part in self.parts)

    def value_of(self, duty: ReportedDuty) -> Decimal | None:
        """Return the agency's own value; None where the ratio divides by zero."""
        return self._work_out({part.code: duty.figure(part.code) or Decimal(0) for part in self.parts})

    def total_of(self, duties: Iterable[ReportedDuty]) -> Decimal | None:
        """Return the total over those of *duties* that are summed; of a ratio the value from the totals of its parts.

        Each part is summed over whoever gave it and was asked for it.
        """
        duties = list(duties)
        totals = {
            part.code: figures.add_exactly(
                figure
                for duty in duties
                if duty.is_expected and _is_asked_of(part, duty) and (figure := duty.figure(part.code)) is not None
            )
            for part in self.parts
        }
        return self._work_out(totals)

    def list_summed(self, duties: Iterable[ReportedDuty]) -> list[ReportedDuty]:
        """Return those of *duties* whose own value is behind the total."""
        return [duty for duty in duties if duty.is_expected and self.is_asked_of(duty) and self.is_given_by(duty)]

    def find_basis(self, duties: Sequence[ReportedDuty]) -> TotalBasis:
        """Return what the total of *duties* rests on."""
        return TotalBasis(
            cut_offs=frozenset(duty.cut_off for duty in self.list_summed(duties)),
            evidence=tuple(
                duty.submission.id
                for duty in duties
                if duty.submission is not None
                and duty.is_expected
                and any(_is_asked_of(part, duty) and duty.figure(part.code) is not None for part in self.parts)
            ),
        )

    def differs_from_parts(self, duty: ReportedDuty, parts: Sequence[ReportedDuty]) -> bool:
        """Whether every one of *parts* gives the figure and their exact sum is another one (contract section 8.6)."""
        given = [one.figure(self.parts[0].code) for one in parts]
        figures_given = [one for one in given if one is not None]
        if self.formula is not None or not parts or len(figures_given) < len(parts):
            return False
        return figures.add_exactly(figures_given) != self.value_of(duty)

    def _work_out(self, values: Mapping[str, Decimal]) -> Decimal | None:
        return values[self.parts[0].code] if self.formula is None else self.formula.work_out(values)


def _is_asked_of(indicator: Indicator, duty: ReportedDuty) -> bool:
    asked_of = indicator.asked_of
    return not asked_of or duty.agency in asked_of or not duty.groups.isdisjoint(asked_of)


def _consolidate_indicator(
    indicator: Indicator, by_code: Mapping[str, Indicator], duties: Sequence[ReportedDuty], question: ResultsQuestion
) -> IndicatorResult:
    measure = _Measure(indicator, by_code)
    asked = [duty for duty in duties if duty.is_expected and measure.is_asked_of(duty)]
    summed = measure.list_summed(asked)
    given = {duty.agency for duty in summed}
    cut_offs = Counter(duty.cut_off for duty in summed)
    return IndicatorResult(
        indicator=indicator,
        total=measure.total_of(duties),
        asked=len(asked),
        agencies=len(summed),
        late=sum(duty.status is Status.LATE for duty in summed),
        incomplete=sum(duty.status is Status.INCOMPLETE for duty in summed),
        not_given=tuple(duty.agency for duty in asked if duty.agency not in given),
        cut_offs=cut_offs,
        target=indicator.target.get(question.period),
        previous=_compare(measure, duties, set(cut_offs), question.previous),
        groups=tuple(_total_group(group, measure, duties) for group in question.groups),
        figures=tuple(
            _describe_figure(duty, measure, question.parts.get(duty.agency, ()))
            for duty in duties
            if duty.is_shown and measure.is_given_by(duty)
        ),
        basis=measure.find_basis(duties),
    )


def _total_group(group: str, measure: _Measure, duties: Iterable[ReportedDuty]) -> GroupTotal:
    members = [duty for duty in duties if group in duty.groups]
    return GroupTotal(
        group=group,
        total=measure.total_of(members),
        agencies=len(measure.list_summed(members)),
        basis=measure.find_basis(members),
    )


def _describe_figure(duty: ReportedDuty, measure: _Measure, parts: Sequence[ReportedDuty]) -> AgencyFigure:
    submission = duty.submission
    if submission is None:
        raise ValueError(f"{duty.agency} has given no figure")
    differing = (PARTS_DIFFER,) if measure.differs_from_parts(duty, parts) else ()
    unasked = () if measure.is_asked_of(duty) else (UNASKED,)
    return AgencyFigure(
        agency=duty.agency,
        value=measure.value_of(duty),
        status=duty.status,
        cut_off=submission.cut_off,
        source=submission.source,
        id=submission.id,
        flags=(*duty.flags, *differing, *unasked),
    )


def _list_texts(section: str, duties: Iterable[ReportedDuty]) -> Iterable[AgencyText]:
    for duty in duties:
        submission = duty.submission
        text = "" if submission is None else submission.sections.get(section, "")
        if submission is not None and duty.is_shown and text.strip():
            yield AgencyText(agency=duty.agency, text=text, source=submission.source, id=submission.id)


def _compare(
    measure: _Measure, duties: Sequence[ReportedDuty], cut_offs: set[date | None], comparison: Comparison | None
) -> PreviousTotal | None:
    if comparison is None:
        return None
    before = measure.list_summed(comparison.duties)
    cut_offs_before = {duty.cut_off for duty in before}
    is_one_day = len(cut_offs) == len(cut_offs_before) == 1
    return PreviousTotal(
        period=comparison.period,
        total=measure.total_of(comparison.duties),
        agencies=len(before),
        is_comparable=is_one_day
        and reported_duties.is_same_day_of_year(*cut_offs, *cut_offs_before)
        and not comparison.has_split,
        same=_compare_same(measure, measure.list_summed(duties), before, comparison.heirs),
        basis=measure.find_basis(comparison.duties),
    )


def _compare_same(
    measure: _Measure, summed: Iterable[ReportedDuty], before: Iterable[ReportedDuty], heirs: Mapping[str, str]
) -> ComparedTotals:
    """Compare the agencies that gave the figure in both years as of the same day, a merged one under its heir.

    An agency that reported before it was merged stands beside its heir this year, as it did the year before.
    """
    now, then = _group_by_heir(summed, heirs), _group_by_heir(before, heirs)
    both = [heir for heir in now if heir in then and _is_as_of_one_day(now[heir], then[heir])]
    of_now = [duty for heir in both for duty in now[heir]]
    of_then = [duty for heir in both for duty in then[heir]]
    alone = [heir for heir in both if [duty.agency for duty in now[heir]] == [heir]]
    return ComparedTotals(
        agencies=len(both),
        total=measure.total_of(of_now),
        previous=measure.total_of(of_then),
        basis=measure.find_basis(of_now),
        previous_basis=measure.find_basis(of_then),
        previous_by_agency={heir: measure.total_of(then[heir]) for heir in alone},
        basis_by_agency={heir: measure.find_basis(then[heir]) for heir in alone},
    )


def _group_by_heir(duties: Iterable[ReportedDuty], heirs: Mapping[str, str]) -> Mapping[str, Sequence[ReportedDuty]]:
    grouped: dict[str, list[ReportedDuty]] = {}
    for duty in duties:
        grouped.setdefault(heirs.get(duty.agency, duty.agency), []).append(duty)
    return grouped


def _is_as_of_one_day(now: Iterable[ReportedDuty], then: Sequence[ReportedDuty]) -> bool:
    return all(reported_duties.is_same_day_of_year(one.cut_off, earlier.cut_off) for one in now for earlier in then)
