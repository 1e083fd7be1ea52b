"""The events of rules and the notifier as msgspec structs: fast to encode, fast and tolerant to decode.

The structs mirror the pydantic models of `assessments`, `deliveries` and `envelope`, which define the JSON Schemas; a
contract test holds the two to each other. Decoding ignores unknown fields, so a producer may add some. Encoding writes
the fields in their order here, and the same values give the same bytes.
"""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec

from schemas.events.assessments import ASSESSED, Status, StepKind
from schemas.events.deliveries import DELIVERED, AttemptOutcome, Channel

Data = TypeVar("Data")

# An instant with its offset (RFC 3339). A time without one would mean another instant in each time zone.
OffsetDatetime = Annotated[datetime, msgspec.Meta(tz=True)]


class WireSegment(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename={"starts_at": "from"}
):
    """A segment of a timeline, `TimelineSegment`: the status from `starts_at` until the next segment begins."""

    starts_at: OffsetDatetime
    status: Status
    due_at: OffsetDatetime | None = None
    effective_at: OffsetDatetime | None = None
    submissions: int = 0
    flags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class WireStep(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert that a duty calls for, `AlertStep`."""

    kind: StepKind
    step: str
    at: OffsetDatetime
    due_at: OffsetDatetime | None = None
    to: str = "self"
    every: str | None = None
    until: OffsetDatetime | None = None


class WireDutyAssessed(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an assessment, `DutyAssessed`."""

    plan: str
    plan_version: int
    registry: str
    registry_version: int
    agency: str
    obligation: str
    period: str | None = None
    clause: str
    opens_at: OffsetDatetime | None = None
    recorded_at: OffsetDatetime
    revision: int
    timeline: tuple[WireSegment, ...]
    steps: tuple[WireStep, ...] = ()


class WireAlertedDuty(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A duty that an alert is about, `AlertedDuty`."""

    plan: str
    agency: str
    obligation: str
    period: str | None = None
    kind: StepKind
    step: str
    due_at: OffsetDatetime | None = None


class WireAlertAttempted(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an attempt at an alert, `AlertAttempted`."""

    alert: str
    channel: Channel
    to_agency: str
    kind: StepKind
    step: str
    duties: tuple[WireAlertedDuty, ...]
    attempt: int
    outcome: AttemptOutcome
    reason: str | None = None
    attempted_at: OffsetDatetime
    message_id: str | None = None
    segments: int | None = None


class WireEvent(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """The CloudEvents envelope, `Envelope`, as rules and the notifier write it."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str | None = None
    time: OffsetDatetime | None = None
    datacontenttype: str = "application/json"
    data: Data


class _EventType(msgspec.Struct):
    type: str


_ENCODER = msgspec.json.Encoder()
_TYPE = msgspec.json.Decoder(_EventType)
_ASSESSMENT = msgspec.json.Decoder(WireEvent[WireDutyAssessed])
_ATTEMPT = msgspec.json.Decoder(WireEvent[WireAlertAttempted])


def encode(event: WireEvent[Data]) -> bytes:
    """Encode *event* as one line of JSON."""
    return _ENCODER.encode(event)


def decode_assessment(record: bytes) -> WireEvent[WireDutyAssessed] | None:
    """Decode an assessment; return None for an event of another type, raise `msgspec.DecodeError` if it is invalid."""
    return _decode_type(_ASSESSMENT, record, ASSESSED)


def decode_attempt(record: bytes) -> WireEvent[WireAlertAttempted] | None:
    """Decode an attempt; return None for an event of another type, raise `msgspec.DecodeError` if it is invalid."""
    return _decode_type(_ATTEMPT, record, DELIVERED)


def _decode_type(decoder: msgspec.json.Decoder[WireEvent[Data]], record: bytes, name: str) -> WireEvent[Data] | None:
    """Decode the whole event first: nearly every record is of the one type, and one pass is half the work of two."""
    try:
        event = decoder.decode(record)
    except msgspec.ValidationError:
        if _TYPE.decode(record).type != name:
            return None
        raise
    return event if event.type == name else None
