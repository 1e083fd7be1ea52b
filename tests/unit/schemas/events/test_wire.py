"""Events are decoded tolerantly: unknown fields are ignored, other types are passed over, errors name their place."""

import json
from typing import Any

import msgspec
import pytest

from schemas.events import wire
from schemas.events.assessments import ASSESSED, Status
from schemas.events.deliveries import DELIVERED
from schemas.events.wire import WireSegment

AT = "2026-12-01T02:00:00Z"
ASSESSMENT: dict[str, Any] = {
    "plan": "P-1",
    "plan_version": 1,
    "registry": "th",
    "registry_version": 1,
    "agency": "h-mot",
    "obligation": "results",
    "clause": "III.1",
    "recorded_at": AT,
    "revision": 7,
    "timeline": [{"from": AT, "status": "pending"}],
}


def an_event(kind: str = ASSESSED, **data: Any) -> bytes:
    """An event of that type as another producer may write it."""
    event = {"id": "e-1", "source": "dondoc/rules", "type": kind, "data": ASSESSMENT | data, "traceparent": "00-1"}
    return json.dumps(event).encode()


def test_unknown_fields_are_ignored() -> None:
    """A producer may add fields to the envelope and to the data without breaking a consumer."""
    event = wire.decode_assessment(an_event(mood="good"))
    assert event is not None
    assert (event.id, event.data.revision, event.data.timeline[0].status) == ("e-1", 7, Status.PENDING)


def test_absent_optional_fields_have_their_defaults() -> None:
    """An event without period, opening instant and steps is read as one that has none."""
    event = wire.decode_assessment(an_event())
    assert event is not None
    assert (event.data.period, event.data.opens_at, event.data.steps) == (None, None, ())


def test_an_event_of_another_type_is_none() -> None:
    """A consumer passes over an event of another type, whether or not its data happens to fit."""
    assert wire.decode_assessment(an_event("vn.dondoc.other.v1")) is None
    assert wire.decode_assessment(an_event("vn.dondoc.other.v1", revision="x")) is None
    assert wire.decode_attempt(an_event(ASSESSED)) is None


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (an_event(revision="x"), "$.data.revision"),
        (an_event(recorded_at="2026-12-01T02:00:00"), "$.data.recorded_at"),
        (an_event(timeline=[{"from": AT, "status": "asleep"}]), "status"),
        (an_event(DELIVERED).replace(DELIVERED.encode(), ASSESSED.encode()).replace(b'"plan"', b'"plans"'), "plan"),
        (b"{", "truncated"),
    ],
)
def test_an_invalid_assessment_is_an_error_that_names_its_place(event: bytes, place: str) -> None:
    """A wrong type, a time without offset, an unknown status and broken JSON are all refused."""
    with pytest.raises(msgspec.DecodeError, match=place.replace("$", r"\$")):
        wire.decode_assessment(event)


def test_a_segment_leaves_its_defaults_out() -> None:
    """Most segments have no flags, no missing parts and no evidence, so the event stays small."""
    segment = msgspec.json.decode(b'{"from":"2026-12-01T02:00:00Z","status":"late"}', type=WireSegment)
    assert msgspec.json.encode(segment) == b'{"from":"2026-12-01T02:00:00Z","status":"late"}'
