"""Build the events of `dondoc.reports.v1` as records: the key, and the CloudEvent in JSON.

Ids derive from content, so an event that is published twice is recognised as one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from schemas.events import ids, reports
from schemas.events.envelope import Envelope
from schemas.events.reports import EvaluationRecorded, ReportFormat, ReportSealed, SealedDocumentPart

SOURCE = "dondoc/reporting"
PART_BYTES = 4 * 1024 * 1024  # a third more in base 64, and still a third of what the topic takes in one record


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecord:
    """A record for the topic of reports."""

    key: str
    value: bytes


def build_evaluation(evaluation: EvaluationRecorded, *, recorded_at: datetime) -> ReportRecord:
    """Return the record of an officer's evaluation of an agency."""
    content = (evaluation.plan, evaluation.period, evaluation.agency, evaluation.grade, evaluation.sentence)
    event_id = ids.digest(reports.EVALUATED, *content, evaluation.evaluated_by, recorded_at.isoformat())
    return _build_record(reports.EVALUATED, evaluation, event_id, subject=evaluation.agency, time=recorded_at)


def build_seal(sealed: ReportSealed) -> ReportRecord:
    """Return the record by which a version counts as sealed; it goes last."""
    event_id = ids.digest(reports.SEALED, sealed.plan, sealed.period, str(sealed.version))
    subject = reports.report_key(sealed.plan, sealed.period)
    return _build_record(reports.SEALED, sealed, event_id, subject=subject, time=sealed.sealed_at)


def build_parts(sealed: ReportSealed, form: ReportFormat, content: bytes) -> Iterator[ReportRecord]:
    """Yield the records of one document of a version; an empty document has one empty part."""
    places = range(0, len(content), PART_BYTES) or range(1)
    subject = reports.report_key(sealed.plan, sealed.period)
    for number, start in enumerate(places, start=1):
        part = SealedDocumentPart.model_construct(
            plan=sealed.plan,
            period=sealed.period,
            version=sealed.version,
            format=form,
            part=number,
            parts=len(places),
            content=content[start : start + PART_BYTES],
        )
        name = (sealed.plan, sealed.period, str(sealed.version), form.value, str(number))
        event_id = ids.digest(reports.SEALED_DOCUMENT, *name)
        yield _build_record(reports.SEALED_DOCUMENT, part, event_id, subject=subject, time=sealed.sealed_at)


def _build_record(
    event_type: str,
    data: EvaluationRecorded | ReportSealed | SealedDocumentPart,
    event_id: str,
    *,
    subject: str,
    time: datetime,
) -> ReportRecord:
    envelope: Envelope[BaseModel] = Envelope[type(data)].model_construct(  # type: ignore[misc]  # the type is known at run time
        specversion="1.0",
        id=event_id,
        source=SOURCE,
        type=event_type,
        subject=subject,
        time=time,
        datacontenttype="application/json",
        data=data,
    )
    value = envelope.model_dump_json(exclude_none=True).encode()
    return ReportRecord(key=reports.report_key(data.plan, data.period), value=value)
