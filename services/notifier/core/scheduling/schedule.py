"""The alert schedule of one duty, and how it changes: by following an assessment, and by taking what is due.

All functions are pure, so a redelivered assessment, a restart and `dondoc simulate` come to the same result. The rules:
an alert that was sent is never sent again; of several alerts missed while the notifier was down only the last that
still holds is sent; an alert whose reason is gone is not sent.

Outside the sending hours it is quiet: alerts go out only on working days, in the working hours of the people who read
them. A reminder that falls on a day off goes out on the working day before, because afterwards there would be less time
to act. Everything else waits for the next working day.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from schemas.events.assessments import StepKind
from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from schemas.events.ids import DutyKey
from schemas.plan import values
from services.notifier.core.scheduling import scheduled_alert
from services.notifier.core.scheduling.scheduled_alert import (
    SENT_IN_ANY_CASE,
    SEVERITY,
    DutyAlert,
    DutyAssessment,
    ScheduledAlert,
    StatusInterval,
)

# The alerts that matter as long as their due instant does. Archived reports of ten years are not acknowledged one by
# one, whenever they are received; a return, an opening or a succession matters from when it happened.
MEASURED_FROM_DUE = frozenset(StepKind) - {StepKind.RETURNED, StepKind.OPENING, StepKind.SUCCESSION}

# The `step_key` of each alert that an assessment calls for, with the instant from which it is void.
ActiveSteps = tuple[tuple[str, datetime | None], ...]

# Their steps are durations from the due instant; those of notices are names of events.
_COUNTED_IN_DAYS = frozenset({StepKind.REMINDER, StepKind.URGING, StepKind.ESCALATION})

ONE_DAY = timedelta(days=1)


class WorkingDayCalendar(Protocol):
    """Knows on which days the offices of a registry work."""

    def is_working_day(self, day: date) -> bool: ...

    def next_working_day(self, day: date) -> date:
        """Return *day* if it is worked, else the next day that is."""
        ...

    def previous_working_day(self, day: date) -> date:
        """Return *day* if it is worked, else the last day before it that is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHours:
    """The local window [opens, closes] of a working day, both ends included, in which alerts may go out."""

    opens: time
    closes: time
    zone: ZoneInfo
    days: WorkingDayCalendar

    def is_open(self, at: datetime) -> bool:
        """Whether an alert may go out at *at*."""
        local = at.astimezone(self.zone)
        return self.opens <= local.time() <= self.closes and self.days.is_working_day(local.date())

    def next_open(self, at: datetime) -> datetime:
        """Return *at* if the window is open then, else the next instant at which it opens."""
        if self.is_open(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.time() <= self.closes else local.date() + ONE_DAY
        return self._at_wall_time(self.days.next_working_day(day), self.opens, at)

    def last_open(self, at: datetime) -> datetime:
        """Return *at* if the window is open then, else the last instant before it at which it was open."""
        if self.is_open(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.time() >= self.opens else local.date() - ONE_DAY
        return self._at_wall_time(self.days.previous_working_day(day), self.closes, at)

    def adjust(self, at: datetime, *, before: datetime | None = None) -> datetime:
        """Return when to send what is meant for *at*: the next open instant or, *before* a due instant, in time for it.

        Examples: a reminder for 23:00 of its due date goes out at 17:30 of that day, not on the next morning; one for
        Saturday morning goes out on Friday morning.
        """
        later = self.next_open(at)
        if before is None:
            return later
        local = at.astimezone(self.zone)
        if not self.days.is_working_day(local.date()):
            worked = self.days.previous_working_day(local.date())
            return self._at_wall_time(worked, min(max(local.time(), self.opens), self.closes), at)
        is_next_day_at_most = later.astimezone(self.zone).date() <= local.date() + ONE_DAY
        return later if later < before and is_next_day_at_most else self.last_open(at)

    def add_open_time(self, at: datetime, amount: timedelta) -> datetime:
        """Return the instant at which the window has been open for *amount* since *at*, the first open one for none."""
        begun = self.next_open(at)
        if self.opens >= self.closes:  # a window without length never adds up to anything
            return begun
        while (left := self._closing_of(begun) - begun) < amount:
            amount -= left
            begun = self.next_open(self._closing_of(begun) + timedelta(microseconds=1))
        return begun + amount

    def _closing_of(self, at: datetime) -> datetime:
        return self._at_wall_time(at.astimezone(self.zone).date(), self.closes, at)

    def _at_wall_time(self, day: date, wall: time, like: datetime) -> datetime:
        """Return the instant of *wall* time on *day* in the time zone of *like*."""
        return datetime.combine(day, wall, tzinfo=self.zone).astimezone(like.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedAlerts:
    """Due alerts that a batch has claimed and not yet turned into deliveries.

    `batch` names the batch. After `until` (the database's clock) the process that made the batch counts as dead.
    """

    batch: str
    until: datetime
    alerts: tuple[ScheduledAlert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DutySteps:
    """What the schedule of a duty says of its alerts: the steps that are called for, and the keys of those sent."""

    active: ActiveSteps = ()
    sent_keys: frozenset[str] = frozenset()


NO_STEPS = DutySteps()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSchedule:
    """All alerts of one duty: those `waiting` to be sent, those `claimed` by a batch, and the keys of those sent.

    `unreached` holds alerts that are due and have nobody to go to; they wait for a contact, not for an instant.

    `sent_keys` holds deduplication keys, also of repetitions that a later one has replaced. `active_steps` holds the
    `step_key` of each alert that the last assessment calls for, with the instant from which it is void. `revision` is
    that of the last assessment, `digest` that of its record; an older assessment is ignored. `known_since` is when the
    first assessment was recorded. `origin` is the event behind the last assessment.
    """

    duty: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    revision: int
    known_since: datetime
    waiting: tuple[ScheduledAlert, ...] = ()
    sent_keys: frozenset[str] = frozenset()
    claimed: ClaimedAlerts | None = None
    active_steps: ActiveSteps = ()
    unreached: tuple[ScheduledAlert, ...] = ()
    digest: str = ""
    timeline: tuple[StatusInterval, ...] = ()
    origin: EventOrigin = NO_ORIGIN

    def find_interval(self, now: datetime) -> StatusInterval | None:
        """Return the interval of the last assessment in which *now* lies; None before the first."""
        begun = [one for one in self.timeline if one.starts_at <= now]
        return begun[-1] if begun else None

    @property
    def next_at(self) -> datetime | None:
        """When the next alert is due to be sent."""
        return min((alert.send_at for alert in self.waiting), default=None)

    def calls_for(self, alert: ScheduledAlert, now: datetime) -> bool:
        """Whether the last assessment still calls for *alert* at *now*."""
        return is_called_for(alert, self.active_steps, now)

    def with_duty(self, alert: ScheduledAlert) -> DutyAlert:
        """Return *alert* together with the duty and the document versions that its text cites."""
        return DutyAlert(
            duty=self.duty,
            plan_version=self.plan_version,
            registry=self.registry,
            registry_version=self.registry_version,
            clause=self.clause,
            alert=alert,
            origin=self.origin,
        )


def is_called_for(alert: ScheduledAlert, active_steps: ActiveSteps, now: datetime) -> bool:
    """Whether *alert* is one of *active_steps*, and still is at *now*."""
    return any(key == alert.step_key and (until is None or now < until) for key, until in active_steps)


def is_contradicted(known: AlertSchedule, assessment: DutyAssessment) -> bool:
    """Whether *assessment* has the revision of the last one and another content: one of the two is forged."""
    # A schedule that an earlier version stored has no digest, and nothing contradicts it.
    return assessment.revision == known.revision and known.digest not in {"", assessment.digest}


def follow_assessment(
    known: AlertSchedule | None, assessment: DutyAssessment, hours: SendingHours, *, now: datetime, lookback: timedelta
) -> AlertSchedule:
    """Return the schedule after *assessment*, or *known* itself if the assessment is older than the last one followed.

    Alerts whose due instant lies more than *lookback* before the duty was first assessed are left out: a plan that is
    adopted after ten years sends no urgings for the first nine. A notice is measured by when it fell due itself.
    """
    if known is not None and assessment.revision < known.revision:
        return known
    sent_keys = known.sent_keys if known else frozenset[str]()
    known_since = known.known_since if known else assessment.recorded_at
    called = [
        alert
        for alert in scheduled_alert.schedule_alerts(assessment, now)
        if (since := _counts_from(alert)) is None or since >= known_since - lookback
    ]
    waiting = (set_send_at(due, hours, now) for alert in called for due in _select_unsent(alert, sent_keys, hours, now))
    active_steps = tuple((key, alert.until) for alert in called for key in alert.list_step_keys())
    return AlertSchedule(
        duty=assessment.duty,
        plan_version=assessment.plan_version,
        registry=assessment.registry,
        registry_version=assessment.registry_version,
        clause=assessment.clause,
        revision=assessment.revision,
        known_since=known_since,
        claimed=known.claimed if known else None,
        waiting=_sort(waiting),
        sent_keys=sent_keys,
        active_steps=active_steps,
        unreached=_keep_passed_on(known.unreached if known else (), called, active_steps, now),
        digest=assessment.digest,
        timeline=assessment.timeline,
        origin=assessment.origin,
    )


def take_due(
    schedule: AlertSchedule, hours: SendingHours, now: datetime
) -> tuple[tuple[ScheduledAlert, ...], AlertSchedule]:
    """Return the alerts to send at *now*, and the schedule in which they count as sent.

    Outside the sending hours nothing is returned, and what is due moves to the next opening. What the agency was to be
    told and has ended before it was goes to its successors.
    """
    due = [alert for alert in schedule.waiting if alert.send_at <= now]
    if due and not hours.is_open(now):
        later = [alert for alert in schedule.waiting if alert.send_at > now]
        moved = (set_send_at(alert, hours, now) for alert in due)
        return (), replace(schedule, waiting=_sort([*later, *moved]))
    latest = [told for alert in due for told in alert.latest_repetition(now, hours.zone).pass_on(now)]
    return tuple(_keep_last_per_recipient(latest, now)), _mark_sent(schedule, due, hours, now)


def return_unreached(schedule: AlertSchedule, alerts: Sequence[ScheduledAlert]) -> AlertSchedule:
    """Return the schedule in which *alerts*, which were taken and have nobody to go to, are unsent and unreached."""
    keys = {alert.dedup_key for alert in alerts}
    return replace(schedule, sent_keys=schedule.sent_keys - keys, unreached=(*schedule.unreached, *alerts))


def retry_unreached(
    schedule: AlertSchedule, is_reached: Callable[[ScheduledAlert], bool], hours: SendingHours, now: datetime
) -> AlertSchedule:
    """Return the schedule in which the unreached alerts that *is_reached* wait to be sent, and the void ones are gone.

    Of an alert that repeats, only the last repetition is sent, however many of them reached nobody. If the agency has
    ended meanwhile, its successors are told.
    """
    last = {alert.step_key: alert for alert in schedule.unreached}
    passed = [alert for alert in last.values() if alert.has_passed(now)]
    holding = [told for alert in last.values() for told in alert.pass_on(now) if not told.is_void(now)]
    again = [alert for alert in holding if is_reached(alert)]
    return replace(
        schedule,
        waiting=_sort([*schedule.waiting, *(set_send_at(alert, hours, now) for alert in again)]),
        unreached=tuple(alert for alert in holding if alert not in again),
        sent_keys=schedule.sent_keys.union(alert.dedup_key for alert in passed),
    )


def replan(schedule: AlertSchedule, hours: SendingHours, now: datetime) -> AlertSchedule:
    """Return the schedule whose waiting alerts are sent within *hours*, for sending hours that were changed."""
    return replace(schedule, waiting=_sort(set_send_at(alert, hours, now) for alert in schedule.waiting))


def skip_before(schedule: AlertSchedule, hours: SendingHours, before: datetime) -> AlertSchedule:
    """Return the schedule in which all alerts due before *before* count as sent, for a simulation that starts there."""
    return _mark_sent(schedule, [alert for alert in schedule.waiting if alert.send_at < before], hours, before)


def set_send_at(alert: ScheduledAlert, hours: SendingHours, now: datetime) -> ScheduledAlert:
    """Return *alert* with `send_at` within the sending hours; an alert that is late already is sent from *now* on."""
    before = alert.due_at if alert.kind is StepKind.REMINDER else None
    send_at = hours.adjust(_find_day_of(alert, hours) or alert.at, before=before)
    if alert.settle and alert.due_at is not None and not alert.repetition:
        settled_at = hours.add_open_time(alert.due_at, values.parse_elapsed(alert.settle))
        send_at = max(send_at, settled_at)
    return replace(alert, send_at=send_at if send_at >= now else hours.next_open(now))


def _keep_passed_on(
    unreached: Iterable[ScheduledAlert], called: Iterable[ScheduledAlert], active_steps: ActiveSteps, now: datetime
) -> tuple[ScheduledAlert, ...]:
    """Return those of *unreached* that are still called for, but of an agency that has ended; others wait anew."""
    planned = {alert.step_key for alert in called}
    return tuple(
        alert for alert in unreached if alert.step_key not in planned and is_called_for(alert, active_steps, now)
    )


def _counts_from(alert: ScheduledAlert) -> datetime | None:
    return alert.due_at if alert.kind in MEASURED_FROM_DUE else alert.at


def _mark_sent(
    schedule: AlertSchedule, due: Sequence[ScheduledAlert], hours: SendingHours, now: datetime
) -> AlertSchedule:
    """Return the schedule in which *due* counts as sent, with the next repetition of each alert that repeats."""
    # An unreached alert that is tried again may by now have the same latest repetition as the one that followed it.
    taken = (alert.latest_repetition(now, hours.zone) for alert in due)
    latest = list({alert.dedup_key: alert for alert in taken}.values())
    if not latest:
        return schedule
    later = [alert for alert in schedule.waiting if alert not in due]
    planned = {alert.dedup_key for alert in later}
    repeated = (again for alert in latest if (again := alert.repeat(alert.repetition + 1, hours.zone)))
    following = [again for again in repeated if again.dedup_key not in planned]
    return replace(
        schedule,
        waiting=_sort([*later, *(set_send_at(alert, hours, now) for alert in following)]),
        sent_keys=(schedule.sent_keys - _keys_of_earlier_repetitions(latest)) | {alert.dedup_key for alert in latest},
    )


def _select_unsent(
    alert: ScheduledAlert, sent_keys: frozenset[str], hours: SendingHours, now: datetime
) -> Iterator[ScheduledAlert]:
    """Yield the repetition of *alert* that matters at *now*, the next one if that was sent, nothing if it is void."""
    latest = alert.latest_repetition(now, hours.zone)
    if latest.is_void(now):
        return
    if latest.dedup_key not in sent_keys:
        yield latest
    elif following := latest.repeat(latest.repetition + 1, hours.zone):
        yield following


def _find_day_of(alert: ScheduledAlert, hours: SendingHours) -> datetime | None:
    """Return the beginning of the day of an alert that is called for whole days before or after an hour of a day.

    One a day before 17:00 goes out in the morning of that day, in the same digest as those of deadlines at midnight. An
    alert that repeats keeps its hour: before it the repetition before is still the latest. None for every other alert.
    """
    if alert.kind not in _COUNTED_IN_DAYS or alert.every is not None:
        return None
    step = values.parse_duration(alert.step)
    if isinstance(step, timedelta) and (not step or step % ONE_DAY):
        return None
    return (
        alert.at.astimezone(hours.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(alert.at.tzinfo)
    )


def _keep_last_per_recipient(due: Iterable[ScheduledAlert], now: datetime) -> list[ScheduledAlert]:
    """Return the last alert to each recipient that is not void, which makes the earlier ones pointless, and notices."""
    last: dict[tuple[str, str], ScheduledAlert] = {}
    for alert in sorted(due, key=lambda one: (one.at, SEVERITY[one.kind])):
        if not alert.is_void(now):
            last[alert.to, alert.step if alert.kind in SENT_IN_ANY_CASE else ""] = alert
    return list(last.values())


def _keys_of_earlier_repetitions(alerts: Iterable[ScheduledAlert]) -> frozenset[str]:
    # Only the key of the last repetition is kept: a weekly urging would add 52 keys a year to the document otherwise.
    # The earlier keys are not needed, for `latest_repetition` never returns an earlier repetition again.
    return frozenset(
        replace(alert, repetition=number).dedup_key for alert in alerts for number in range(alert.repetition)
    )


def _sort(alerts: Iterable[ScheduledAlert]) -> tuple[ScheduledAlert, ...]:
    return tuple(sorted(alerts, key=lambda alert: (alert.send_at, alert.at, SEVERITY[alert.kind], alert.to)))
