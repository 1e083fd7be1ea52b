"""What the notifier reads of an assessment, and the calls that follow from it.

A step stands only while the timeline stays as it was when the step came: once the report is in, or the due instant has
moved, it is void. So an alert that was late in going out is not sent when its reason is gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from schemas.events.assessments import Status, StepKind
from schemas.events.ids import DutyKey
from services.notifier.core.scheduling.scheduled_alert import Call

AWAITED = frozenset({Status.PENDING, Status.INCOMPLETE})
OUTSTANDING = frozenset({Status.OVERDUE, Status.INCOMPLETE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the timeline: what holds from `starts_at` until the next one."""

    starts_at: datetime
    status: Status
    due_at: datetime | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An alert that rules called for (see `schemas.events.assessments.Step`)."""

    kind: StepKind
    step: str
    at: datetime
    due_at: datetime | None = None
    to: str = "self"
    every: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """An assessment, as far as alerts depend on it."""

    duty: DutyKey
    plan_version: int
    registry: str
    registry_version: int
    clause: str
    revision: int
    recorded_at: datetime
    timeline: tuple[Stretch, ...]
    steps: tuple[Step, ...]


def calls(assessed: Assessed, now: datetime) -> tuple[Call, ...]:
    """Return the calls of *assessed*, quiet hours apart, telling what is missing by *now* or when they come."""
    return tuple(_call(step, assessed.timeline, now) for step in assessed.steps)


def _call(step: Step, timeline: tuple[Stretch, ...], now: datetime) -> Call:
    ends = (one.starts_at for one in timeline if one.starts_at > step.at and not _holds(step, one))
    bounds = [instant for instant in (step.until, next(ends, None)) if instant is not None]
    return Call(
        kind=step.kind,
        step=step.step,
        at=step.at,
        send_at=step.at,
        due_at=step.due_at,
        to=step.to,
        every=step.every,
        until=min(bounds, default=None),
        missing=_missing(timeline, max(step.at, now)),
        first_at=step.at,
    )


def _holds(step: Step, stretch: Stretch) -> bool:
    match step.kind:
        case StepKind.REMINDER:
            return stretch.status in AWAITED and stretch.due_at == step.due_at
        case StepKind.URGING | StepKind.ESCALATION:
            return stretch.status in OUTSTANDING and stretch.due_at == step.due_at
        case StepKind.INCOMPLETE:
            return stretch.status is Status.INCOMPLETE
        case _:
            assert_never(step.kind)


def _missing(timeline: Iterable[Stretch], at: datetime) -> tuple[str, ...]:
    begun = [one for one in timeline if one.starts_at <= at]
    return begun[-1].missing if begun else ()
