"""Decode the records of the log into what reporting stores: assessments, alert attempts, facts.

The decoder is tolerant: it ignores fields that it does not know, and of the envelope it requires no attribute but those
that reporting stores. The data of an assessment or an attempt is as `schemas.events.wire` describes it. A verdict or a
delivery that it cannot decode, or that could not be stored or shown, is refused with the reason, and the consumer sets
it aside. Of facts those about a duty are stored, byte for byte; adoptions of plans are not.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from schemas.events import facts, ids
from schemas.events.assessments import ASSESSED
from schemas.events.deliveries import ACKNOWLEDGED, DELIVERED
from schemas.events.event_origin import NO_ORIGIN, EventOrigin
from schemas.events.ids import DutyKey
from schemas.events.wire import WireAlertAttempted, WireAlertedDuty, WireSegment, WireTimeline
from services.reporting.core.content.submission_history import DocketFact
from services.reporting.core.timeline import AssessmentRevision, StatusSpan
from services.reporting.core.urging import AlertAttempt
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka import event_origins

# MongoDB takes documents of 16 MiB; the other fields of a document have room in the rest.
LARGEST_DOCUMENT_BYTES = 15 * 1024 * 1024
CHARACTERS_OF_ID_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """The bytes of a record as they were stored, None where their document has lost them, and its id."""

    id: str
    record: bytes | None


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
class DecodedFact:
    """A fact, the duty that it is about, when the log recorded it, and the bytes of its record.

    `receiptid` is that of the receipt which confirms it; for a fact without one, which intake has not taken, it derives
    from the fact in the same way. `digest` is that of type, duty and data. `origin` says when it was received, and
    which trace it belongs to.
    """

    receiptid: str
    receivedtime: str
    recorded_at: datetime
    event: str
    source: str
    type: str
    duty: DutyKey
    digest: str
    record: bytes
    origin: EventOrigin = NO_ORIGIN


class _FactPayload(msgspec.Struct):
    plan: str
    obligation: str
    agency: str
    period: str | None = None
    # Only some facts have these; in another one they may be anything.
    on_behalf_of: Any = None
    to_period: Any = None


class _VerdictEvent(msgspec.Struct, tag_field="type", tag=ASSESSED):
    """What reporting requires of an assessment: of the envelope the id, of the data all but the steps."""

    id: str
    data: WireTimeline


class _AcknowledgedEvent(msgspec.Struct, tag_field="type", tag=ACKNOWLEDGED):
    """That an agency has read an alert: it bears on no status and no count of what was sent."""

    id: str


class _DeliveryEvent(msgspec.Struct, tag_field="type", tag=DELIVERED):
    """What reporting requires of an attempt at an alert: of the envelope the id."""

    id: str
    data: WireAlertAttempted


class _RecordedEvent(msgspec.Struct):
    id: str
    source: str
    type: str
    receivedtime: str
    data: _FactPayload
    # What counts may have anything in their place.
    receiptid: Any = None
    subject: Any = None
    traceparent: Any = None
    tracestate: Any = None


class _NamingPayload(msgspec.Struct):
    """What the data of a fact names: a submission by its id, and the periods between which it is moved."""

    corrects: Any = None
    withdraws: Any = None
    submission: Any = None
    from_period: Any = None
    to_period: Any = None


class _NamingEvent(msgspec.Struct):
    data: _NamingPayload


class _EncodedData(msgspec.Struct):
    """The data of a fact as they are in the record: all that a sender who repeats it has to repeat."""

    data: msgspec.Raw


class _ReceiptMark(msgspec.Struct):
    """Whether a fact has a receipt at all."""

    receiptid: Any = None


_VERDICT_DECODER = RecordDecoder[_VerdictEvent](_VerdictEvent)
_ACKNOWLEDGED_DECODER = RecordDecoder[_AcknowledgedEvent](_AcknowledgedEvent)
_DELIVERY_DECODER = RecordDecoder[_DeliveryEvent](_DeliveryEvent)
# As rules decodes facts, so that whatever counts there is stored here.
_FACT_DECODER = RecordDecoder[_RecordedEvent](_RecordedEvent, float_hook=str)
_NAMING_DECODER = RecordDecoder[_NamingEvent](_NamingEvent, float_hook=str)
_CONTENT_DECODER = RecordDecoder[_EncodedData](_EncodedData)
_RECEIPT_MARK_DECODER = RecordDecoder[_ReceiptMark](_ReceiptMark)


def decode_verdict(record: bytes | None) -> RecordedAssessment:
    """Return the assessment in *record*; raise `UnreadableRecordError` with the place that is wrong."""
    event = _VERDICT_DECODER.decode(record)
    raw = record or b""
    _require_storable(raw, event.id)
    return RecordedAssessment(assessment=_build_revision(event), record=raw)


def find_attempt(record: bytes | None) -> RecordedAttempt | None:
    """Return the alert attempt in *record*, or None where it says that an agency has read an alert.

    Raise `UnreadableRecordError` where it is neither.
    """
    try:
        return decode_delivery(record)
    except UnreadableRecordError:
        if _is_acknowledgement(record):
            return None
        raise


def _is_acknowledgement(record: bytes | None) -> bool:
    try:
        _ACKNOWLEDGED_DECODER.decode(record)
    except UnreadableRecordError:
        return False
    return True


def decode_delivery(record: bytes | None) -> RecordedAttempt:
    """Return the alert attempt in *record*; raise `UnreadableRecordError` with the place that is wrong."""
    event = _DELIVERY_DECODER.decode(record)
    raw = record or b""
    attempted_at = decoding.require_instant(event.data.attempted_at, "/data/attempted_at")
    attempts = tuple(_build_attempt(event, duty, attempted_at) for duty in event.data.duties)
    _require_storable(raw, event.id, *(str(attempt.key) for attempt in attempts))
    return RecordedAttempt(event=event.id, attempted_at=attempted_at, attempts=attempts, record=raw)


def decode_fact(record: bytes | None, *, recorded_at: datetime) -> DecodedFact | None:
    """Return the fact in *record*, or None where it is no fact about a duty; raise `UnreadableRecordError`.

    What has a receipt is a fact about a duty, and unreadable if it does not read as one.
    """
    try:
        event = _FACT_DECODER.decode(record)
    except UnreadableRecordError:
        if _RECEIPT_MARK_DECODER.decode(record).receiptid is None:
            return None
        raise
    raw, receiptid, duty = record or b"", _text_of(event.receiptid), _find_duty(event)
    data = hashlib.sha256(_CONTENT_DECODER.decode(record).data).hexdigest()
    digest = ids.digest(event.type, str(duty), data)
    _require_fitting(raw, event.id, receiptid, event.source)
    return DecodedFact(
        receiptid=receiptid or ids.digest(event.source, event.id, digest),
        receivedtime=event.receivedtime,
        recorded_at=recorded_at,
        event=event.id,
        source=event.source,
        type=event.type,
        duty=duty,
        digest=digest,
        record=raw,
        origin=event_origins.build_origin(event.receivedtime, event.traceparent, event.tracestate),
    )


def _find_duty(event: _RecordedEvent) -> DutyKey:
    """Return the duty that a fact is about; raise `UnreadableRecordError` if it is none.

    The subject is the agency whose duty it is: aliases are resolved, and where an agency files for its predecessor it
    is the predecessor. Rules takes the agency from the data, so a subject that is no agency is passed over.
    """
    payload = event.data
    named = {
        "plan": payload.plan,
        "obligation": payload.obligation,
        "period": payload.period or _text_of(payload.to_period),
    }
    try:
        return DutyKey.from_event(agency=_text_of(event.subject), **named)
    except ValueError:
        return _build_key(agency=_text_of(payload.on_behalf_of) or payload.agency, **named)


def describe_fact(fact: DecodedFact) -> DocketFact:
    """Return *fact* as a history tells of it; raise `UnreadableRecordError`."""
    named = _NAMING_DECODER.decode(fact.record).data
    return DocketFact(
        identity=(fact.source, fact.event),
        type=fact.type,
        receiptid=fact.receiptid,
        received_at=decoding.read_instant(fact.receivedtime, "/receivedtime"),
        recorded_at=fact.recorded_at,
        period=fact.duty.period,
        is_submission=fact.type == facts.SUBMITTED,
        is_reassignment=fact.type == facts.REASSIGNED,
        names=_text_of(named.corrects) or _text_of(named.withdraws) or _text_of(named.submission) or None,
        from_period=_text_of(named.from_period) or None,
        to_period=_text_of(named.to_period) or None,
    )


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _build_revision(event: _VerdictEvent) -> AssessmentRevision:
    payload = event.data
    opens_at = payload.opens_at
    return AssessmentRevision(
        event=event.id,
        key=_build_key(plan=payload.plan, agency=payload.agency, obligation=payload.obligation, period=payload.period),
        plan_version=payload.plan_version,
        registry=payload.registry,
        registry_version=payload.registry_version,
        clause=payload.clause,
        opens_at=opens_at and decoding.require_instant(opens_at, "/data/opens_at"),
        recorded_at=decoding.require_instant(payload.recorded_at, "/data/recorded_at"),
        revision=payload.revision,
        timeline=tuple(_build_span(segment) for segment in payload.timeline),
    )


def _build_span(segment: WireSegment) -> StatusSpan:
    due_at, effective_at = segment.due_at, segment.effective_at
    return StatusSpan(
        from_at=decoding.require_instant(segment.starts_at, "/data/timeline/from"),
        status=segment.status,
        due_at=due_at and decoding.require_instant(due_at, "/data/timeline/due_at"),
        effective_at=effective_at and decoding.require_instant(effective_at, "/data/timeline/effective_at"),
        submissions=segment.submissions,
        flags=segment.flags,
        missing=segment.missing,
        evidence=segment.evidence,
        standing=None if segment.standing is None else (segment.standing.source, segment.standing.id),
        returns=segment.returns,
    )


def _build_attempt(event: _DeliveryEvent, duty: WireAlertedDuty, attempted_at: datetime) -> AlertAttempt:
    payload, due_at = event.data, duty.due_at
    return AlertAttempt(
        event=event.id,
        alert=payload.alert,
        key=_build_key(plan=duty.plan, agency=duty.agency, obligation=duty.obligation, period=duty.period),
        kind=duty.kind,
        step=duty.step,
        due_at=due_at and decoding.require_instant(due_at, "/data/duties/due_at"),
        channel=payload.channel,
        to_agency=payload.to_agency,
        outcome=payload.outcome,
        attempted_at=attempted_at,
        reason=payload.reason,
        delivery=payload.delivery or payload.message_id or "",
        as_successor=duty.as_successor,
    )


def _build_key(*, plan: str, agency: str, obligation: str, period: str | None) -> DutyKey:
    try:
        return DutyKey.from_event(plan=plan, agency=agency, obligation=obligation, period=period)
    except ValueError as cause:
        raise UnreadableRecordError("/data", str(cause)) from cause


def _require_storable(record: bytes, event_id: str, *indexed: str) -> None:
    """Raise `UnreadableRecordError` if the document could not be stored, or not be found by its id again."""
    if not 0 < len(event_id) <= CHARACTERS_OF_ID_MAX or not event_id.isprintable():
        raise UnreadableRecordError("/id", f"{event_id[:200]!r} cannot be the key of a document")
    _require_fitting(record, *indexed)


def _require_fitting(record: bytes, *indexed: str) -> None:
    """Raise `UnreadableRecordError` if the document would be too large."""
    if len(record) + sum(len(text.encode()) for text in indexed) > LARGEST_DOCUMENT_BYTES:
        raise UnreadableRecordError("", f"the database takes no document of {len(record)} bytes")
