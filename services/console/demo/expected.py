"""What the story plants: for each agency the answer that the dashboard and the report must come to.

It restates the plan's deadline and its days of reminding by hand. It refuses to ask the rules: it is what they are
held against.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from schemas.events.assessments import Status
from services.console.demo.events import ZONE

DUE_AT = datetime(2024, 12, 10, tzinfo=ZONE)
CURTAIN_AT = datetime(2025, 1, 10, 16, tzinfo=ZONE)
MAIL_GOES_OUT = time(7, 30)  # the notifier's sending hours begin
REMINDED_DAYS_BEFORE = (30, 14, 7, 3, 1)
URGED_DAYS_AFTER = (0, 3, 7, 14, 21, 28)  # the three of the plan, then weekly until the curtain
ESCALATED_DAYS_AFTER = (7, 14)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How often the agency itself hears of its duty, and how often somebody above it does."""

    reminders: int = 0
    urgings: int = 0
    about_incomplete: int = 0
    escalations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """How one agency's duty stands when the curtain falls."""

    agency: str
    status: Status
    due_at: datetime = DUE_AT
    effective_at: datetime | None = None
    submissions: int = 1
    flags: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    told: Told = field(default_factory=Told)

    @property
    def days_late(self) -> int | None:
        """Whole days after the last good day: until the report took effect, or until the curtain."""
        match self.status:
            case Status.LATE:
                return _days_after(self.due_at, self.effective_at or CURTAIN_AT)
            case Status.OVERDUE | Status.INCOMPLETE:
                return _days_after(self.due_at, CURTAIN_AT)
            case _:
                return None


def told(settled: Sequence[Span] = (), *, due_at: datetime = DUE_AT, about_incomplete: int = 0) -> Told:
    """Return what an agency hears of one due instant while nothing complete is known to be on file."""
    return Told(
        reminders=_heard(due_at, [-days for days in REMINDED_DAYS_BEFORE], settled),
        urgings=_heard(due_at, URGED_DAYS_AFTER, settled),
        about_incomplete=about_incomplete,
        escalations=_heard(due_at, ESCALATED_DAYS_AFTER, settled),
    )


def from_(instant: datetime) -> tuple[Span]:
    """Return the span that begins at *instant* and does not end within the story."""
    return ((instant, datetime.max.replace(tzinfo=ZONE)),)


def _heard(due_at: datetime, days: Iterable[int], settled: Sequence[Span]) -> int:
    mornings = (_morning(due_at.astimezone(ZONE).date() + timedelta(days=one)) for one in days)
    return sum(1 for one in mornings if one <= CURTAIN_AT and not any(begin <= one < end for begin, end in settled))


def _morning(day: date) -> datetime:
    return datetime.combine(day, MAIL_GOES_OUT, tzinfo=ZONE)


def _days_after(due_at: datetime, instant: datetime) -> int:
    last_good_day = (due_at - timedelta(milliseconds=1)).astimezone(ZONE).date()
    return (instant.astimezone(ZONE).date() - last_good_day).days
