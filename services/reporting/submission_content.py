"""Decode what a submission contains: its figures with the digits that they were written with, its texts, its cut-off.

The decoder is tolerant: what is missing reads as absent, and members that it does not know are ignored. Intake has
checked every event before it was recorded, and rules has read it before it could count.
"""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from services.reporting.core.report.inputs import ReportedDocument
from services.reporting.core.reported_duties import StandingSubmission
from services.reporting.core.timeline import EventIdentity
from services.runtime.decoding import RecordDecoder


class _ContentMembers(msgspec.Struct):
    nil_return: bool = False
    figures_as_of: Any = None
    sections: dict[str, str | None] = {}
    indicators: dict[str, Any] = {}
    parts: Any = None


class _SubmissionMembers(msgspec.Struct):
    content: _ContentMembers = msgspec.field(default_factory=_ContentMembers)


class _SubmissionEvent(msgspec.Struct):
    source: str
    id: str
    data: _SubmissionMembers


class _DocumentMembers(msgspec.Struct):
    number: str | None = None
    issued_on: date | None = None


class _DispatchMembers(msgspec.Struct):
    proof: str | None = None
    reference: str | None = None


class _DocumentedMembers(msgspec.Struct):
    document: _DocumentMembers = msgspec.field(default_factory=_DocumentMembers)
    dispatch: _DispatchMembers = msgspec.field(default_factory=_DispatchMembers)


class _DocumentedEvent(msgspec.Struct):
    source: str
    id: str
    data: _DocumentedMembers
    dispatchproof: str | None = None


NO_PROOF = "none"
_DOCUMENT_DECODER: RecordDecoder[_DocumentedEvent] = RecordDecoder(_DocumentedEvent)
# Numbers with a point are kept as text, for a double would not hold their digits.
_SUBMISSION_DECODER: RecordDecoder[_SubmissionEvent] = RecordDecoder(_SubmissionEvent, float_hook=str)


def decode_document(record: bytes | None) -> tuple[EventIdentity, ReportedDocument]:
    """Return the identity of the submission in *record* and its document; raise `UnreadableRecordError` if it is none.

    A dispatch that intake marks as unproven counts by the time of its receipt (ruling 12).
    """
    event = _DOCUMENT_DECODER.decode(record)
    document, is_proven = event.data.document, event.dispatchproof is None
    proof = event.data.dispatch.proof if is_proven and (event.data.dispatch.reference or "").strip() else NO_PROOF
    return (event.source, event.id), ReportedDocument(
        number=document.number or "", issued_on=document.issued_on, proof=proof or NO_PROOF
    )


def decode_submission(record: bytes | None) -> StandingSubmission:
    """Return the content of the submission in *record*; raise `UnreadableRecordError` if it is none."""
    event = _SUBMISSION_DECODER.decode(record)
    content = event.data.content
    figures = {code: _parse_figure(written) for code, written in content.indicators.items()}
    return StandingSubmission(
        source=event.source,
        id=event.id,
        is_nil_return=content.nil_return,
        cut_off=_parse_day(content.figures_as_of),
        figures={code: one for code, one in figures.items() if one is not None},
        sections={section: text for section, text in content.sections.items() if text is not None},
        parts=_read_names(content.parts),
    )


def _read_names(written: object) -> frozenset[str]:
    return frozenset(one for one in written if isinstance(one, str)) if isinstance(written, list) else frozenset()


def _parse_figure(written: object) -> Decimal | None:
    """Return the figure, or None for what is none: NaN and Infinity are decimals to Python, but no figures."""
    if isinstance(written, bool) or not isinstance(written, str | int):
        return None
    try:
        figure = Decimal(written)
    except InvalidOperation:
        return None
    return figure if figure.is_finite() else None


def _parse_day(written: object) -> date | None:
    try:
        return date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
