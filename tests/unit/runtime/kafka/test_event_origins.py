"""What follows from an event keeps when it was received, and the trace; what cannot be read costs nothing else."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from schemas.events.event_origin import NO_ORIGIN, TraceContext
from services.runtime.kafka import event_origins

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
RECEIVED = datetime(2026, 12, 8, 16, 59, 59, 250_000, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A record of the verdicts, as far as its origin goes."""

    topic: str = "dondoc.verdicts.v1"
    partition: int = 0
    offset: int = 7
    timestamp: int = int(RECEIVED.timestamp() * 1000) + 40
    key: bytes | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def test_the_origin_of_a_fact_goes_on_with_its_verdict() -> None:
    """The time of receipt as a header of the record, to the millisecond; the trace in the event."""
    fact = {"receivedtime": "2026-12-08T23:59:59.250+07:00", "traceparent": PARENT, "tracestate": "a=1"}
    origin = event_origins.read_fact_origin(json.dumps(fact).encode())
    assert (origin.received_at, origin.trace) == (RECEIVED, TraceContext(parent=PARENT, state="a=1"))
    followed = event_origins.read_verdict_origin(Verdict(headers=event_origins.encode_headers(origin)), origin.trace)
    assert (followed.received_at, followed.trace) == (RECEIVED, origin.trace)
    assert followed.assessed_at is not None
    assert (followed.assessed_at - RECEIVED).total_seconds() == pytest.approx(0.04)


@pytest.mark.parametrize(
    "value",
    [None, b"no event", b"[]", b'{"receivedtime": 7}', b'{"receivedtime": "yesterday"}', b'{"traceparent": "00-x"}'],
)
def test_what_cannot_be_read_has_no_origin(value: bytes | None) -> None:
    """Whether the record is a fact at all is decided elsewhere."""
    assert event_origins.read_fact_origin(value) == NO_ORIGIN
    assert event_origins.encode_headers(NO_ORIGIN) == []


@pytest.mark.parametrize("header", [b"", b"\xff", b"tomorrow"])
def test_a_header_that_is_no_instant_is_left_out(header: bytes) -> None:
    """Anybody who may write to the topic may write any header."""
    found = event_origins.read_verdict_origin(Verdict(headers=[(event_origins.RECEIVED_HEADER, header)], timestamp=-1))
    assert found.received_at is None
