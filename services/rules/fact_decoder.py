"""Decodes a fact from the wire: a tolerant reader of the fields by which rules decides.

It does not know plans: whether the fact is about a duty is checked by `services.rules.fact_validation`.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Union

import msgspec

from schemas.events import event_origin
from schemas.events import facts as wire
from schemas.events.event_origin import EventOrigin
from schemas.events.facts import PlanAdopted
from services.rules.core.facts import (
    Adjustment,
    Decision,
    Exemption,
    Extension,
    Fact,
    FiledAttachment,
    Reassignment,
    ReportAcceptance,
    ReportContent,
    ReportReturn,
    Revocation,
    Submission,
    Withdrawal,
)
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError

_FIGURE_EXPONENT_MAX = 309  # that of the largest double, which intake decodes a number to

# An owner adopts 13 months ahead. Every duty up to the horizon is assessed, so a later one would take hours.
FURTHEST_HORIZON = timedelta(days=3653)


class OtherEventError(UnreadableRecordError):
    """The record is an event, but its type is none of those that rules reads."""


class _FactDecision(msgspec.Struct, frozen=True, gc=False):
    issued_on: date
    number: str = ""


class _FactDocument(msgspec.Struct, frozen=True, gc=False):
    number: str | None = None
    issued_on: date | None = None
    signed_by: str | None = None


class _FactDispatch(msgspec.Struct, frozen=True, gc=False):
    sent_at: str | None = None
    proof: str = "none"
    reference: str | None = None


class _FactContent(msgspec.Struct, frozen=True, gc=False):
    nil_return: bool = False
    # msgspec gives every struct its own copy of an empty default.
    sections: dict[str, str | None] = {}
    indicators: dict[str, Any] = {}
    parts: tuple[str, ...] | None = None


class _DocketReference(msgspec.Struct, frozen=True, gc=False):
    plan: str
    obligation: str
    agency: str


class _SubmissionFields(_DocketReference, frozen=True, gc=False):
    period: str | None = None
    on_behalf_of: str | None = None
    corrects: str | None = None
    document: _FactDocument = _FactDocument()
    dispatch: _FactDispatch = _FactDispatch()
    content: _FactContent = _FactContent()
    attachments: tuple[FiledAttachment, ...] = ()


class _FactEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """The CloudEvents envelope of a fact, which every type of fact has with data of its own."""

    id: str
    source: str
    receivedtime: str | None = None
    recordedtime: str | None = None
    # Of any type: what is no trace is not looked at.
    traceparent: Any = None
    tracestate: Any = None


class _SubmittedEvent(_FactEvent, frozen=True, kw_only=True, gc=False, tag=wire.SUBMITTED):
    data: _SubmissionFields
    dispatchproof: str | None = None


class _AdjustmentEvent(_FactEvent, frozen=True, kw_only=True, gc=False):
    data: dict[str, Any]


class _AdoptedEvent(_FactEvent, frozen=True, kw_only=True, gc=False, tag=wire.ADOPTED):
    data: msgspec.Raw


class _OtherEvent(msgspec.Struct, frozen=True):
    """Any event at all, to tell one of another type from a record that is none."""

    id: str
    source: str
    type: str
    data: msgspec.Raw


# The facts besides reports, by the type of their event, whose data has fields of the same names.
_ADJUSTMENTS: Mapping[str, type[Adjustment]] = {
    wire.WITHDRAWN: Withdrawal,
    wire.REASSIGNED: Reassignment,
    wire.RETURNED: ReportReturn,
    wire.ACCEPTED: ReportAcceptance,
    wire.EXTENDED: Extension,
    wire.EXEMPTED: Exemption,
    wire.REVOKED: Revocation,
}
_INSTANTS = ("respond_by", "due_at", "from_", "until")


def _read_decimal(text: str) -> Decimal:
    """Return a number with the digits that it was written with; a double would not hold them.

    One whose exponent no decimal can hold is 0 or infinite, as intake decodes it.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(float(text))


_KINDS = [
    msgspec.defstruct("_AdjustmentEvent", [], bases=(_AdjustmentEvent,), tag=one, frozen=True, gc=False)
    for one in _ADJUSTMENTS
]
# One pass over the record: the type decides how the data is decoded, wherever in the record it stands.
_EVENT_DECODER = RecordDecoder[_SubmittedEvent | _AdjustmentEvent | _AdoptedEvent](
    Union[_SubmittedEvent, _AdoptedEvent, *_KINDS], float_hook=_read_decimal
)
_OTHER_EVENT_DECODER = RecordDecoder[_OtherEvent](_OtherEvent)

# The CloudEvents types of the facts of a duty.
FACT_TYPES = frozenset(wire.MODEL_OF)


def decode_fact(record: bytes | None, *, recorded_at: datetime | None = None) -> Fact:
    """Return the fact in *record*; raise `UnreadableRecordError`, for an event of another type `OtherEventError`.

    It counts as recorded at *recorded_at*, else at its own `recordedtime`, else at its `receivedtime`.
    """
    found, _ = decode_event(record, recorded_at=recorded_at)
    if isinstance(found, PlanAdopted):
        raise _refuse_type(wire.ADOPTED)
    return found


def decode_event(
    record: bytes | None, *, recorded_at: datetime | None = None
) -> tuple[Fact | PlanAdopted, EventOrigin]:
    """Return the fact or the adoption in *record*, and the origin of what follows from it.

    Raise and choose the time of recording as `decode_fact` does.
    """
    try:
        event = _EVENT_DECODER.decode(record)
    except UnreadableRecordError:
        _require_known_type(record)
        raise
    received_at = None if event.receivedtime is None else decoding.read_instant(event.receivedtime, "/receivedtime")
    # Most facts have no trace.
    trace = None if event.traceparent is None else event_origin.read_trace(event.traceparent, event.tracestate)
    origin = EventOrigin(received_at=received_at, trace=trace)
    if isinstance(event, _AdoptedEvent):
        return _decode_adoption(event, recorded_at), origin
    if received_at is None:
        raise UnreadableRecordError(
            "/receivedtime", "a recorded fact says when it was received; add the RFC 3339 instant"
        )
    if recorded_at is None:
        stated = event.recordedtime
        recorded_at = decoding.read_instant(stated, "/recordedtime") if stated else received_at
    if isinstance(event, _SubmittedEvent):
        return _build_submission(event, event.data, received_at, recorded_at), origin
    return _build_adjustment(event, received_at, recorded_at), origin


def _decode_adoption(event: _AdoptedEvent, recorded_at: datetime | None) -> PlanAdopted:
    """Return the adoption in *event*; raise `UnreadableRecordError` also for a horizon of centuries."""
    adoption = decoding.decode_model(PlanAdopted, event.data, "/data")
    horizon = decoding.require_instant(adoption.horizon, "/data/horizon")
    if recorded_at is not None and horizon > recorded_at + FURTHEST_HORIZON:
        raise UnreadableRecordError("/data/horizon", f"{horizon.isoformat()} lies more than ten years ahead")
    return adoption


def _require_known_type(record: bytes | None) -> None:
    """Raise `OtherEventError` if *record* is an event of a type that is not known; its data may be anything."""
    event = _OTHER_EVENT_DECODER.decode(record)
    if event.type not in FACT_TYPES and event.type != wire.ADOPTED:
        raise _refuse_type(event.type)


def _refuse_type(event_type: str) -> OtherEventError:
    types = ", ".join(wire.MODEL_OF)
    return OtherEventError("/type", f"{event_type!r} is not a type of fact; the types are {types}")


def _build_adjustment(event: _AdjustmentEvent, received_at: datetime, recorded_at: datetime) -> Adjustment:
    kind = _ADJUSTMENTS[str(event.__struct_config__.tag)]
    told = {name: event.data[name] for name in kind.__struct_fields__ if name in event.data}
    if issubclass(kind, Decision):
        decision = decoding.convert_member(event.data.get("decision"), _FactDecision, "/data/decision")
        told |= {"decided_on": decision.issued_on, "decision": decision.number}
    for name in filter(kind.__struct_fields__.__contains__, _INSTANTS):
        member = name.rstrip("_")
        text = event.data.get(member)
        told[name] = decoding.read_instant(text, f"/data/{member}") if text and isinstance(text, str) else text or None
    told |= {"id": event.id, "source": event.source, "received_at": received_at, "recorded_at": recorded_at}
    return decoding.convert_member(told, kind, "/data")


def _build_submission(
    event: _SubmittedEvent, data: _SubmissionFields, received_at: datetime, recorded_at: datetime
) -> Submission:
    document, dispatch, content = data.document, data.dispatch, data.content
    sent_at = dispatch.sent_at
    report = ReportContent(
        number=document.number or "",
        issued_on=document.issued_on,
        signed_by=document.signed_by or "",
        is_nil_return=content.nil_return,
        sections={name: text or "" for name, text in content.sections.items()},
        indicators=_parse_indicators(content.indicators) if content.indicators else {},
        attachments=data.attachments,
        parts=content.parts or (),
    )
    return Submission(
        id=event.id,
        source=event.source,
        plan=data.plan,
        obligation=data.obligation,
        # A report on behalf of a predecessor belongs to the predecessor's docket (ruling 7).
        agency=data.on_behalf_of or data.agency,
        received_at=received_at,
        recorded_at=recorded_at,
        period=data.period,
        filed_by=data.agency,
        corrects=data.corrects,
        sent_at=decoding.read_instant(sent_at, "/data/dispatch/sent_at") if sent_at else None,
        proof=dispatch.proof,
        report=report,
        is_proof_permitted=event.dispatchproof != wire.UNPROVEN,
        has_proof_reference=dispatch.reference is not None and _has_visible_text(dispatch.reference),
    )


def _has_visible_text(text: str) -> bool:
    """Whether *text* is not blank: spaces and invisible letters, such as U+200B, are nothing that can be looked up."""
    return any(letter.isprintable() and not letter.isspace() for letter in text)


def _parse_indicators(indicators: Mapping[str, Any]) -> dict[str, Decimal]:
    return {code: _parse_figure(code, written) for code, written in indicators.items() if written is not None}


def _parse_figure(code: str, written: object) -> Decimal:
    """Return the figure; `NaN`, `Infinity` and `1e400` are numbers to Python, but no figures."""
    figure: Decimal | None = None
    if isinstance(written, str):
        with suppress(ValueError):
            figure = _read_decimal(written)
    elif isinstance(written, int | Decimal) and not isinstance(written, bool):
        figure = Decimal(written)
    if figure is None or not figure.is_finite() or figure.adjusted() >= _FIGURE_EXPONENT_MAX:
        pointer = f"/data/content/indicators/{code}"
        raise UnreadableRecordError(pointer, f"{written} is not a number; write digits and a point")
    return figure
