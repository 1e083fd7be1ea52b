"""The alerts a duty calls for: reminders, urging and escalation, and the notices that `notices` adds.

While a report is returned nobody is reminded or urged before the recipient's `respond_by`, and without one not at all
(ruling 14). Urging begins at `respond_by`, if the due instant has come by then. The notifier sends the alerts; on the
wire and in the contract an alert that an assessment calls for is a *step*.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import zip_longest

import msgspec

from schemas.events.assessments import Status, StepKind
from schemas.events.wire import WireNotice, WireSegment, WireStep, WireSuccessor
from schemas.plan import calendar, periods, values
from schemas.plan.plan import PARENT, Reminders
from services.rules.core import notices
from services.rules.core.assess import Assessment
from services.rules.core.duty import Duty
from services.rules.core.submissions.reports_in_effect import RETURNED

UNSETTLED_BEFORE_DUE = frozenset({Status.PENDING, Status.INCOMPLETE})
UNSETTLED_AFTER_DUE = frozenset({Status.OVERDUE, Status.INCOMPLETE})
UNSETTLED = UNSETTLED_BEFORE_DUE | UNSETTLED_AFTER_DUE

# The alerts of which the co-operating agencies get copies.
COPIED = frozenset({StepKind.REMINDER, StepKind.URGING})

SELF = "self"
# For how long an alert may wait for the sending hours, over holidays and stops, and still be for who stands in then.
_WAITS_AT_MOST = timedelta(days=31)
# What an agency is told though it has ended: that it has passed its duty on, and that what it filed itself is here.
_TOLD_IN_ANY_CASE = frozenset({StepKind.SUCCESSION, StepKind.RECEIVED})


class _UrgentSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time, without end if `ends_at` is None, in which the agency is urged about one due instant.

    Where it starts at the `respond_by` of a returned report, `quiet_since` is from when nobody was urged.
    """

    due_at: datetime
    starts_at: datetime
    ends_at: datetime | None
    quiet_since: datetime | None = None

    def is_continued_by(self, other: "_UrgentSpan") -> bool:
        """Whether *other* is about the same due instant and begins where this one ends."""
        return self.due_at == other.due_at and self.ends_at == other.starts_at and other.quiet_since is None


def plan_alerts(assessment: Assessment) -> tuple[WireStep, ...]:
    """Return the alerts that the *assessment* calls for, past and future, in order of time."""
    duty = assessment.duty
    reminders = duty.version.reminders if duty.version else Reminders()
    # Alerts are only about due instants that are in force while the duty is unsettled, be it before the period opens.
    unsettled = [
        one.due_at
        for one in assessment.timeline
        if one.status in UNSETTLED or (one.effective_at is not None and one.effective_at < one.starts_at)
    ]
    dues = [due_at for due_at in dict.fromkeys(unsettled) if due_at is not None]
    spans = list(_find_urgent_spans(assessment.timeline))
    alerts = [alert for due_at in dues for alert in _plan_around_due(due_at, reminders, assessment, spans)]
    if reminders.after or reminders.then_every is not None:
        alerts.extend(_plan_resumed_urging(duty, reminders, spans))
    if reminders.then_every is not None:
        alerts.extend(_plan_repeated_urging(duty, reminders, spans))
    if reminders.notices or assessment.returns or not all(one.is_complete for one in assessment.filings):
        alerts.extend(notices.plan_notices(assessment, reminders))
    copies = (
        [copy for one in alerts if one.kind in COPIED for copy in _copy_alert(one, duty)] if duty.co_operators else []
    )
    if duty.agency_ends_at is not None:
        alerts = [told for one in alerts for told in _pass_to_successors(one, duty, duty.agency_ends_at)]
        # A successor that co-operates in the report anyway gets no copy of what it is asked for itself.
        told = {(one.kind, one.at, one.to) for one in alerts}
        copies = [one for one in copies if (one.kind, one.at, one.to) not in told]
    alerts.extend(copies)
    return tuple(sorted(alerts, key=lambda one: (one.at, one.kind, one.to, one.step))) if alerts else ()


def find_end_of_urging(duty: Duty, due_at: datetime) -> datetime:
    """Return the instant after which an agency of which nothing is known is not urged about *due_at* any more.

    An urging may go out some time after it was called for.
    """
    reminders = duty.version.reminders if duty.version else Reminders()
    ends = [calendar.shift_instant(due_at, one, duty.zone) for one in reminders.after]
    return _wait_at_most(max((*ends, duty.one_period_after(due_at) if reminders.then_every else due_at)))


def _pass_to_successors(alert: WireStep, duty: Duty, ends_at: datetime) -> Iterator[WireStep]:
    """Yield what of *alert* goes to the agency itself, and what goes to its successors once it has ended.

    After its end the agency's overdue report stays its own, and a successor may file it (ruling 7). A letter to an
    office that has ended would ask nobody. Where nobody has succeeded to it, nobody is asked.
    """
    if alert.to != SELF or alert.kind in _TOLD_IN_ANY_CASE:
        yield alert
        return
    if alert.at < ends_at:
        # By the due instant and not by when the report came: alike reports have alike outcomes (`fast_path`).
        repeats_for = alert.due_at if alert.every is not None else None
        goes_out_by = _wait_at_most(alert.at) if repeats_for is None else find_end_of_urging(duty, repeats_for)
        may_pass = ends_at <= goes_out_by
        yield _with_successors(alert, duty, ends_at) if may_pass else alert
    for one in duty.addressed_successors:
        notice = msgspec.structs.replace(alert.notice or WireNotice(), heirs=(one.agency,))
        for dates in one.dates:
            part = _cut_alert(alert, duty, calendar.midnight(dates.from_, duty.zone), dates.to)
            if part is not None:
                yield msgspec.structs.replace(part, to=one.agency, notice=notice)


def _with_successors(alert: WireStep, duty: Duty, ends_at: datetime) -> WireStep:
    """Return *alert* of the agency itself with who gets it where it goes out after the agency's end."""
    successors = tuple(
        WireSuccessor(
            agency=one.agency,
            starts_at=calendar.midnight(dates.from_, duty.zone),
            until=None if dates.to == date.max else calendar.midnight(dates.to, duty.zone),
        )
        for one in duty.addressed_successors
        for dates in one.dates
    )
    return msgspec.structs.replace(alert, passes_at=ends_at, successors=successors)


def _wait_at_most(at: datetime) -> datetime:
    """Return the latest instant at which an alert for *at* goes out; the end of the calendar is none."""
    return at + min(_WAITS_AT_MOST, datetime.max.replace(tzinfo=at.tzinfo) - at)


def _cut_alert(alert: WireStep, duty: Duty, starts_at: datetime, ends_on: date) -> WireStep | None:
    """Return what of *alert* is called for from *starts_at* until the day *ends_on*; None where nothing is."""
    ends_at = None if ends_on == date.max else calendar.midnight(ends_on, duty.zone)
    if alert.every is None or alert.due_at is None:
        return alert if starts_at <= alert.at and (ends_at is None or alert.at < ends_at) else None
    at, passed = _find_repetition(alert.at, alert.every, duty, starts_at)
    until = min((one for one in (alert.until, ends_at) if one is not None), default=None)
    left = alert.at_most - passed if alert.at_most else None
    if at < starts_at or (until is not None and until <= at) or (left is not None and left <= 0):
        return None
    return msgspec.structs.replace(
        alert,
        at=at,
        step=values.format_elapsed(alert.due_at, at) if passed else alert.step,
        until=until,
        at_most=msgspec.UNSET if left is None else left,
        settle=msgspec.UNSET if passed else alert.settle,
    )


def _copy_alert(alert: WireStep, duty: Duty) -> Iterator[WireStep]:
    """Yield a copy for each agency that co-operates in the report on that day, repeated no longer than it exists."""
    day = values.move_to_zone(alert.at, duty.zone).date()
    for one in duty.co_operators:
        dates = next((found for found in one.dates if found.contains(day)), None)
        if dates is not None and one.agency != duty.key.agency:
            until = alert.until
            if until is not None and dates.to != date.max:
                until = min(until, calendar.midnight(dates.to, duty.zone))
            yield msgspec.structs.replace(alert, to=one.agency, until=until)


def _plan_around_due(
    due_at: datetime, reminders: Reminders, assessment: Assessment, spans: Sequence[_UrgentSpan]
) -> Iterator[WireStep]:
    """Yield the alerts measured from one due instant, while it is in force and the duty unsettled."""
    duty = assessment.duty
    for before in reminders.before:
        at = calendar.shift_instant(due_at, before, duty.zone, back=True)
        if at < due_at and _is_awaited_at(assessment, at, due_at):
            yield WireStep(kind=StepKind.REMINDER, step=before, at=at, due_at=due_at)
    urgings = sorted((calendar.shift_instant(due_at, after, duty.zone), after) for after in reminders.after)
    for number, (at, after) in enumerate(urgings):
        if _is_unsettled_at(assessment, at, due_at, UNSETTLED_AFTER_DUE):
            settle = _settle_of(reminders) if number == 0 else msgspec.UNSET
            yield WireStep(kind=StepKind.URGING, step=after, at=at, due_at=due_at, settle=settle)
    for escalation in reminders.escalate:
        at = _find_escalation(due_at, escalation.after, duty, spans)
        if _is_unsettled_at(assessment, at, due_at, UNSETTLED_AFTER_DUE):
            step = WireStep(kind=StepKind.ESCALATION, step=escalation.after, at=at, due_at=due_at, to=escalation.to)
            yield from [step] if escalation.to != PARENT else _bound_to_superior(step, duty)


def _settle_of(reminders: Reminders) -> str | msgspec.UnsetType:
    """Return for how long the first urging is held back, if it is."""
    return reminders.settle if values.find_sign(reminders.settle) else msgspec.UNSET


def _bound_to_superior(step: WireStep, duty: Duty) -> Iterator[WireStep]:
    """Yield *step* if somebody is above the agency at its instant; it is void once that office has ended."""
    superior = duty.superior_at(step.at)
    if superior is not None:
        until = None if superior.ends_on is None else calendar.midnight(superior.ends_on, duty.zone)
        yield msgspec.structs.replace(step, until=until)


def _find_escalation(due_at: datetime, after: str, duty: Duty, spans: Iterable[_UrgentSpan]) -> datetime:
    """Return the instant so long *after* due; what would fall after a return is measured from its `respond_by`."""
    at = calendar.shift_instant(due_at, after, duty.zone)
    for span in spans:
        if span.due_at == due_at and span.quiet_since is not None and span.quiet_since <= at:
            at = calendar.shift_instant(span.starts_at, after, duty.zone)
    return at


def _is_awaited_at(assessment: Assessment, at: datetime, due_at: datetime) -> bool:
    """Whether the report is still to come at *at*, which may lie before its period opens.

    Example: of the report of May that is due on 5 May, P5D reminds on 30 April. No reminder precedes the period before.
    A report that was sent even earlier, as what stands when the period opens tells, needs none.
    """
    duty, opens_at = assessment.duty, assessment.timeline[0].starts_at
    if at >= opens_at or duty.version is None or duty.key.period is None:
        return _is_unsettled_at(assessment, at, due_at, UNSETTLED_BEFORE_DUE)
    period = periods.parse(duty.key.period)
    previous_opens_at = calendar.shift_instant(opens_at, duty.recurs_after, duty.zone, back=True)
    known_since = max(previous_opens_at, calendar.midnight(max(duty.plan_issued_on, duty.version.from_), duty.zone))
    if opens_at != calendar.midnight(period.starts_on, duty.zone) or at < known_since:
        return False  # the agency or the obligation began within the period: before that there was nothing to say
    opening = assessment.at(opens_at)
    is_sent_later = opening.effective_at is not None and at < opening.effective_at
    return opening.due_at == due_at and (opening.status in UNSETTLED_BEFORE_DUE or is_sent_later)


def _is_unsettled_at(assessment: Assessment, at: datetime, due_at: datetime, statuses: frozenset[Status]) -> bool:
    segment = assessment.at(at)
    return segment.due_at == due_at and segment.status in statuses and not _is_quiet(segment, at)


def _is_quiet(segment: WireSegment, at: datetime) -> bool:
    """Whether the report is returned and the agency has time to respond."""
    return is_returned(segment) and (segment.respond_by is None or at < segment.respond_by)


def is_returned(segment: WireSegment) -> bool:
    """Whether a returned report is current and nothing complete stands beside it."""
    return segment.missing[:1] == (RETURNED,)


def _plan_resumed_urging(duty: Duty, reminders: Reminders, spans: Iterable[_UrgentSpan]) -> Iterator[WireStep]:
    """Yield an urging for each `respond_by` past due that came without a correction, unless one falls due then anyway.

    Steps that fell due while the report was returned are not made up for.
    """
    for span in spans:
        planned = {calendar.shift_instant(span.due_at, after, duty.zone) for after in reminders.after}
        is_within_period = span.starts_at < duty.one_period_after(span.due_at)
        if span.quiet_since is not None and is_within_period and span.starts_at not in planned:
            label = values.format_elapsed(span.due_at, span.starts_at)
            yield WireStep(kind=StepKind.URGING, step=label, at=span.starts_at, due_at=span.due_at)


def _plan_repeated_urging(duty: Duty, reminders: Reminders, spans: Iterable[_UrgentSpan]) -> Iterator[WireStep]:
    """Yield one repeating urging for each span of time in which the duty stays unsettled past a due instant.

    Nobody is urged about a period once the next one falls due, nor about a one-off duty for more than a year. The duty
    stays overdue, but weekly alerts about years gone by would bury the one that matters now.
    """
    every = reminders.then_every or ""
    for span in spans:
        due_at, starts_at = span.due_at, span.starts_at
        first = max((calendar.shift_instant(due_at, after, duty.zone) for after in reminders.after), default=due_at)
        if span.quiet_since is not None:
            first = max(first, starts_at)
        silent_from = duty.one_period_after(due_at)
        until = min(span.ends_at or silent_from, silent_from)
        if starts_at >= until:
            continue
        at, passed = _find_repetition(calendar.shift_instant(first, every, duty.zone), every, duty, starts_at)
        left = None if reminders.at_most is None else reminders.at_most - passed
        if starts_at <= at < until and (left is None or left > 0):
            # A step is named by its distance from due, here that of the first repetition, for example P24D.
            label = values.format_elapsed(due_at, at)
            yield WireStep(
                kind=StepKind.URGING,
                step=label,
                at=at,
                due_at=due_at,
                every=every,
                until=until,
                at_most=msgspec.UNSET if left is None else left,
                settle=msgspec.UNSET if reminders.after else _settle_of(reminders),
            )


def _find_repetition(at: datetime, every: str, duty: Duty, starts_at: datetime) -> tuple[datetime, int]:
    """Return the first repetition, from *at* on, that does not precede *starts_at*, and how many lie before it.

    At the end of its reach an instant cannot be shifted further; the last one within reach is returned.
    """
    passed = 0
    while at < starts_at and (following := calendar.shift_instant(at, every, duty.zone)) > at:
        at, passed = following, passed + 1
    return at, passed


def _find_urgent_spans(timeline: Sequence[WireSegment]) -> Iterator[_UrgentSpan]:
    """Yield each span in which the duty is unsettled past one due instant and the agency is urged."""
    current: _UrgentSpan | None = None
    quiet_since: datetime | None = None
    for segment, following in zip_longest(timeline, timeline[1:]):
        quiet_since = (quiet_since or segment.starts_at) if _is_quiet(segment, segment.starts_at) else None
        span = _find_urgent_span(segment, None if following is None else following.starts_at, quiet_since)
        if current is not None and span is not None and current.is_continued_by(span):
            current = msgspec.structs.replace(current, ends_at=span.ends_at)
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current


def _find_urgent_span(
    segment: WireSegment, ends_at: datetime | None, quiet_since: datetime | None
) -> _UrgentSpan | None:
    """Return the part of a *segment* in which the agency is urged, if it is; at first it may be quiet."""
    due_at, starts_at = segment.due_at, segment.starts_at
    if due_at is None or segment.status not in UNSETTLED_AFTER_DUE or starts_at < due_at:
        return None
    if quiet_since is None:
        return _UrgentSpan(due_at=due_at, starts_at=starts_at, ends_at=ends_at)
    respond_by = segment.respond_by
    if respond_by is None or (ends_at is not None and ends_at <= respond_by):
        return None
    return _UrgentSpan(due_at=due_at, starts_at=respond_by, ends_at=ends_at, quiet_since=quiet_since)
