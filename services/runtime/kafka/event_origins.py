"""Reads from a record what follows from its event keeps of it, and writes it where consumers look for it.

On a fact it stands in the event. On a verdict the trace does too, while the time of receipt is a header of the record:
the bytes of a verdict derive from facts alone, and a verdict that is written again must be the same.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from schemas.events import event_origin
from schemas.events.event_origin import NO_ORIGIN, EventOrigin, TraceContext
from services.runtime import decoding
from services.runtime.decoding import RecordDecoder, UnreadableRecordError
from services.runtime.kafka.dead_letters import ConsumedRecord

RECEIVED_HEADER = "receivedtime"

Headers = list[tuple[str, bytes]]  # aiokafka takes no other sequence


class _Attributes(msgspec.Struct, frozen=True, gc=False):
    receivedtime: Any = None
    traceparent: Any = None
    tracestate: Any = None


_DECODER = RecordDecoder[_Attributes](_Attributes)
_encode = msgspec.json.Encoder().encode


def read_fact_origin(value: bytes | None) -> EventOrigin:
    """Return the origin of what follows from the fact in *value*; an empty one where it cannot be read."""
    try:
        attributes = _DECODER.decode(value)
    except UnreadableRecordError:
        return NO_ORIGIN
    return build_origin(attributes.receivedtime, attributes.traceparent, attributes.tracestate)


def build_origin(receivedtime: object, traceparent: object, tracestate: object) -> EventOrigin:
    """Return the origin of what follows from a fact with these attributes; what is not of their form is left out."""
    return EventOrigin(
        received_at=_read_instant(receivedtime),
        # Most facts have none, and rules reads hundreds of them a second.
        trace=None if traceparent is None else event_origin.read_trace(traceparent, tracestate),
    )


def read_verdict_origin(record: ConsumedRecord, trace: TraceContext | None = None) -> EventOrigin:
    """Return the origin of the verdict in *record*, whose event belongs to *trace*."""
    try:
        assessed_at = decoding.read_timestamp(record)
    except UnreadableRecordError:
        assessed_at = None
    return EventOrigin(received_at=_read_instant(_find_header(record.headers)), assessed_at=assessed_at, trace=trace)


def encode_headers(origin: EventOrigin) -> Headers:
    """Return the headers of a verdict that follows from *origin*."""
    if origin.received_at is None:
        return []
    return [(RECEIVED_HEADER, _encode(origin.received_at)[1:-1])]  # JSON without its quotation marks


def _find_header(headers: Iterable[tuple[str, bytes]]) -> object:
    return next((value.decode("ascii", "replace") for name, value in headers if name == RECEIVED_HEADER), None)


def _read_instant(text: object) -> datetime | None:
    try:
        return decoding.read_instant(text, "") if isinstance(text, str) else None
    except UnreadableRecordError:
        return None
