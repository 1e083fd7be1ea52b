"""The expected outcome of the scenario for each agency, and its comparison with what the system answers. Pure.

The plan's due date and its days of reminders and urgings are written down here a second time, by hand. They are not
taken from the rules, because the rules are what is checked against them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from schemas.events.assessments import Status
from services.console.demo.plan_6766.events import RESULTS, ZONE, ReportDraft

DUE_AT = datetime(2024, 12, 10, tzinfo=ZONE)
ENDS_AT = datetime(2025, 1, 10, 16, tzinfo=ZONE)
SENDING_BEGINS = time(7, 30)  # the notifier's sending hours begin
REMINDER_DAYS_BEFORE = (30, 14, 7, 3, 1)
URGING_DAYS_AFTER = (0, 3, 7, 14, 21, 28)  # the three of the plan, then weekly until the scenario ends
ESCALATION_DAYS_AFTER = (7, 14)
OPENINGS = 2  # of 2024 and 2025; with the first the agency is told of its archived report of 2023
DAYS_OFF = frozenset({date(2025, 1, 1)})  # besides weekends, of the days on which an alert falls

TimeSpan = tuple[datetime, datetime]
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """How many alerts of each kind the agency itself gets, and how many escalations go to its superiors.

    What an agency is told besides, `notices`, goes out in mails of their own, which are not counted as urging; so does
    that a report was returned.
    """

    reminders: int = 0
    urgings: int = 0
    about_incomplete: int = 0
    escalations: int = 0
    about_returned: int = 0
    notices: int = 0

    @property
    def to_agency(self) -> int:
        """How many go to the agency itself."""
        return self.reminders + self.urgings + self.about_incomplete + self.about_returned + self.notices


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDuty:
    """The state in which one agency's duty for the annual results must be when the scenario ends.

    `standing` is the report whose figures and texts count then.
    """

    agency: str
    status: Status
    due_at: datetime = DUE_AT
    effective_at: datetime | None = None
    submissions: int = 1
    flags: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    alerts: AlertCounts = field(default_factory=AlertCounts)
    standing: ReportDraft | None = None

    @property
    def days_late(self) -> int | None:
        """Whole days after the last timely day: until the report took effect, or until the scenario ends."""
        match self.status:
            case Status.LATE:
                return _days_after(self.due_at, self.effective_at or ENDS_AT)
            case Status.OVERDUE | Status.INCOMPLETE:
                return _days_after(self.due_at, ENDS_AT)
            case _:
                return None


def count_alerts(
    on_file: Sequence[TimeSpan] = (), *, due_at: datetime = DUE_AT, about_incomplete: int = 0, told: int = 0
) -> AlertCounts:
    """Count the alerts that one due instant calls for.

    *on_file* are the spans [begin, end) in which a complete report is known to be on file: no alert goes out in them.
    *about_incomplete* is taken over as it is. *told* is how often the agency is told of a receipt or a decision; that
    the two years open it is told as well.
    """
    return AlertCounts(
        reminders=_count_mornings(due_at, [-days for days in REMINDER_DAYS_BEFORE], on_file),
        urgings=_count_mornings(due_at, URGING_DAYS_AFTER, on_file),
        about_incomplete=about_incomplete,
        escalations=_count_mornings(due_at, ESCALATION_DAYS_AFTER, on_file),
        notices=OPENINGS + told,
    )


def span_from(instant: datetime) -> tuple[TimeSpan]:
    """Return the span that begins at *instant* and does not end within the scenario."""
    return ((instant, datetime.max.replace(tzinfo=ZONE)),)


def compare_duties(expectations: Iterable[ExpectedDuty], rows: Iterable[Fields], *, source: str) -> Iterator[str]:
    """Yield a sentence for each field in which the *rows* of the annual results depart from the *expectations*.

    *source* names in these sentences who gave the rows, for example "the report".
    """
    found = {row["agency"]: row for row in rows if row["obligation"] == RESULTS}
    for expected in expectations:
        row = found.pop(expected.agency, None)
        if row is None:
            yield f"{expected.agency}: {source} says nothing of it"
            continue
        actual = fields_of_row(row)
        for name, wanted in fields_of_expectation(expected).items():
            if actual[name] != wanted:
                yield f"{expected.agency}: {name} is {actual[name]!r} in {source}, {wanted!r} is expected"
    for agency in found:
        yield f"{agency}: {source} names it, no duty of it is expected"


def fields_of_expectation(expected: ExpectedDuty) -> Fields:
    """Return the compared fields of an expectation by name."""
    return {
        "status": expected.status.value,
        "due_at": expected.due_at,
        "effective_at": expected.effective_at,
        "days_late": expected.days_late,
        "submissions": expected.submissions,
        "flags": sorted(expected.flags),
        "missing": list(expected.missing),
        "reminders": expected.alerts.reminders,
        "urgings": expected.alerts.urgings,
        "about_incomplete": expected.alerts.about_incomplete,
        "escalations": expected.alerts.escalations,
    }


def fields_of_row(row: Fields) -> Fields:
    """Return the compared fields of a *row* of the API or of the report by name."""
    urging = row["urging"]
    return {
        "status": row["status"],
        "due_at": _parse_instant(row["due_at"]),
        "effective_at": _parse_instant(row["effective_at"]),
        "days_late": row["days_late"],
        "submissions": row["submissions"],
        "flags": sorted(row["flags"]),
        "missing": row["missing"],
        "reminders": urging["reminders"],
        "urgings": urging["urgings"],
        "about_incomplete": urging["about_incomplete"],
        "escalations": urging["escalations"],
    }


def _count_mornings(due_at: datetime, days: Iterable[int], on_file: Sequence[TimeSpan]) -> int:
    due_on = due_at.astimezone(ZONE).date()
    return sum(1 for one in days if _goes_out(due_on + timedelta(days=one), on_file, back=one < 0))


def _goes_out(day: date, on_file: Sequence[TimeSpan], *, back: bool) -> bool:
    """Whether the alert of *day* goes out: on the working day that it is moved to or, moved back, still on its own."""
    moved = _find_working_day(day, back=back)
    mornings = {_morning_of(moved), _morning_of(day)} if back else {_morning_of(moved)}
    return any(one <= ENDS_AT and not any(begin <= one < end for begin, end in on_file) for one in mornings)


def _find_working_day(day: date, *, back: bool) -> date:
    """Return the working day that *day* is, or the one before or after it: a reminder is early and an urging late."""
    while day.isoweekday() > 5 or day in DAYS_OFF:  # noqa: PLR2004 - Friday
        day += timedelta(days=-1 if back else 1)
    return day


def _morning_of(day: date) -> datetime:
    return datetime.combine(day, SENDING_BEGINS, tzinfo=ZONE)


def _days_after(due_at: datetime, instant: datetime) -> int:
    # A due instant of midnight belongs to the day after the last timely day, so the millisecond before it is taken.
    last_timely_day = (due_at - timedelta(milliseconds=1)).astimezone(ZONE).date()
    return (instant.astimezone(ZONE).date() - last_timely_day).days


def _parse_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
