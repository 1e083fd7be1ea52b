"""What the overview page shows: one obligation of one plan and period, counted, filtered and listed."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status
from schemas.plan.plan import Plan
from services.reporting.core import vietnamese, wording
from services.reporting.core.annual_report import AnnualReport, Chapter
from services.reporting.core.lines import DutyLine
from services.reporting.core.selection import Filter, select
from services.reporting.dashboard.templating import APART, SHOWN, weekday
from services.reporting.dashboard.texts import text


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader chose; nothing stands for the first there is, or for all."""

    plan: str | None
    period: str | None
    obligation: str | None
    group: str | None
    status: Status | None
    words: str
    language: str

    @property
    def filter(self) -> Filter:
        """Return the choice as a filter of lines."""
        return Filter(
            statuses=frozenset({self.status} if self.status else ()),
            groups=frozenset({self.group} if self.group else ()),
            words=self.words,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether some lines may be hidden."""
        return bool(self.group or self.status or self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How many duties have a status, and what share of the bar they take."""

    status: Status
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything on the page."""

    choice: Choice
    plan: Plan
    plans: tuple[Plan, ...]
    periods: tuple[str, ...]
    report: AnnualReport
    chapter: Chapter | None
    lines: tuple[DutyLine, ...]
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The local day asked about."""
        return self.report.as_of.astimezone(self.zone).date()

    @property
    def today_in_words(self) -> str:
        """The day of the week that today is."""
        return weekday(self.today, self.choice.language)

    @property
    def countdown(self) -> str:
        """How far off the deadline is, in words."""
        if self.chapter is None or self.chapter.due_at is None:
            return ""
        days = (vietnamese.last_good_day(self.chapter.due_at, self.zone) - self.today).days
        if days == 0:
            return text("last_day", self.choice.language)
        return text("days_left" if days > 0 else "days_past", self.choice.language, days=abs(days))

    @property
    def counters(self) -> tuple[Counter, ...]:
        """The statuses of the denominator, and those apart of which there are any."""
        if self.chapter is None:
            return ()
        total = self.chapter.total
        counts = {status: getattr(total, status.value) for status in (*SHOWN, *APART)}
        return tuple(
            Counter(status=status, count=count, share=100 * count / (total.expected or 1) if status in SHOWN else 0)
            for status, count in counts.items()
            if count or status in SHOWN
        )

    def missing(self, line: DutyLine) -> str:
        """Return what a line lacks and what is to be noted, in words."""
        obligation = self.plan.obligation(line.key.obligation)
        parts = [wording.missing(line, obligation, self.choice.language)] if obligation else []
        return "; ".join(part for part in (*parts, *wording.notes(line, self.choice.language)) if part)

    def urged(self, line: DutyLine) -> str:
        """Return how often and by what channel the agency was spoken to."""
        return wording.urged(line.urging, self.zone, self.choice.language)


def chapter_of(report: AnnualReport, obligation: str | None) -> Chapter | None:
    """Return the chapter chosen, else the first."""
    named = [chapter for chapter in report.chapters if chapter.obligation.id == obligation]
    return next(iter(named or report.chapters), None)


def shown_lines(chapter: Chapter | None, choice: Choice) -> tuple[DutyLine, ...]:
    """Return the lines of the chapter that the reader wants to see."""
    return select(chapter.lines, choice.filter) if chapter else ()
