"""What the annual report is compiled from: the duties, the results, the grades, the documents that were sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from schemas.events.ids import DutyKey
from services.reporting.core.annual_report import AnnualReport
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.core.results import ObligationResults
from services.reporting.core.sealing.figure_changes import FigureChange


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSeal:
    """A sealed version of the report, as its last page names it; a report without one is a draft."""

    version: int
    check_code: str
    verification_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodResults:
    """The consolidated results of one obligation for one period."""

    period: str
    results: ObligationResults


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAgency:
    """The grade of an agency with its reason in words, and beside it what an officer recorded, if anything.

    `late_before` is in how many of the last periods the agency was late, `officer_event` the id of the record.
    """

    agency: str
    grade: str
    title: str
    reason: str
    late_before: int = 0
    officer_grade: str | None = None
    officer_sentence: str = ""
    officer_event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDocument:
    """The document by which an agency reported: number and symbol, date, and the word for the proof of its dispatch."""

    number: str = ""
    issued_on: date | None = None
    proof: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedDecision:
    """The document by which an agency was exempted or had its due instant extended, as the deciding event cites it."""

    number: str
    issued_on: date | None = None
    signed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinding:
    """Something about a reported figure that needs a look, as one Vietnamese sentence, and what kind of slip it is."""

    agency: str
    code: str
    sentence: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedVersionChanges:
    """Every figure that differs from the version that was sealed before this one."""

    version: int
    sealed_at: datetime
    changes: tuple[FigureChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInputs:
    """Everything that the content of a report follows from.

    `previous` is the report on the same period a year earlier, of which the rates and the arrivals are compared.
    `decisions` holds for a duty the decision that exempted it or gave it its due instant.
    """

    report: AnnualReport
    registry: RegistryIndex
    previous: AnnualReport | None = None
    results: tuple[PeriodResults, ...] = ()
    evaluations: tuple[GradedAgency, ...] = ()
    documents: Mapping[DutyKey, ReportedDocument] = field(default_factory=dict)
    decisions: Mapping[DutyKey, ReportedDecision] = field(default_factory=dict)
    findings: tuple[ReportFinding, ...] = ()
    seal: ReportSeal | None = None
    changes: SealedVersionChanges | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody owes anything: such a report would read as a clean bill."""
        return not self.report.chapters and not self.report.undated
