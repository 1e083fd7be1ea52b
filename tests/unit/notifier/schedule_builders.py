"""Builders of assessments and schedules: one duty that is due at the end of 9 December 2026 in Viet Nam."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status, StepKind
from schemas.events.ids import DutyKey
from schemas.events.wire import WireStep
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.schedule import AlertSchedule, SendingHours
from services.notifier.core.scheduling.scheduled_alert import DutyAssessment, StatusInterval

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class EveryDay:
    """A calendar without a day off."""

    def is_working_day(self, day: date) -> bool:
        """Whether *day* is worked: every day is."""
        del day
        return True

    def next_working_day(self, day: date) -> date:
        """Return *day* itself."""
        return day

    def previous_working_day(self, day: date) -> date:
        """Return *day* itself."""
        return day


ALWAYS = SendingHours(opens=time.min, closes=time.max, zone=ZONE, days=EveryDay())
OFFICE_HOURS = SendingHours(opens=time(7, 30), closes=time(17, 30), zone=ZONE, days=EveryDay())
DUE = datetime(2026, 12, 9, 17, tzinfo=UTC)
OPENS = DUE - timedelta(days=343)
DUTY = DutyKey(plan="P-1", agency="h-mot", obligation="results", period="2026")
DAY = timedelta(days=1)
MONTH = timedelta(days=30)


def days(count: float) -> datetime:
    """Return the instant that many days after the due instant, or before it if negative."""
    return DUE + timedelta(days=count)


def a_reminder(before: int, **changes: Any) -> WireStep:
    """Return a reminder that many days before the due instant."""
    defaults: dict[str, Any] = {"kind": StepKind.REMINDER, "step": f"P{before}D", "at": days(-before), "due_at": DUE}
    return WireStep(**(defaults | changes))


def an_urging(after: int, **changes: Any) -> WireStep:
    """Return an urging that many days after the due instant."""
    defaults: dict[str, Any] = {"kind": StepKind.URGING, "step": f"P{after}D", "at": days(after), "due_at": DUE}
    return WireStep(**(defaults | changes))


def an_interval(starts_at: datetime, status: Status, **changes: Any) -> StatusInterval:
    """Return an interval of the timeline."""
    defaults: dict[str, Any] = {"starts_at": starts_at, "status": status, "due_at": DUE}
    return StatusInterval(**(defaults | changes))


NOTHING_FILED = (an_interval(OPENS, Status.PENDING), an_interval(DUE, Status.OVERDUE))


def an_assessment(
    *alerts: WireStep, timeline: Iterable[StatusInterval] = NOTHING_FILED, **changes: Any
) -> DutyAssessment:
    """Return an assessment of the duty that calls for *alerts*, by default with nothing filed."""
    defaults: dict[str, Any] = {
        "duty": DUTY,
        "plan_version": 1,
        "registry": "th",
        "registry_version": 1,
        "clause": "III.1",
        "revision": 1,
        "recorded_at": OPENS,
        "timeline": tuple(timeline),
        "alerts": alerts,
    }
    return DutyAssessment(**(defaults | changes))


def follow(
    assessment: DutyAssessment, now: datetime, *, known: AlertSchedule | None = None, hours: SendingHours = ALWAYS
) -> AlertSchedule:
    """Return the schedule after *assessment*."""
    return schedule.follow_assessment(known, assessment, hours, now=now, lookback=MONTH)


def take_labels(
    known: AlertSchedule, now: datetime, *, hours: SendingHours = ALWAYS
) -> tuple[list[str], AlertSchedule]:
    """Take what is due at *now*; return the kinds and labels of the alerts, and the schedule after it."""
    alerts, after = schedule.take_due(known, hours, now)
    return [f"{one.kind} {one.label}" for one in alerts], after


def take_labels_until(known: AlertSchedule, until: datetime) -> list[str]:
    """Return everything that a notifier sends before *until* if it is never down."""
    labels: list[str] = []
    while known.next_at is not None and known.next_at < until:
        more, known = take_labels(known, known.next_at)
        labels += more
    return labels
