"""The annual report as JSON, as `dondoc report` writes it. Readers ignore members that they do not know."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.plan.values import Instant

Decimals = Annotated[str, StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
"""A number in plain notation, as text, so that no reader rounds it."""

Count = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(ge=0, le=1)]
Status = Literal[
    "not_applicable", "pending", "incomplete", "on_time", "late", "overdue", "exempt", "superseded",
    "ended_no_successor", "open", "fulfilled",
]  # fmt: skip


class ReportMember(BaseModel):
    """A member of the report."""

    model_config = ConfigDict(frozen=True)


class ReportCounts(ReportMember):
    """How many duties have each status; `expected_reports` is the denominator of both rates."""

    expected_reports: Count
    actual_reports: Count
    reporting_rate: Rate | None
    reporting_rate_on_time: Rate | None
    on_time: Count
    late: Count
    incomplete: Count
    overdue: Count
    pending: Count
    exempt: Count
    superseded: Count
    ended_no_successor: Count


class GroupOfReport(ReportCounts):
    """The counts of one group of agencies."""

    group: str
    name: str


class DutyOfReport(ReportMember):
    """One duty as it stood at the instant asked about."""

    agency: str
    agency_name: str
    group: str
    obligation: str
    period: str | None
    due_at: Instant | None
    status: Status
    effective_at: Instant | None
    days_late: int | None
    submissions: Count
    flags: tuple[str, ...]
    missing: tuple[str, ...]


class ChapterOfReport(ReportMember):
    """One dated obligation for one period."""

    obligation: str
    title: str
    period: str | None
    due_at: Instant | None
    total: ReportCounts
    groups: tuple[GroupOfReport, ...]
    duties: tuple[DutyOfReport, ...]


class IndicatorOfReport(ReportMember):
    """An indicator, with its title in the language of the document."""

    code: str
    title: str
    unit: str | None
    kind: Literal["stock", "flow", "ratio"]
    formula: str | None


class AgencyFigureOfReport(ReportMember):
    """What one agency gave for an indicator, and the event that it came with."""

    agency: str
    value: Decimals | None
    status: Status
    cut_off: date | None
    source: str
    id: str
    flags: tuple[str, ...]


class IndicatorResultOfReport(ReportMember):
    """The consolidated figures of one indicator."""

    code: str
    total: Decimals | None
    asked: Count
    agencies: Count
    not_given: tuple[str, ...]
    target: Decimals | None
    figures: tuple[AgencyFigureOfReport, ...]


class ObligationResultsOfReport(ReportMember):
    """The consolidated figures of one obligation."""

    obligation: str
    expected: Count
    standing: Count
    indicators: tuple[IndicatorResultOfReport, ...]


class ResultsOfReport(ReportMember):
    """The results for one period."""

    plan: str
    period: str
    obligations: tuple[ObligationResultsOfReport, ...]


class EvaluationOfReport(ReportMember):
    """The grade of one agency with its reason, and beside it what an officer recorded."""

    agency: str
    grade: str
    title: str
    reason: str
    officer_grade: str | None
    officer_sentence: str | None


class FigureOfReport(ReportMember):
    """One figure of the report; `evidence` are the ids of the events behind it.

    A figure that follows from others has a `formula` over the last parts of their ids; `count(total)` is the number of
    agencies behind that one.
    """

    value: Decimals | int | str | None
    unit: str = ""
    cut_offs: tuple[str, ...] = ()
    formula: str = ""
    evidence: tuple[str, ...] = ()


class ChangedFigure(ReportMember):
    """A figure that differs from the sealed version, with the ids of the facts that changed it."""

    before: str | int | None
    after: str | int | None
    unit: str
    evidence: tuple[str, ...]


class ChangesOfReport(ReportMember):
    """What changed since the version that was sealed before, by the ids of the figures."""

    since_version: int
    sealed_at: Instant
    figures: Mapping[str, ChangedFigure]


class AnnualReportDocument(ReportMember):
    """The annual report of a plan for a period as JSON, with every figure under an id of its own."""

    plan: str
    plan_version: int
    registry: str
    registry_version: int
    period: str
    language: Literal["vi", "en"]
    as_of: Instant
    known_at: Instant
    total: ReportCounts
    chapters: tuple[ChapterOfReport, ...]
    indicators: tuple[IndicatorOfReport, ...]
    results: tuple[ResultsOfReport, ...]
    evaluations: tuple[EvaluationOfReport, ...]
    changes: ChangesOfReport | None = None
    figures: Mapping[str, FigureOfReport]
