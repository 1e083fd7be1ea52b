"""Assessments and agendas to test with: one duty due at the end of 9 December 2026 in Viet Nam."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events.assessments import Status, StepKind
from schemas.events.ids import DutyKey
from services.notifier.core.scheduling import schedule
from services.notifier.core.scheduling.assessment import Assessed, Step, Stretch
from services.notifier.core.scheduling.quiet_hours import SendingHours
from services.notifier.core.scheduling.scheduled_alert import Agenda

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ALWAYS = SendingHours(opens=time.min, closes=time.max, zone=ZONE)
WORKING = SendingHours(opens=time(7, 30), closes=time(17, 30), zone=ZONE)
DUE = datetime(2026, 12, 9, 17, tzinfo=UTC)
OPENS = DUE - timedelta(days=343)
DUTY = DutyKey(plan="P-1", agency="h-mot", obligation="results", period="2026")
DAY = timedelta(days=1)
MONTH = timedelta(days=30)


def days(count: float) -> datetime:
    """The instant so many days after the due instant, before it where negative."""
    return DUE + timedelta(days=count)


def a_reminder(before: int, **changes: Any) -> Step:
    """A reminder so many days before due."""
    usual: dict[str, Any] = {"kind": StepKind.REMINDER, "step": f"P{before}D", "at": days(-before), "due_at": DUE}
    return Step(**(usual | changes))


def an_urging(after: int, **changes: Any) -> Step:
    """An urging so many days after due."""
    usual: dict[str, Any] = {"kind": StepKind.URGING, "step": f"P{after}D", "at": days(after), "due_at": DUE}
    return Step(**(usual | changes))


def a_stretch(starts_at: datetime, status: Status, **changes: Any) -> Stretch:
    """What holds from an instant on."""
    usual: dict[str, Any] = {"starts_at": starts_at, "status": status, "due_at": DUE}
    return Stretch(**(usual | changes))


SILENT = (a_stretch(OPENS, Status.PENDING), a_stretch(DUE, Status.OVERDUE))


def an_assessment(*steps: Step, timeline: Iterable[Stretch] = SILENT, **changes: Any) -> Assessed:
    """An assessment of the duty, by default with nothing on file."""
    usual: dict[str, Any] = {
        "duty": DUTY,
        "plan_version": 1,
        "registry": "th",
        "registry_version": 1,
        "clause": "III.1",
        "revision": 1,
        "recorded_at": OPENS,
        "timeline": tuple(timeline),
        "steps": steps,
    }
    return Assessed(**(usual | changes))


def followed(assessed: Assessed, now: datetime, *, known: Agenda | None = None, hours: SendingHours = ALWAYS) -> Agenda:
    """The agenda after an assessment."""
    return schedule.follow(known, assessed, hours, now=now, lookback=MONTH)


def told(agenda: Agenda, now: datetime, *, hours: SendingHours = ALWAYS) -> tuple[list[str], Agenda]:
    """The labels of what is told at an instant, and the agenda after it."""
    calls, after = schedule.take(agenda, hours, now)
    return [f"{one.kind} {one.label}" for one in calls], after


def told_until(agenda: Agenda, until: datetime) -> list[str]:
    """Everything told by a notifier that is never down."""
    labels: list[str] = []
    while agenda.next_at is not None and agenda.next_at < until:
        more, agenda = told(agenda, agenda.next_at)
        labels += more
    return labels
