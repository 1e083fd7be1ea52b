"""Decode the records of the log into what reporting stores: assessments, alert attempts, receipts.

The decoder is tolerant: it ignores fields that it does not know, and of the envelope it requires no attribute but those
that reporting stores. The data of an assessment or an attempt is as `schemas.events.wire` describes it. A verdict or a
delivery that it cannot decode is refused with the reason, and the consumer sets it aside; so everything in the database
can be decoded again. Facts are judged by rules alone: a fact without a receipt, or one that is not readable, is skipped
here.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import DELIVERED
from schemas.events.ids import DutyKey
from schemas.events.wire import WireAlertAttempted, WireAlertedDuty, WireSegment, WireTimeline
from services.reporting.core.timeline import AssessmentRevision, StatusSpan
from services.reporting.core.urging import AlertAttempt


class UnreadableRecordError(Exception):
    """Reporting cannot decode the record; the message says where. Write it to the dead-letter topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAssessment:
    """An assessment revision, and the bytes of the record that published it."""

    assessment: AssessmentRevision
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAttempt:
    """One attempt at an alert, once for each duty that the alert names, and the bytes of its record."""

    event: str
    attempted_at: datetime
    attempts: tuple[AlertAttempt, ...]
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReceipt:
    """A receipt, the event that it confirms and the duty that the event is about.

    `digest` is that of the event's data; it is empty for a receipt that was stored by an earlier version.
    """

    receiptid: str
    receivedtime: str
    event: str
    source: str
    type: str
    duty: DutyKey
    digest: str = ""


class _FactPayload(msgspec.Struct):
    plan: str
    obligation: str
    agency: str
    period: str | None = None
    to_period: str | None = None


class _VerdictEvent(msgspec.Struct, tag_field="type", tag=ASSESSED):
    """What reporting requires of an assessment: of the envelope the id, of the data all but the steps."""

    id: str
    data: WireTimeline


class _DeliveryEvent(msgspec.Struct, tag_field="type", tag=DELIVERED):
    """What reporting requires of an attempt at an alert: of the envelope the id."""

    id: str
    data: WireAlertAttempted


class _FactEvent(msgspec.Struct):
    id: str
    source: str
    type: str
    receiptid: str
    receivedtime: str
    data: msgspec.Raw
    subject: str | None = None


_VERDICT_DECODER = msgspec.json.Decoder(_VerdictEvent)
_DELIVERY_DECODER = msgspec.json.Decoder(_DeliveryEvent)
_FACT_DECODER = msgspec.json.Decoder(_FactEvent)
_PAYLOAD_DECODER = msgspec.json.Decoder(_FactPayload)


def decode_verdict(record: bytes | None) -> RecordedAssessment:
    """Return the assessment in *record*; raise `UnreadableRecordError` with the place that is wrong."""
    raw = record or b""
    try:
        event = _VERDICT_DECODER.decode(raw)
    except msgspec.DecodeError as cause:
        raise UnreadableRecordError(str(cause)) from cause
    return RecordedAssessment(assessment=_build_revision(event), record=raw)


def decode_delivery(record: bytes | None) -> RecordedAttempt:
    """Return the alert attempt in *record*; raise `UnreadableRecordError` with the place that is wrong."""
    raw = record or b""
    try:
        event = _DELIVERY_DECODER.decode(raw)
    except msgspec.DecodeError as cause:
        raise UnreadableRecordError(str(cause)) from cause
    attempts = tuple(_build_attempt(event, duty) for duty in event.data.duties)
    return RecordedAttempt(event=event.id, attempted_at=_to_utc(event.data.attempted_at), attempts=attempts, record=raw)


def decode_receipt(record: bytes | None) -> RecordedReceipt | None:
    """Return the receipt of the fact in *record*, or None where there is none or the fact is not readable."""
    try:
        event = _FACT_DECODER.decode(record or b"")
        payload = _PAYLOAD_DECODER.decode(event.data)
    except msgspec.DecodeError:
        return None
    return RecordedReceipt(
        receiptid=event.receiptid,
        receivedtime=event.receivedtime,
        event=event.id,
        source=event.source,
        type=event.type,
        duty=DutyKey(
            plan=payload.plan,
            # The subject is the agency whose duty it is: aliases are resolved, and where an agency files for its
            # predecessor it is the predecessor.
            agency=event.subject or payload.agency,
            obligation=payload.obligation,
            period=payload.period or payload.to_period,
        ),
        digest=hashlib.sha256(event.data).hexdigest(),
    )


def _build_revision(event: _VerdictEvent) -> AssessmentRevision:
    payload = event.data
    return AssessmentRevision(
        event=event.id,
        key=DutyKey(
            plan=payload.plan, agency=payload.agency, obligation=payload.obligation, period=payload.period or None
        ),
        plan_version=payload.plan_version,
        registry=payload.registry,
        registry_version=payload.registry_version,
        clause=payload.clause,
        opens_at=payload.opens_at,
        recorded_at=_to_utc(payload.recorded_at),
        revision=payload.revision,
        timeline=tuple(_build_span(segment) for segment in payload.timeline),
    )


def _build_span(segment: WireSegment) -> StatusSpan:
    return StatusSpan(
        from_at=_to_utc(segment.starts_at),
        status=segment.status,
        due_at=segment.due_at,
        effective_at=segment.effective_at,
        submissions=segment.submissions,
        flags=segment.flags,
        missing=segment.missing,
        evidence=segment.evidence,
    )


def _build_attempt(event: _DeliveryEvent, duty: WireAlertedDuty) -> AlertAttempt:
    payload = event.data
    return AlertAttempt(
        event=event.id,
        alert=payload.alert,
        key=DutyKey(plan=duty.plan, agency=duty.agency, obligation=duty.obligation, period=duty.period or None),
        kind=duty.kind,
        step=duty.step,
        due_at=duty.due_at,
        channel=payload.channel,
        to_agency=payload.to_agency,
        outcome=payload.outcome,
        attempted_at=_to_utc(payload.attempted_at),
    )


def _to_utc(instant: datetime) -> datetime:
    # msgspec gives `Z` and `+00:00` the very object `UTC`, so the usual case is one comparison.
    return instant.astimezone(UTC) if instant.tzinfo is not UTC else instant
