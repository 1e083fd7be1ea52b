"""The content of the overview page: one obligation of one plan and period, counted, filtered and listed."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status
from schemas.plan.plan import Plan
from services.reporting.core import duty_search, labels, vietnamese_locale
from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.duty_counts import EXCLUDED_STATUSES, EXPECTED_STATUSES
from services.reporting.core.duty_lines import DutyLine
from services.reporting.core.duty_search import LineFilter
from services.reporting.dashboard import templating


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewQuery:
    """What the reader chose in the form; None selects the first plan, period or obligation, and all groups."""

    plan: str | None
    period: str | None
    obligation: str | None
    group: str | None
    status: Status | None
    words: str
    language: str

    @property
    def line_filter(self) -> LineFilter:
        """The choice as a filter of lines."""
        return LineFilter(
            statuses=frozenset({self.status} if self.status else ()),
            groups=frozenset({self.group} if self.group else ()),
            words=self.words,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether the filter may hide some lines."""
        return bool(self.group or self.status or self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCount:
    """How many duties have a status, and their share of the bar in percent."""

    status: Status
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that the template of the overview page shows.

    `has_documents` says whether its reader may have the annual report, which names every agency.
    """

    query: OverviewQuery
    plan: Plan
    plans: tuple[Plan, ...]
    periods: tuple[str, ...]
    report: AnnualReport
    chapter: Chapter | None
    lines: tuple[DutyLine, ...]
    zone: ZoneInfo
    has_documents: bool

    @property
    def today(self) -> date:
        """The local date of the instant asked about."""
        return self.report.as_of.astimezone(self.zone).date()

    @property
    def weekday(self) -> str:
        """The day of the week of `today`, in words."""
        return templating.format_weekday(self.today, self.query.language)

    @property
    def countdown(self) -> str:
        """The number of days to or from the due date, in words."""
        if self.chapter is None or self.chapter.due_at is None:
            return ""
        days = (vietnamese_locale.last_day_on_time(self.chapter.due_at, self.zone) - self.today).days
        if days == 0:
            return templating.text("last_day", self.query.language)
        return templating.text("days_left" if days > 0 else "days_past", self.query.language, days=abs(days))

    @property
    def status_counts(self) -> tuple[StatusCount, ...]:
        """The counts of the expected statuses, and of those excluded statuses that occur."""
        if self.chapter is None:
            return ()
        total = self.chapter.total
        # Excluded statuses take no share of the bar, which shows the denominator.
        counts = {status: getattr(total, status.value) for status in (*EXPECTED_STATUSES, *EXCLUDED_STATUSES)}
        return tuple(
            StatusCount(
                status=status,
                count=count,
                share=100 * count / (total.expected or 1) if status in EXPECTED_STATUSES else 0,
            )
            for status, count in counts.items()
            if count or status in EXPECTED_STATUSES
        )

    def describe_missing(self, line: DutyLine) -> str:
        """Return what is missing from a line's report and the notes on the line, in words."""
        obligation = self.plan.obligation(line.key.obligation)
        missing = [labels.describe_missing(line, obligation, self.plan, self.query.language)] if obligation else []
        return "; ".join(part for part in (*missing, *labels.describe_notes(line, self.query.language)) if part)

    def describe_urging(self, line: DutyLine) -> str:
        """Return how often and by which channels the agency was alerted."""
        return labels.describe_urging(line.urging, self.zone, self.query.language)


def choose_chapter(report: AnnualReport, obligation: str | None) -> Chapter | None:
    """Return the chapter of *obligation*, else the first chapter; None where the report has none."""
    chosen = [chapter for chapter in report.chapters if chapter.obligation.id == obligation]
    return next(iter(chosen or report.chapters), None)


def select_lines(chapter: Chapter | None, query: OverviewQuery) -> tuple[DutyLine, ...]:
    """Return the lines of the chapter that match the query."""
    return duty_search.filter_lines(chapter.lines, query.line_filter) if chapter else ()
