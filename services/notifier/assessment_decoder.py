"""From an assessment on the wire to what the notifier reads of it: a tolerant reader of the fields that alerts need."""

from datetime import datetime
from typing import Annotated

import msgspec

from schemas.events.assessments import ASSESSED, Status, StepKind
from schemas.events.ids import DutyKey
from services.notifier.core.scheduling.assessment import Assessed, Step, Stretch
from services.notifier.errors import UnreadableAssessmentError

_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class _Segment(msgspec.Struct, frozen=True):
    from_: _Instant = msgspec.field(name="from")
    status: Status
    due_at: _Instant | None = None
    missing: tuple[str, ...] = ()


class _Step(msgspec.Struct, frozen=True):
    kind: StepKind
    step: str
    at: _Instant
    due_at: _Instant | None = None
    to: str = "self"
    every: str | None = None
    until: _Instant | None = None


class _DutyAssessed(msgspec.Struct, frozen=True):
    plan: str
    plan_version: int
    registry: str
    registry_version: int
    agency: str
    obligation: str
    clause: str
    revision: int
    recorded_at: _Instant
    timeline: tuple[_Segment, ...]
    period: str | None = None
    steps: tuple[_Step, ...] = ()


class _Event(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw


_EVENT = msgspec.json.Decoder(_Event)
_ASSESSED = msgspec.json.Decoder(_DutyAssessed)


def read_assessed(record: bytes | None) -> Assessed | None:
    """Return what *record* assesses, or nothing for an event of another type; raise `UnreadableAssessmentError`."""
    try:
        event = _EVENT.decode(record or b"")
        return _assessed(_ASSESSED.decode(event.data)) if event.type == ASSESSED else None
    except msgspec.DecodeError as cause:
        raise UnreadableAssessmentError(str(cause)) from cause


def _assessed(told: _DutyAssessed) -> Assessed:
    return Assessed(
        duty=DutyKey(plan=told.plan, agency=told.agency, obligation=told.obligation, period=told.period or None),
        plan_version=told.plan_version,
        registry=told.registry,
        registry_version=told.registry_version,
        clause=told.clause,
        revision=told.revision,
        recorded_at=told.recorded_at,
        timeline=tuple(
            Stretch(starts_at=one.from_, status=one.status, due_at=one.due_at, missing=one.missing)
            for one in told.timeline
        ),
        steps=tuple(_step(one) for one in told.steps),
    )


def _step(one: _Step) -> Step:
    return Step(
        kind=one.kind,
        step=one.step,
        at=one.at,
        due_at=one.due_at,
        to=one.to,
        every=one.every,
        until=one.until,
    )
