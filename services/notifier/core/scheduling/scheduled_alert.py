"""Alerts: as an assessment calls for them (`WireStep`), and as the notifier schedules them (`ScheduledAlert`).

A called alert holds only while the timeline stays as it was at the instant of the alert. Example: a reminder for
9 December is void as soon as the report is in, or the due date is extended to the 20th. So an alert that goes out late
is not sent when its reason is gone.

This module holds values. `schedule` decides which alerts of a duty are sent and when; the ledger stores them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec import structs

from schemas.events.assessments import Status, StepKind
from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from schemas.events.ids import DutyKey
from schemas.events.wire import WireNotice, WireReturnedReport, WireStep, WireSuccessor
from schemas.plan import values

# The statuses in which a reminder makes sense: the report can still come in time.
REPORT_EXPECTED = frozenset({Status.PENDING, Status.INCOMPLETE})

# The statuses in which an urging or an escalation makes sense: the due instant has passed without a good report.
REPORT_OUTSTANDING = frozenset({Status.OVERDUE, Status.INCOMPLETE})

# The statuses in which a report has done what the duty asks.
DISCHARGED = frozenset({Status.ON_TIME, Status.LATE, Status.FULFILLED})

# Which of two alerts matters more when they fall on the same instant.
SEVERITY = {
    StepKind.RECEIVED: 0,
    StepKind.OPENING: 1,
    StepKind.EXEMPTION: 2,
    StepKind.REMINDER: 3,
    StepKind.EXTENSION: 4,
    StepKind.SUCCESSION: 5,
    StepKind.INCOMPLETE: 6,
    StepKind.RETURNED: 7,
    StepKind.URGING: 8,
    StepKind.ESCALATION: 9,
}

# What such a notice tells no later alert says as well.
SENT_IN_ANY_CASE = frozenset({StepKind.RECEIVED, StepKind.EXTENSION, StepKind.EXEMPTION, StepKind.SUCCESSION})

# What begins the missing parts of a report that its recipient has returned (ruling 14).
RETURNED = "returned"

# The flags of a report that its recipient should look at, and the one that says that it did.
NEEDS_RECONCILIATION, RETURNED_AND_CORRECTED, ACCEPTED = "needs_reconciliation", "returned_and_corrected", "accepted"
REVIEW_FLAGS = frozenset({NEEDS_RECONCILIATION, RETURNED_AND_CORRECTED, ACCEPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusInterval:
    """A segment of the timeline: the status of the duty from `starts_at` until the next interval starts.

    `flags` holds those of `REVIEW_FLAGS` alone.
    """

    starts_at: datetime
    status: Status
    due_at: datetime | None
    missing: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAssessment:
    """The part of an assessment of one duty on which alerts depend.

    `digest` is that of the whole record, by which another content under the same revision is recognised. `origin` is
    the event that it follows from.
    """

    duty: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    revision: int
    recorded_at: datetime
    timeline: tuple[StatusInterval, ...]
    alerts: tuple[WireStep, ...]
    digest: str = ""
    origin: EventOrigin = NO_ORIGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What the recipient asks for by returning a report: the event id of that report, why, and until when."""

    submission: str
    reason: str
    respond_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAlert:
    """An alert of one duty with its time of sending.

    `at` is when the assessment calls for it, `send_at` is `at` moved out of the quiet hours. From `until` on the alert
    is void. `missing` names what the report lacks, in the names that rules uses. `correction` is what an alert of a
    returned report asks for. For an alert with `every`, `repetition` counts its repetitions (0 is the first sending),
    `at_most` is how many there are, and `first_at` is when the first one fell due. `settle` holds it back for that much
    time within the sending hours, counted from `due_at`.
    `notice` is what a notice tells. From `passes_at` on, when the agency has ended, the alert goes to its `successors`.
    """

    kind: StepKind
    step: str
    at: datetime
    send_at: datetime
    due_at: datetime | None
    to: str = "self"
    every: str | None = None
    until: datetime | None = None
    missing: tuple[str, ...] = ()
    first_at: datetime
    repetition: int = 0
    correction: Correction | None = None
    at_most: int | None = None
    settle: str | None = None
    notice: WireNotice | None = None
    passes_at: datetime | None = None
    successors: tuple[WireSuccessor, ...] = ()

    @property
    def is_to_successor(self) -> bool:
        """Whether it goes to who stands in the place of an agency that has ended, and not to that agency."""
        return self.notice is not None and self.to in self.notice.heirs

    @property
    def is_inherited(self) -> bool:
        """Whether it asks a successor for what stays the report of an agency that has ended.

        The notice of a succession tells who owes a report of its own from then on.
        """
        return self.is_to_successor and self.kind is not StepKind.SUCCESSION

    @property
    def label(self) -> str:
        """The step with its repetitions counted in: the second weekly repetition of P14D is P28D."""
        if not self.repetition or self.every is None:
            return self.step
        step, every = values.parse_duration(self.step), values.parse_duration(self.every)
        if isinstance(step, timedelta) and isinstance(every, timedelta) and not (step.seconds or every.seconds):
            return values.format_days((step + self.repetition * every).days)
        return f"{self.step}+{self.repetition}x{self.every}"

    @property
    def dedup_key(self) -> str:
        """The deduplication key within the duty: of two alerts with the same key only one is ever sent."""
        return self._key(self.label)

    @property
    def step_key(self) -> str:
        """The key of the called alert behind all repetitions."""
        return self._key(self.step)

    def is_void(self, now: datetime) -> bool:
        """Whether the reason of the alert is gone by *now*."""
        return self.until is not None and self.until <= now

    def has_passed(self, now: datetime) -> bool:
        """Whether the agency has ended by *now*, so that the alert is for its successors."""
        return self.passes_at is not None and self.passes_at <= now

    def pass_on(self, now: datetime) -> "tuple[ScheduledAlert, ...]":
        """Return the alert as it goes out at *now*: to the agency, or once it has ended to each of its successors.

        Where nobody has succeeded to an agency that has ended, there is nobody to tell.
        """
        if not self.has_passed(now):
            return (self,)
        return tuple(
            self._give_to(one.agency)
            for one in self.successors
            if one.starts_at <= now and (one.until is None or now < one.until)
        )

    def list_step_keys(self) -> Iterator[str]:
        """Yield the keys of the called alert, whomever it will go to."""
        yield self.step_key
        for agency in dict.fromkeys(one.agency for one in self.successors):
            yield self._give_to(agency).step_key

    def _give_to(self, successor: str) -> "ScheduledAlert":
        notice = structs.replace(self.notice or WireNotice(), heirs=(successor,))
        return replace(self, to=successor, notice=notice, passes_at=None, successors=())

    def repeat(self, number: int, zone: ZoneInfo) -> "ScheduledAlert | None":
        """Return repetition *number* at the same wall time in *zone*, or None if there is none before `until`.

        `send_at` of the result does not yet respect the quiet hours.
        """
        if self.every is None or (self.at_most is not None and number >= self.at_most):
            return None
        at = (self.first_at.astimezone(zone) + values.parse_duration(self.every) * number).astimezone(
            self.first_at.tzinfo
        )
        if self.is_void(at) or (self.passes_at is not None and self.passes_at <= at):
            return None
        return replace(self, repetition=number, at=at, send_at=at)

    def latest_repetition(self, now: datetime, zone: ZoneInfo) -> "ScheduledAlert":
        """Return the last repetition that is due by *now*, or the alert itself if none is."""
        latest = self._skip_repetitions(now, zone)
        while (following := latest.repeat(latest.repetition + 1, zone)) and following.at <= now:
            latest = following
        return latest

    def _skip_repetitions(self, now: datetime, zone: ZoneInfo) -> "ScheduledAlert":
        """Return a repetition shortly before *now*, so that `latest_repetition` does not step through years of weeks.

        One repetition of slack covers a shift of the wall clock in *zone*. Calendar durations such as P1M have no fixed
        length and are stepped through; there are twelve of them a year.
        """
        every = values.parse_duration(self.every) if self.every else None
        if not isinstance(every, timedelta) or every <= timedelta():
            return self
        number = (now - self.first_at) // every - 1
        number = number if self.at_most is None else min(number, self.at_most - 1)
        return (self.repeat(number, zone) if number > self.repetition else None) or self

    def _key(self, label: str) -> str:
        # The due instant is part of the key: after an extension the reminders of the new due date are other alerts.
        return f"{self.kind.value}|{label}|{_write_due(self.due_at)}|{self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAlert:
    """A scheduled alert together with its duty, the document versions that its text cites, and the event behind it."""

    duty: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    alert: ScheduledAlert
    origin: EventOrigin = NO_ORIGIN

    @property
    def dedup_key(self) -> str:
        """The deduplication key across all duties."""
        return f"{self.duty}|{self.alert.dedup_key}"


@lru_cache(maxsize=256)
def _write_due(due_at: datetime | None) -> str:
    # An alert writes its keys seven times on its way, and many thousands have their due instant in common.
    return due_at.astimezone(UTC).isoformat(timespec="milliseconds") if due_at else ""


def schedule_alerts(assessment: DutyAssessment, now: datetime) -> tuple[ScheduledAlert, ...]:
    """Return the alerts that *assessment* calls for, `send_at` not yet moved out of the quiet hours.

    An alert of the past names what is missing *now*, an alert to come what will be missing at its instant.
    """
    return tuple(_schedule_alert(called, assessment.timeline, now) for called in assessment.alerts)


def _schedule_alert(called: WireStep, timeline: tuple[StatusInterval, ...], now: datetime) -> ScheduledAlert:
    ends = (one.starts_at for one in timeline if one.starts_at > called.at and not _is_called_for(called, one))
    bounds = [instant for instant in (called.until, next(ends, None)) if instant is not None]
    return ScheduledAlert(
        kind=called.kind,
        step=called.step,
        at=called.at,
        send_at=called.at,
        due_at=called.due_at,
        to=called.to,
        every=called.every,
        until=min(bounds, default=None),
        missing=_missing_at(timeline, max(called.at, now)),
        first_at=called.at,
        correction=_read_correction(called),
        at_most=called.at_most or None,
        settle=called.settle or None,
        notice=called.notice or None,
        passes_at=called.passes_at or None,
        successors=called.successors or (),
    )


def _read_correction(called: WireStep) -> Correction | None:
    asked = called.returned
    if not isinstance(asked, WireReturnedReport):
        return None
    return Correction(submission=asked.submission, reason=asked.reason, respond_by=asked.respond_by)


def _is_called_for(called: WireStep, interval: StatusInterval) -> bool:
    match called.kind:
        case StepKind.REMINDER:
            return interval.status in REPORT_EXPECTED and interval.due_at == called.due_at
        case StepKind.URGING | StepKind.ESCALATION:
            return interval.status in REPORT_OUTSTANDING and interval.due_at == called.due_at
        case StepKind.INCOMPLETE:
            return interval.status is Status.INCOMPLETE
        case StepKind.RETURNED:
            return interval.missing[:1] == (RETURNED,)
        case StepKind.RECEIVED:
            return interval.status in DISCHARGED
        case StepKind.EXEMPTION:
            return interval.status is Status.EXEMPT
        case StepKind.SUCCESSION:
            return interval.status is Status.SUPERSEDED
        case StepKind.EXTENSION:
            return interval.status in REPORT_EXPECTED | REPORT_OUTSTANDING and interval.due_at == called.due_at
        case StepKind.OPENING:
            return interval.status in REPORT_EXPECTED or interval.status is Status.OPEN
        case _:
            assert_never(called.kind)


def _missing_at(timeline: Iterable[StatusInterval], at: datetime) -> tuple[str, ...]:
    begun = [one for one in timeline if one.starts_at <= at]
    return begun[-1].missing if begun else ()
