"""Decodes a fact from the wire: a tolerant reader of the fields by which rules decides.

It does not know plans: whether the fact is about a duty is checked by `services.rules.fact_validation`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from schemas.events import facts as wire
from schemas.plan import instants
from services.rules.core.facts import (
    Exemption,
    Extension,
    Fact,
    FiledAttachment,
    Reassignment,
    ReportContent,
    Revocation,
    Submission,
    Withdrawal,
)

_FIGURE_EXPONENT_MAX = 309  # that of the largest double, which intake decodes a number to

_Data = TypeVar("_Data")


class UnreadableFact(ValueError):  # noqa: N818 - it reads as a claim about the input
    """The record is no fact that rules can read. `pointer` names the place, the message the remedy."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer or '/'}: {message}")
        self.pointer = pointer
        self.message = message


class FactEnvelope(msgspec.Struct, frozen=True):
    """The CloudEvents envelope of a fact; `data` stays encoded until its type is known."""

    id: str
    source: str
    type: str
    data: msgspec.Raw
    receivedtime: str | None = None
    recordedtime: str | None = None


class _FactDecision(msgspec.Struct, frozen=True):
    issued_on: date


class _FactDocument(msgspec.Struct, frozen=True):
    number: str | None = None
    issued_on: date | None = None
    signed_by: str | None = None


class _FactDispatch(msgspec.Struct, frozen=True):
    sent_at: str | None = None
    proof: str = "none"


class _FactContent(msgspec.Struct, frozen=True):
    nil_return: bool = False
    # msgspec gives every struct its own copy of an empty default.
    sections: dict[str, str | None] = {}
    # Numbers with a point are kept as text, for a double would not hold their digits.
    indicators: dict[str, Any] = {}


class _FactAttachment(msgspec.Struct, frozen=True):
    media_type: str = ""
    sha256: str = ""


class _DocketReference(msgspec.Struct, frozen=True):
    plan: str
    obligation: str
    agency: str


class _SubmissionFields(_DocketReference, frozen=True):
    period: str | None = None
    on_behalf_of: str | None = None
    corrects: str | None = None
    document: _FactDocument = _FactDocument()
    dispatch: _FactDispatch = _FactDispatch()
    content: _FactContent = _FactContent()
    attachments: tuple[_FactAttachment, ...] = ()


class _WithdrawalFields(_DocketReference, frozen=True):
    withdraws: str
    period: str | None = None


class _ReassignmentFields(_DocketReference, frozen=True):
    submission: str
    from_period: str | None = None
    to_period: str | None = None


class _ExtensionFields(_DocketReference, frozen=True):
    due_at: str
    decision: _FactDecision
    period: str | None = None


class _ExemptionFields(_DocketReference, frozen=True, rename={"from_": "from"}):
    from_: str
    until: str
    decision: _FactDecision


class _RevocationFields(_DocketReference, frozen=True):
    exemption: str
    decision: _FactDecision
    due_at: str | None = None


_UNTYPED_DECODER = msgspec.json.Decoder(float_hook=str)
_ENVELOPE_DECODER = msgspec.json.Decoder(FactEnvelope)
_DATA_DECODERS: Mapping[str, msgspec.json.Decoder[Any]] = {
    wire.SUBMITTED: msgspec.json.Decoder(_SubmissionFields, float_hook=str),
    wire.WITHDRAWN: msgspec.json.Decoder(_WithdrawalFields),
    wire.REASSIGNED: msgspec.json.Decoder(_ReassignmentFields),
    wire.EXTENDED: msgspec.json.Decoder(_ExtensionFields),
    wire.EXEMPTED: msgspec.json.Decoder(_ExemptionFields),
    wire.REVOKED: msgspec.json.Decoder(_RevocationFields),
}

# The CloudEvents types of the facts of a duty.
FACT_TYPES = frozenset(_DATA_DECODERS)


def decode_envelope(record: bytes) -> FactEnvelope:
    """Return the envelope in *record*; raise `UnreadableFact` if it is no CloudEvent."""
    try:
        return _ENVELOPE_DECODER.decode(record)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise _translate_error("", cause) from cause


def decode_fact(record: bytes, *, recorded_at: datetime | None = None) -> Fact:
    """Return the fact in *record*; raise `UnreadableFact`.

    It counts as recorded at *recorded_at*, else at its own `recordedtime`, else at its `receivedtime`.
    """
    return build_fact(decode_envelope(record), recorded_at=recorded_at)


def build_fact(envelope: FactEnvelope, *, recorded_at: datetime | None = None) -> Fact:
    """Return the fact in *envelope*; raise `UnreadableFact` naming the place if its type or data does not fit.

    `recorded_at` is chosen as in `decode_fact`.
    """
    decoder = _DATA_DECODERS.get(envelope.type)
    if decoder is None:
        types = ", ".join(_DATA_DECODERS)
        raise UnreadableFact("/type", f"{envelope.type!r} is not a type of fact; the types are {types}")
    try:
        data = _decode_data(decoder, envelope.data)
    except (msgspec.DecodeError, RecursionError) as cause:
        raise _translate_error("/data", cause) from cause
    if envelope.receivedtime is None:
        raise UnreadableFact("/receivedtime", "a recorded fact says when it was received; add the RFC 3339 instant")
    received_at = _parse_instant(envelope.receivedtime, "/receivedtime")
    if recorded_at is None:
        stated = envelope.recordedtime
        recorded_at = _parse_instant(stated, "/recordedtime") if stated else received_at
    if isinstance(data, _SubmissionFields):
        return _build_submission(envelope, data, received_at, recorded_at)
    return _build_adjustment(envelope, data, received_at, recorded_at)


def _build_adjustment(envelope: FactEnvelope, data: Any, received_at: datetime, recorded_at: datetime) -> Fact:  # noqa: ANN401 - one of the structs above
    common: dict[str, Any] = {
        "id": envelope.id,
        "source": envelope.source,
        "plan": data.plan,
        "obligation": data.obligation,
        "agency": data.agency,
        "received_at": received_at,
        "recorded_at": recorded_at,
    }
    match data:
        case _WithdrawalFields():
            return Withdrawal(**common, period=data.period, withdraws=data.withdraws)
        case _ReassignmentFields():
            return Reassignment(
                **common, submission=data.submission, from_period=data.from_period, to_period=data.to_period
            )
        case _ExtensionFields():
            due_at = _parse_instant(data.due_at, "/data/due_at")
            return Extension(**common, period=data.period, due_at=due_at, decided_on=data.decision.issued_on)
        case _ExemptionFields():
            from_, until = _parse_instant(data.from_, "/data/from"), _parse_instant(data.until, "/data/until")
            return Exemption(**common, from_=from_, until=until, decided_on=data.decision.issued_on)
        case _:
            due_at_or_none = _parse_instant(data.due_at, "/data/due_at") if data.due_at else None
            return Revocation(
                **common, exemption=data.exemption, due_at=due_at_or_none, decided_on=data.decision.issued_on
            )


def _build_submission(
    envelope: FactEnvelope, data: _SubmissionFields, received_at: datetime, recorded_at: datetime
) -> Submission:
    sent_at = data.dispatch.sent_at
    return Submission(
        id=envelope.id,
        source=envelope.source,
        plan=data.plan,
        obligation=data.obligation,
        # A report on behalf of a predecessor belongs to the predecessor's docket (ruling 7).
        agency=data.on_behalf_of or data.agency,
        received_at=received_at,
        recorded_at=recorded_at,
        period=data.period,
        filed_by=data.agency,
        corrects=data.corrects,
        sent_at=_parse_instant(sent_at, "/data/dispatch/sent_at") if sent_at else None,
        proof=data.dispatch.proof,
        report=_build_report_content(data),
    )


def _build_report_content(data: _SubmissionFields) -> ReportContent:
    return ReportContent(
        number=data.document.number or "",
        issued_on=data.document.issued_on,
        signed_by=data.document.signed_by or "",
        is_nil_return=data.content.nil_return,
        sections={name: text or "" for name, text in data.content.sections.items()},
        indicators=_parse_indicators(data.content.indicators),
        attachments=tuple([FiledAttachment(media_type=one.media_type, sha256=one.sha256) for one in data.attachments]),
    )


def _parse_indicators(indicators: Mapping[str, Any]) -> dict[str, Decimal]:
    return {code: _parse_figure(code, text) for code, text in indicators.items() if text is not None}


def _parse_figure(code: str, text: object) -> Decimal:
    """Return the figure with the digits that it was written with.

    `NaN`, `Infinity` and `1e400` are numbers to Python, but no figures.
    """
    figure = _to_decimal(text) if isinstance(text, (str, int)) and not isinstance(text, bool) else None
    if figure is None or not figure.is_finite() or figure.adjusted() >= _FIGURE_EXPONENT_MAX:
        pointer = f"/data/content/indicators/{code}"
        raise UnreadableFact(pointer, f"{text!r} is not a number; write digits and a point")
    return figure


def _to_decimal(text: str | int) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return _to_decimal_of_double(text)


def _to_decimal_of_double(text: str | int) -> Decimal | None:
    """Return a number whose exponent no decimal can hold, as intake decodes it: 0 or infinite; None if it is none."""
    try:
        return Decimal(float(text))
    except ValueError:
        return None


def _decode_data(decoder: msgspec.json.Decoder[_Data], text: msgspec.Raw) -> _Data:
    """Decode JSON in which a name may occur twice in an object; the last value counts, as in most parsers.

    A typed decoder validates every value, the overruled ones too, and would refuse `{"size": "x", "size": 1}`. So what
    it refuses is decoded again without types and converted. Raise `msgspec.DecodeError` if that fails as well.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError:
        return msgspec.convert(_UNTYPED_DECODER.decode(text), decoder.type)


def _parse_instant(text: str, pointer: str) -> datetime:
    try:
        return instants.parse(text)
    except ValueError as cause:
        raise UnreadableFact(pointer, str(cause)) from cause


def _translate_error(prefix: str, cause: msgspec.DecodeError | RecursionError) -> UnreadableFact:
    """Return the decoder's error with a JSON pointer: msgspec names the place as a JSON path after ` - at `."""
    message, _, path = str(cause).partition(" - at ")
    pointer = path.strip("`").replace("$", "", 1).replace(".", "/").replace("[", "/").replace("]", "")
    return UnreadableFact(prefix + pointer, message)
