"""Decode the records of `dondoc.reports.v1`: sealed versions, the parts of their documents, and evaluations."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from schemas.events import reports
from schemas.events.envelope import Envelope
from schemas.events.reports import EvaluationRecorded, ReportSealed, SealedDocumentPart
from schemas.plan import periods
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.dead_letters import ConsumedRecord

CHARACTERS_OF_ID_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedSeal:
    """A sealed version, and the bytes of the record by which it counts as sealed."""

    sealed: ReportSealed
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvaluation:
    """An evaluation, the id of its event, when the log recorded it, and the bytes of its record."""

    event: str
    evaluation: EvaluationRecorded
    recorded_at: datetime
    record: bytes


RecordedReportEvent = RecordedSeal | SealedDocumentPart | RecordedEvaluation


class _ReportEventHead(msgspec.Struct):
    id: str
    type: str


_HEAD_DECODER = RecordDecoder[_ReportEventHead](_ReportEventHead)


def decode_report_event(record: ConsumedRecord) -> RecordedReportEvent:
    """Return what *record* holds; raise `UnreadableRecordError` with the place that is wrong."""
    head = _HEAD_DECODER.decode(record.value)
    raw = record.value or b""
    match head.type:
        case reports.SEALED:
            sealed = decoding.decode_model(Envelope[ReportSealed], raw).data
            _require_period(sealed.period)
            return RecordedSeal(sealed=sealed, record=raw)
        case reports.SEALED_DOCUMENT:
            part = decoding.decode_model(Envelope[SealedDocumentPart], raw).data
            _require_period(part.period)
            return part
        case reports.EVALUATED:
            return _decode_evaluation(head.id, record)
        case _:
            raise UnreadableRecordError("/type", f"{head.type[:200]!r} is no event of this topic")


def decode_seal(record: bytes | None) -> ReportSealed:
    """Return the sealed version in the bytes of a record; raise `UnreadableRecordError`."""
    return decoding.decode_model(Envelope[ReportSealed], record).data


def decode_evaluation(record: bytes | None) -> EvaluationRecorded:
    """Return the evaluation in the bytes of a record; raise `UnreadableRecordError`."""
    return decoding.decode_model(Envelope[EvaluationRecorded], record).data


def _decode_evaluation(event_id: str, record: ConsumedRecord) -> RecordedEvaluation:
    if not 0 < len(event_id) <= CHARACTERS_OF_ID_MAX or not event_id.isprintable():
        raise UnreadableRecordError("/id", f"{event_id[:200]!r} cannot be the key of a document")
    evaluation = decode_evaluation(record.value)
    _require_period(evaluation.period)
    recorded_at = decoding.read_timestamp(record)
    return RecordedEvaluation(
        event=event_id, evaluation=evaluation, recorded_at=recorded_at, record=record.value or b""
    )


def _require_period(text: str) -> None:
    """Refuse what is no period: it is part of the key of a document."""
    try:
        periods.parse(text)
    except ValueError as cause:
        raise UnreadableRecordError("/data/period", str(cause)) from cause
