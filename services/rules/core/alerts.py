"""The alerts a duty calls for: reminders before due, urging and escalation after it, and notices of missing parts.

The notifier sends them; on the wire and in the contract an alert that an assessment calls for is a *step*.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from schemas.events.assessments import Status, StepKind
from schemas.events.wire import WireSegment, WireStep
from schemas.plan import calendar, durations
from schemas.plan.plan import Reminders
from services.rules.core.assess import Assessment
from services.rules.core.duty import Duty

UNSETTLED_BEFORE_DUE = frozenset({Status.PENDING, Status.INCOMPLETE})
UNSETTLED_AFTER_DUE = frozenset({Status.OVERDUE, Status.INCOMPLETE})
UNSETTLED = UNSETTLED_BEFORE_DUE | UNSETTLED_AFTER_DUE


def plan_alerts(assessment: Assessment) -> tuple[WireStep, ...]:
    """Return the alerts that the *assessment* calls for, past and future, in order of time."""
    duty = assessment.duty
    reminders = duty.version.reminders if duty.version else Reminders()
    # Alerts are only about due instants that are in force while the duty is unsettled.
    unsettled = [one.due_at for one in assessment.timeline if one.status in UNSETTLED]
    dues = [due_at for due_at in dict.fromkeys(unsettled) if due_at is not None]
    alerts = [alert for due_at in dues for alert in _plan_around_due(due_at, duty, reminders, assessment)]
    if reminders.then_every is not None:
        alerts.extend(_plan_repeated_urging(duty, reminders, assessment.timeline))
    alerts.extend(_plan_incomplete_notices(assessment))
    return tuple(sorted(alerts, key=lambda one: (one.at, one.kind, one.to, one.step))) if alerts else ()


def _plan_around_due(due_at: datetime, duty: Duty, reminders: Reminders, assessment: Assessment) -> Iterator[WireStep]:
    """Yield the alerts measured from one due instant, while it is in force and the duty unsettled."""
    for before in reminders.before:
        at = calendar.shift_instant(due_at, before, duty.zone, back=True)
        if at < due_at and _is_unsettled_at(assessment, at, due_at, UNSETTLED_BEFORE_DUE):
            yield WireStep(kind=StepKind.REMINDER, step=before, at=at, due_at=due_at)
    for after in reminders.after:
        at = calendar.shift_instant(due_at, after, duty.zone)
        if _is_unsettled_at(assessment, at, due_at, UNSETTLED_AFTER_DUE):
            yield WireStep(kind=StepKind.URGING, step=after, at=at, due_at=due_at)
    for escalation in reminders.escalate:
        at = calendar.shift_instant(due_at, escalation.after, duty.zone)
        if _is_unsettled_at(assessment, at, due_at, UNSETTLED_AFTER_DUE):
            yield WireStep(kind=StepKind.ESCALATION, step=escalation.after, at=at, due_at=due_at, to=escalation.to)


def _is_unsettled_at(assessment: Assessment, at: datetime, due_at: datetime, statuses: frozenset[Status]) -> bool:
    segment = assessment.at(at)
    return segment.due_at == due_at and segment.status in statuses


def _plan_repeated_urging(duty: Duty, reminders: Reminders, timeline: Iterable[WireSegment]) -> Iterator[WireStep]:
    """Yield one repeating urging for each span of time in which the duty stays unsettled past a due instant.

    Nobody is urged about a period once the next one falls due, nor about a one-off duty for more than a year. The duty
    stays overdue, but weekly alerts about years gone by would bury the one that matters now.
    """
    every = reminders.then_every or ""
    for due_at, starts_at, ends_at in _find_unsettled_spans(timeline):
        first = max((calendar.shift_instant(due_at, after, duty.zone) for after in reminders.after), default=due_at)
        silent_from = duty.one_period_after(due_at)
        until = min(ends_at or silent_from, silent_from)
        if starts_at >= until:
            continue
        at = _next_repetition(first, every, duty, starts_at)
        if starts_at <= at < until:
            # A step is named by its distance from due, here that of the first repetition, for example P24D.
            label = durations.between(due_at, at)
            yield WireStep(kind=StepKind.URGING, step=label, at=at, due_at=due_at, every=every, until=until)


def _next_repetition(first: datetime, every: str, duty: Duty, starts_at: datetime) -> datetime:
    """Return the first repetition after *first* that does not precede *starts_at*.

    At the end of its reach an instant cannot be shifted further; the last one within reach is returned.
    """
    at = calendar.shift_instant(first, every, duty.zone)
    while at < starts_at and calendar.shift_instant(at, every, duty.zone) > at:
        at = calendar.shift_instant(at, every, duty.zone)
    return at


def _find_unsettled_spans(timeline: Iterable[WireSegment]) -> Iterator[tuple[datetime, datetime, datetime | None]]:
    """Yield each span in which the duty is unsettled past one due instant: that instant, start and end.

    The end is None for a span without end.
    """
    due_at: datetime | None = None
    begun: datetime | None = None
    for segment in timeline:
        is_urgent = (
            segment.due_at is not None and segment.status in UNSETTLED_AFTER_DUE and segment.starts_at >= segment.due_at
        )
        urgent_due_at = segment.due_at if is_urgent else None
        if urgent_due_at == due_at:
            continue
        if due_at is not None and begun is not None:
            yield due_at, begun, segment.starts_at
        due_at, begun = urgent_due_at, segment.starts_at
    if due_at is not None and begun is not None:
        yield due_at, begun, None


def _plan_incomplete_notices(assessment: Assessment) -> Iterator[WireStep]:
    """Yield a notice for each incomplete report, once for the same missing parts."""
    notified: set[tuple[str, ...]] = set()
    for filing in assessment.filings:
        if filing.is_complete or filing.missing in notified:
            continue
        received_at = filing.submission.received_at
        segment = assessment.at(received_at)
        if segment.status is Status.INCOMPLETE:
            notified.add(filing.missing)
            yield WireStep(
                kind=StepKind.INCOMPLETE,
                step=f"incomplete:{filing.submission.id}",
                at=received_at,
                due_at=segment.due_at,
            )
