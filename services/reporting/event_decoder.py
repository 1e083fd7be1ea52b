"""From the records of the bus to what reporting remembers: one tolerant decode of all that is ever read again.

What passes here can be read back for good; anything else is refused with its reason and set aside.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from schemas.events.assessments import ASSESSED, Status, StepKind
from schemas.events.deliveries import DELIVERED, AttemptOutcome, Channel
from schemas.events.ids import DutyKey
from services.reporting.core.projections import Assessed, Attempt, Standing


class UnreadableRecordError(Exception):
    """The record is nothing that reporting can read; its message says where. It belongs with the dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAssessment:
    """An assessment, and the bytes that said so."""

    assessed: Assessed
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlert:
    """One attempt at an alert, told apart by the duties it speaks of, and the bytes that said so."""

    event: str
    attempted_at: datetime
    attempts: tuple[Attempt, ...]
    record: bytes


class _Segment(msgspec.Struct, rename={"from_": "from"}):
    from_: datetime
    status: Status
    due_at: datetime | None = None
    effective_at: datetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class _DutyAssessed(msgspec.Struct):
    plan: str
    plan_version: int
    registry: str
    registry_version: int
    agency: str
    obligation: str
    clause: str
    recorded_at: datetime
    revision: int
    timeline: tuple[_Segment, ...]
    period: str | None = None
    opens_at: datetime | None = None


class _AlertedDuty(msgspec.Struct):
    plan: str
    agency: str
    obligation: str
    kind: StepKind
    step: str
    period: str | None = None
    due_at: datetime | None = None


class _AlertAttempted(msgspec.Struct):
    alert: str
    channel: Channel
    to_agency: str
    duties: tuple[_AlertedDuty, ...]
    outcome: AttemptOutcome
    attempted_at: datetime


class _Verdict(msgspec.Struct, tag_field="type", tag=ASSESSED):
    id: str
    data: _DutyAssessed


class _Delivery(msgspec.Struct, tag_field="type", tag=DELIVERED):
    id: str
    data: _AlertAttempted


_VERDICT = msgspec.json.Decoder(_Verdict)
_DELIVERY = msgspec.json.Decoder(_Delivery)


def read_verdict(record: bytes | None) -> KeptAssessment:
    """Return the assessment in *record*; raise `UnreadableRecordError` with the place that is wrong."""
    raw = record or b""
    try:
        event = _VERDICT.decode(raw)
    except msgspec.DecodeError as cause:
        raise UnreadableRecordError(str(cause)) from cause
    return KeptAssessment(assessed=_assessed(event), record=raw)


def read_delivery(record: bytes | None) -> KeptAlert:
    """Return the attempt in *record*; raise `UnreadableRecordError` with the place that is wrong."""
    raw = record or b""
    try:
        event = _DELIVERY.decode(raw)
    except msgspec.DecodeError as cause:
        raise UnreadableRecordError(str(cause)) from cause
    told = event.data
    attempts = tuple(_attempt(event.id, told, duty) for duty in told.duties)
    return KeptAlert(event=event.id, attempted_at=_aware(told.attempted_at), attempts=attempts, record=raw)


def _assessed(event: _Verdict) -> Assessed:
    told = event.data
    return Assessed(
        event=event.id,
        key=DutyKey(plan=told.plan, agency=told.agency, obligation=told.obligation, period=told.period or None),
        plan_version=told.plan_version,
        registry=told.registry,
        registry_version=told.registry_version,
        clause=told.clause,
        opens_at=told.opens_at,
        recorded_at=_aware(told.recorded_at),
        revision=told.revision,
        timeline=tuple(_standing(segment) for segment in told.timeline),
    )


def _standing(segment: _Segment) -> Standing:
    return Standing(
        from_at=_aware(segment.from_),
        status=segment.status,
        due_at=segment.due_at,
        effective_at=segment.effective_at,
        submissions=segment.submissions,
        flags=segment.flags,
        missing=segment.missing,
        evidence=segment.evidence,
    )


def _attempt(event: str, told: _AlertAttempted, duty: _AlertedDuty) -> Attempt:
    key = DutyKey(plan=duty.plan, agency=duty.agency, obligation=duty.obligation, period=duty.period or None)
    return Attempt(
        event=event,
        alert=told.alert,
        key=key,
        kind=duty.kind,
        step=duty.step,
        due_at=duty.due_at,
        channel=told.channel,
        to_agency=told.to_agency,
        outcome=told.outcome,
        attempted_at=_aware(told.attempted_at),
    )


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise UnreadableRecordError(f"{instant.isoformat()} has no offset")
    return instant.astimezone(UTC) if instant.tzinfo is not UTC else instant
