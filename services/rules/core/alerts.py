"""The alerts a duty calls for: reminders before due, urging and escalation after, and what a report lacks."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from schemas.events.assessments import Status, StepKind
from schemas.plan import durations
from schemas.plan.plan import Reminders
from services.rules.core.assess import Assessment, Segment
from services.rules.core.duty import Duty
from services.rules.core.time_offsets import one_period_after, shifted

NOT_YET_SETTLED = frozenset({Status.PENDING, Status.INCOMPLETE})
PAST_AND_UNSETTLED = frozenset({Status.OVERDUE, Status.INCOMPLETE})
UNSETTLED = NOT_YET_SETTLED | PAST_AND_UNSETTLED


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert due at `at`.

    `step` is its ISO 8601 distance from `due_at`; the last urging repeats `every` so long until `until`.
    """

    kind: StepKind
    step: str
    at: datetime
    due_at: datetime | None
    to: str = "self"
    every: str | None = None
    until: datetime | None = None


def steps(assessment: Assessment) -> tuple[Step, ...]:
    """Return the alerts that the *assessment* calls for, past and future, in order of time."""
    duty = assessment.duty
    reminders = duty.version.reminders if duty.version else Reminders()
    # Only about a due instant that is in force while the duty is unsettled is there anything to say.
    unsettled = [one.due_at for one in assessment.timeline if one.status in UNSETTLED]
    dues = [due_at for due_at in dict.fromkeys(unsettled) if due_at is not None]
    wanted = [step for due_at in dues for step in _about(due_at, duty, reminders, assessment)]
    wanted.extend(_deficiencies(assessment))
    return tuple(sorted(wanted, key=lambda one: (one.at, one.kind, one.to, one.step))) if wanted else ()


def _about(due_at: datetime, duty: Duty, reminders: Reminders, assessment: Assessment) -> Iterator[Step]:
    """Yield the steps measured from one due instant, while it is in force and the duty unsettled."""
    for before in reminders.before:
        at = shifted(due_at, before, duty, back=True)
        if at < due_at and _holds(assessment, at, due_at, NOT_YET_SETTLED):
            yield Step(kind=StepKind.REMINDER, step=before, at=at, due_at=due_at)
    for after in reminders.after:
        at = shifted(due_at, after, duty)
        if _holds(assessment, at, due_at, PAST_AND_UNSETTLED):
            yield Step(kind=StepKind.URGING, step=after, at=at, due_at=due_at)
    for escalation in reminders.escalate:
        at = shifted(due_at, escalation.after, duty)
        if _holds(assessment, at, due_at, PAST_AND_UNSETTLED):
            yield Step(kind=StepKind.ESCALATION, step=escalation.after, at=at, due_at=due_at, to=escalation.to)
    if reminders.then_every is not None:
        yield from _repeated(due_at, duty, reminders, assessment)


def _holds(assessment: Assessment, at: datetime, due_at: datetime, wanted: frozenset[Status]) -> bool:
    segment = assessment.at(at)
    return segment.due_at == due_at and segment.status in wanted


def _repeated(due_at: datetime, duty: Duty, reminders: Reminders, assessment: Assessment) -> Iterator[Step]:
    """Yield one repeating urging for each stretch of time in which the duty stays unsettled past *due_at*.

    Nobody is urged about a period once the next one falls due, nor about a one-off duty for more than a year: the
    duty stays overdue, but a letter a week about years gone by would drown the one that matters now.
    """
    every = reminders.then_every or ""
    first = max((shifted(due_at, after, duty) for after in reminders.after), default=due_at)
    silent_from = one_period_after(due_at, duty)
    for starts_at, ends_at in _stretches(assessment.timeline, due_at):
        at = _next(first, every, duty, starts_at)
        until = min(ends_at or silent_from, silent_from)
        if starts_at <= at < until:
            label = durations.between(due_at, at)
            yield Step(kind=StepKind.URGING, step=label, at=at, due_at=due_at, every=every, until=until)


def _next(first: datetime, every: str, duty: Duty, starts_at: datetime) -> datetime:
    """Return the first repetition after *first* that does not precede *starts_at*, or the last of the calendar."""
    at = shifted(first, every, duty)
    while at < starts_at and shifted(at, every, duty) > at:
        at = shifted(at, every, duty)
    return at


def _stretches(timeline: Iterable[Segment], due_at: datetime) -> Iterator[tuple[datetime, datetime | None]]:
    begun: datetime | None = None
    for segment in timeline:
        is_urgent = segment.due_at == due_at and segment.status in PAST_AND_UNSETTLED and segment.starts_at >= due_at
        if is_urgent and begun is None:
            begun = segment.starts_at
        elif not is_urgent and begun is not None:
            yield begun, segment.starts_at
            begun = None
    if begun is not None:
        yield begun, None


def _deficiencies(assessment: Assessment) -> Iterator[Step]:
    """Yield a notice for each incomplete report, once for the same missing parts."""
    told: set[tuple[str, ...]] = set()
    for filing in assessment.filings:
        if filing.is_complete or filing.missing in told:
            continue
        received_at = filing.submission.received_at
        segment = assessment.at(received_at)
        if segment.status is Status.INCOMPLETE:
            told.add(filing.missing)
            yield Step(
                kind=StepKind.INCOMPLETE,
                step=f"incomplete:{filing.submission.id}",
                at=received_at,
                due_at=segment.due_at,
            )
