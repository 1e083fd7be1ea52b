"""Consolidate the figures and texts of one obligation: tallies of some of its agencies, which add up to the results.

A tally knows the figures of its own agencies, and the sums that are behind totals; tallies of all agencies are combined
to the results. So a tally is made anew only where something of its agencies has changed. Sums are exact, so it does not
matter which agencies are tallied together; ratios are worked out from sums and rounded once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain
from operator import attrgetter

from schemas.events.assessments import Status
from schemas.plan import figures
from schemas.plan.figures import Formula
from schemas.plan.indicators import Indicator
from services.reporting.core import reported_duties
from services.reporting.core.consolidation import merged_parts
from services.reporting.core.consolidation.merged_parts import MergedItems, MergedMapping
from services.reporting.core.reported_duties import ReportedDuty
from services.reporting.core.results import (
    PARTS_DIFFER,
    UNASKED,
    AgencyFigure,
    AgencyText,
    ComparedTotals,
    GroupTotal,
    IndicatorResult,
    ObligationResults,
    PreviousTotal,
    ResultsQuestion,
    TotalBasis,
)

# The sum of each part of an indicator by its code: of a ratio the figures in its formula, else the indicator itself.
PartSums = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalTally:
    """What some agencies add to a total: sums, how many gave every part, as of which days, and their duties.

    The duties stand in the order of the agencies.
    """

    sums: PartSums
    agencies: int
    cut_offs: frozenset[date | None]
    duties: Sequence[ReportedDuty]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTally:
    """What the agencies of both years add to their totals, and what each of them gave the year before."""

    heirs: int
    now: TotalTally
    before: TotalTally
    previous_by_agency: Mapping[str, Decimal | None]
    earlier: Mapping[str, Sequence[ReportedDuty]]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorTally:
    """What some agencies gave for one indicator. The figures stand in the order of the agencies."""

    total: TotalTally
    asked: int
    agencies: int
    late: int
    incomplete: int
    not_given: tuple[str, ...]
    cut_offs: Mapping[date | None, int]
    previous: TotalTally | None
    same: ComparedTally | None
    groups: tuple[TotalTally, ...]
    figures: tuple[AgencyFigure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObligationTally:
    """What some of the agencies that have an obligation gave, and the question that it answers for them."""

    question: ResultsQuestion
    expected: int
    standing: int
    indicators: tuple[IndicatorTally, ...]
    sections: Mapping[str, tuple[AgencyText, ...]]
    groups_by_agency: Mapping[str, frozenset[str]]


def consolidate(question: ResultsQuestion) -> ObligationResults:
    """Consolidate the figures and texts of the duties of *question*; their order changes nothing."""
    return combine_tallies([tally_duties(question)])


def tally_duties(question: ResultsQuestion) -> ObligationTally:
    """Return the tally of the agencies in *question*."""
    duties = sorted(question.duties, key=attrgetter("agency"))
    expected = [duty for duty in duties if duty.is_expected]
    measures = _list_measures(question)
    return ObligationTally(
        question=question,
        expected=len(expected),
        standing=sum(duty.submission is not None for duty in expected),
        indicators=tuple(_tally_indicator(measure, duties, question) for measure in measures),
        sections={section: tuple(_list_texts(section, duties)) for section in question.sections},
        groups_by_agency={duty.agency: duty.groups for duty in duties},
    )


def combine_tallies(tallies: Sequence[ObligationTally]) -> ObligationResults:
    """Return the results of the agencies of *tallies*, which answer one question about different agencies each."""
    question = tallies[0].question
    return ObligationResults(
        obligation=question.obligation,
        expected=sum(one.expected for one in tallies),
        standing=sum(one.standing for one in tallies),
        indicators=tuple(
            _combine_indicator(measure, tallies, [one.indicators[place] for one in tallies])
            for place, measure in enumerate(_list_measures(question))
        ),
        sections={
            section: merged_parts.merge_agencies((one.sections[section] for one in tallies), attrgetter("agency"))
            for section in question.sections
        },
        groups_by_agency=MergedMapping(one.groups_by_agency for one in tallies),
    )


class _Measure:
    """How one indicator is asked, read from a duty, and totalled: itself, or as a ratio by its formula."""

    def __init__(self, indicator: Indicator, by_code: Mapping[str, Indicator]) -> None:
        self.indicator = indicator
        self.formula: Formula | None = indicator.parse_formula()
        codes = (indicator.code,) if self.formula is None else self.formula.codes
        self.parts = [by_code[code] for code in codes]

    def is_asked_of(self, duty: ReportedDuty) -> bool:
        """Whether the agency is asked for every part."""
        return all(reported_duties.is_asked_of(part, duty) for part in self.parts)

    def is_given_by(self, duty: ReportedDuty) -> bool:
        """Whether the agency gives every part."""
        return all(duty.figure(part.code) is not None for part in self.parts)

    def value_of(self, duty: ReportedDuty) -> Decimal | None:
        """Return the agency's own value; None where the ratio divides by zero."""
        if self.formula is None:
            return duty.figure(self.parts[0].code) or Decimal(0)
        return self._work_out({part.code: duty.figure(part.code) or Decimal(0) for part in self.parts})

    def add_parts(self, duties: Iterable[ReportedDuty]) -> PartSums:
        """Return the sum of each part over those of *duties* whose agency gave it and was asked for it."""
        duties = [duty for duty in duties if duty.is_expected]
        return {
            part.code: figures.add_exactly(
                figure
                for duty in duties
                if reported_duties.is_asked_of(part, duty) and (figure := duty.figure(part.code)) is not None
            )
            for part in self.parts
        }

    def tally(self, duties: Iterable[ReportedDuty]) -> TotalTally:
        """Return what *duties* add to a total, and what it rests on."""
        duties = sorted(duties, key=attrgetter("agency"))
        summed = self.list_summed(duties)
        return TotalTally(
            sums=self.add_parts(duties),
            agencies=len(summed),
            cut_offs=frozenset(duty.cut_off for duty in summed),
            duties=duties,
        )

    def total_of(self, tallies: Iterable[TotalTally]) -> Decimal | None:
        """Return the total of *tallies*; of a ratio the value from the totals of its parts."""
        sums = [one.sums for one in tallies]
        return self._work_out({part.code: figures.add_exactly(one[part.code] for one in sums) for part in self.parts})

    def list_summed(self, duties: Iterable[ReportedDuty]) -> list[ReportedDuty]:
        """Return those of *duties* whose own value is behind the total."""
        return [duty for duty in duties if duty.is_expected and self.is_asked_of(duty) and self.is_given_by(duty)]

    def differs_from_parts(self, duty: ReportedDuty, parts: Sequence[ReportedDuty]) -> bool:
        """Whether every one of *parts* gives the figure and their exact sum is another one (contract section 8.6)."""
        if self.formula is not None or not parts:
            return False
        given = [one.figure(self.parts[0].code) for one in parts]
        figures_given = [one for one in given if one is not None]
        if len(figures_given) < len(parts):
            return False
        return figures.add_exactly(figures_given) != self.value_of(duty)

    def _work_out(self, values: PartSums) -> Decimal | None:
        return values[self.parts[0].code] if self.formula is None else self.formula.work_out(values)


def _list_measures(question: ResultsQuestion) -> list[_Measure]:
    by_code = {one.code: one for one in question.indicators}
    return [_Measure(one, by_code) for one in question.indicators]


def _tally_indicator(measure: _Measure, duties: Sequence[ReportedDuty], question: ResultsQuestion) -> IndicatorTally:
    asked = [duty for duty in duties if duty.is_expected and measure.is_asked_of(duty)]
    summed = measure.list_summed(asked)
    given = {duty.agency for duty in summed}
    previous = question.previous
    return IndicatorTally(
        total=measure.tally(duties),
        asked=len(asked),
        agencies=len(summed),
        late=sum(duty.status is Status.LATE for duty in summed),
        incomplete=sum(duty.status is Status.INCOMPLETE for duty in summed),
        not_given=tuple(duty.agency for duty in asked if duty.agency not in given),
        cut_offs=Counter(duty.cut_off for duty in summed),
        previous=None if previous is None else measure.tally(previous.duties),
        same=None
        if previous is None
        else _tally_same(measure, summed, measure.list_summed(previous.duties), previous.heirs),
        groups=tuple(measure.tally(duty for duty in duties if group in duty.groups) for group in question.groups),
        figures=tuple(
            _describe_figure(duty, measure, question.parts.get(duty.agency, ()))
            for duty in duties
            if duty.is_shown and measure.is_given_by(duty)
        ),
    )


def _tally_same(
    measure: _Measure, summed: Iterable[ReportedDuty], before: Iterable[ReportedDuty], heirs: Mapping[str, str]
) -> ComparedTally:
    """Compare the agencies that gave the figure in both years as of the same day, a merged one under its heir.

    An agency that reported before it was merged stands beside its heir this year, as it did the year before.
    """
    now, then = _group_by_heir(summed, heirs), _group_by_heir(sorted(before, key=attrgetter("agency")), heirs)
    both = [heir for heir in now if heir in then and _is_as_of_one_day(now[heir], then[heir])]
    alone = [heir for heir in both if [duty.agency for duty in now[heir]] == [heir]]
    return ComparedTally(
        heirs=len(both),
        now=measure.tally(duty for heir in both for duty in now[heir]),
        before=measure.tally(duty for heir in both for duty in then[heir]),
        previous_by_agency={heir: _total_summed(measure, then[heir]) for heir in alone},
        earlier=then,
    )


def _total_summed(measure: _Measure, summed: Sequence[ReportedDuty]) -> Decimal | None:
    """Return the total of duties whose own values are behind it; that of one, as of nearly all, is its own value."""
    return measure.value_of(summed[0]) if len(summed) == 1 else measure.total_of([measure.tally(summed)])


def _group_by_heir(duties: Iterable[ReportedDuty], heirs: Mapping[str, str]) -> Mapping[str, Sequence[ReportedDuty]]:
    grouped: dict[str, list[ReportedDuty]] = {}
    for duty in duties:
        grouped.setdefault(heirs.get(duty.agency, duty.agency), []).append(duty)
    return grouped


def _is_as_of_one_day(now: Iterable[ReportedDuty], then: Sequence[ReportedDuty]) -> bool:
    return all(reported_duties.is_same_day_of_year(one.cut_off, earlier.cut_off) for one in now for earlier in then)


def _combine_indicator(
    measure: _Measure, tallies: Sequence[ObligationTally], parts: Sequence[IndicatorTally]
) -> IndicatorResult:
    question = tallies[0].question
    cut_offs: Counter[date | None] = Counter()
    for one in parts:
        cut_offs.update(one.cut_offs)
    return IndicatorResult(
        indicator=measure.indicator,
        total=measure.total_of(one.total for one in parts),
        asked=sum(one.asked for one in parts),
        agencies=sum(one.agencies for one in parts),
        late=sum(one.late for one in parts),
        incomplete=sum(one.incomplete for one in parts),
        not_given=merged_parts.merge_agencies((one.not_given for one in parts), str),
        cut_offs=cut_offs,
        target=measure.indicator.target.get(question.period),
        previous=_combine_previous(measure, tallies, parts, set(cut_offs)),
        groups=tuple(
            _combine_group(group, measure, [one.groups[place] for one in parts])
            for place, group in enumerate(question.groups)
        ),
        figures=merged_parts.merge_agencies((one.figures for one in parts), attrgetter("agency")),
        basis=_combine_basis(measure, [one.total for one in parts]),
    )


def _combine_group(group: str, measure: _Measure, parts: Sequence[TotalTally]) -> GroupTotal:
    agencies = sum(one.agencies for one in parts)
    return GroupTotal(
        group=group, total=measure.total_of(parts), agencies=agencies, basis=_combine_basis(measure, parts)
    )


def _combine_previous(
    measure: _Measure,
    tallies: Sequence[ObligationTally],
    parts: Sequence[IndicatorTally],
    cut_offs: set[date | None],
) -> PreviousTotal | None:
    comparisons = [one.question.previous for one in tallies if one.question.previous is not None]
    previous = [one.previous for one in parts if one.previous is not None]
    if not comparisons:
        return None
    cut_offs_before = set(chain.from_iterable(one.cut_offs for one in previous))
    is_one_day = len(cut_offs) == len(cut_offs_before) == 1
    return PreviousTotal(
        period=comparisons[0].period,
        total=measure.total_of(previous),
        agencies=sum(one.agencies for one in previous),
        is_comparable=is_one_day
        and reported_duties.is_same_day_of_year(*cut_offs, *cut_offs_before)
        and not any(one.has_split for one in comparisons),
        same=_combine_same(measure, [one.same for one in parts if one.same is not None]),
        basis=_combine_basis(measure, previous),
    )


def _combine_same(measure: _Measure, parts: Sequence[ComparedTally]) -> ComparedTotals:
    return ComparedTotals(
        agencies=sum(one.heirs for one in parts),
        total=measure.total_of(one.now for one in parts),
        previous=measure.total_of(one.before for one in parts),
        basis=_combine_basis(measure, [one.now for one in parts]),
        previous_basis=_combine_basis(measure, [one.before for one in parts]),
        previous_by_agency=MergedMapping(one.previous_by_agency for one in parts),
        earlier=MergedMapping(one.earlier for one in parts),
    )


def _combine_basis(measure: _Measure, parts: Iterable[TotalTally]) -> TotalBasis:
    return TotalBasis(parts=measure.parts, duties=MergedItems((one.duties for one in parts), attrgetter("agency")))


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
