"""What an agency of the middle level compiles: who below has reported, and what their figures add up to.

It shows the comparison behind the flag `parts_differ` (contract section 8.6), also while parts are outstanding.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.events.assessments import Status
from schemas.plan import figures
from schemas.plan.indicators import Indicator
from schemas.plan.plan import Plan
from services.reporting.core.reported_duties import ReportedDuty
from services.reporting.core.results import ResultsQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedPart:
    """The report of one agency below; `is_named` says whether the compiled report names it, if there is one."""

    agency: str
    status: Status
    is_named: bool
    figures: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsTotal:
    """A figure of the compiled report beside the exact sum over the `given` parts that give it."""

    indicator: Indicator
    own: Decimal | None
    total: Decimal
    given: int
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedReport:
    """One report that an agency compiles, its parts in the order of their ids, and the totals in the plan's order."""

    obligation: str
    status: Status
    parts: tuple[ConsolidatedPart, ...]
    totals: tuple[PartsTotal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledReports:
    """Everything that an agency compiles for a period, at an instant; `names` are those of the agencies by id."""

    plan: Plan
    period: str
    agency: str
    reports: tuple[ConsolidatedReport, ...]
    names: Mapping[str, str]
    as_of: datetime
    known_at: datetime

    @property
    def agency_name(self) -> str:
        """The name of the agency that compiles."""
        return self.name_of(self.agency)

    def name_of(self, agency: str) -> str:
        """Return the name of an agency, or its id where the registry has none."""
        return self.names.get(agency, agency)


def list_compiled_reports(questions: Iterable[ResultsQuestion], agency: str) -> Iterator[ConsolidatedReport]:
    """Yield each report of *agency* that compiles those of agencies below it."""
    for question in questions:
        own = next((duty for duty in question.duties if duty.agency == agency), None)
        if own is not None and question.parts.get(agency):
            yield _compile(question, own, sorted(question.parts[agency], key=lambda duty: duty.agency))


def build_document(compiled: CompiledReports) -> dict[str, Any]:
    """Return what an agency compiles as JSON, with names; figures are text, so that no reader rounds them."""
    return {
        "plan": compiled.plan.plan,
        "period": compiled.period,
        "agency": compiled.agency,
        "as_of": compiled.as_of.isoformat(),
        "known_at": compiled.known_at.isoformat(),
        "compiled": [_render_report(one, compiled) for one in compiled.reports],
    }


def _render_report(report: ConsolidatedReport, compiled: CompiledReports) -> dict[str, Any]:
    return {
        "obligation": report.obligation,
        "status": report.status.value,
        "parts": [
            {
                "agency": one.agency,
                "name": compiled.name_of(one.agency),
                "status": one.status.value,
                "named": one.is_named,
                "figures": {code: figures.write_plainly(value) for code, value in one.figures.items()},
            }
            for one in report.parts
        ],
        "indicators": [
            {
                "code": one.indicator.code,
                "unit": one.indicator.unit,
                "own": None if one.own is None else figures.write_plainly(one.own),
                "parts_total": figures.write_plainly(one.total),
                "given": one.given,
                "parts_differ": one.differs,
            }
            for one in report.totals
        ],
    }


def _compile(question: ResultsQuestion, own: ReportedDuty, parts: list[ReportedDuty]) -> ConsolidatedReport:
    indicators = [one for one in question.indicators if one.parse_formula() is None]
    named = frozenset() if own.submission is None else own.submission.parts
    return ConsolidatedReport(
        obligation=question.obligation,
        status=own.status,
        parts=tuple(_describe_part(part, indicators, is_named=part.agency in named) for part in parts),
        totals=tuple(_total(indicator, own, parts) for indicator in indicators),
    )


def _describe_part(part: ReportedDuty, indicators: Iterable[Indicator], *, is_named: bool) -> ConsolidatedPart:
    given = ((one.code, part.figure(one.code)) for one in indicators)
    return ConsolidatedPart(
        agency=part.agency,
        status=part.status,
        is_named=is_named,
        figures={code: figure for code, figure in given if figure is not None},
    )


def _total(indicator: Indicator, own: ReportedDuty, parts: list[ReportedDuty]) -> PartsTotal:
    given = [figure for part in parts if (figure := part.figure(indicator.code)) is not None]
    total, figure = figures.add_exactly(given), own.figure(indicator.code)
    is_whole = len(given) == len(parts) and figure is not None
    return PartsTotal(
        indicator=indicator, own=figure, total=total, given=len(given), differs=is_whole and total != figure
    )
