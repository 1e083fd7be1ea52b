"""Reporting decodes assessments and attempts tolerantly, in UTC, and refuses what it cannot decode."""

import json
from datetime import UTC, datetime

import pytest

from services.reporting import event_decoder
from services.runtime.decoding import UnreadableRecordError
from services.runtime.kafka import event_origins
from tests.support.builders import plans
from tests.support.builders.wire_events import (
    ALERTED_DUTY,
    AT,
    an_acknowledgement_event,
    an_assessment_event,
    an_attempt_event,
    encode,
)


@pytest.mark.parametrize("without", [None, "source", "traceparent"])
def test_an_assessment_needs_no_attributes_but_type_and_id(without: str | None) -> None:
    """An assessment is stored although the envelope lacks what reporting does not store, or has an unknown field."""
    record = encode(an_assessment_event(mood="good"), without=without)
    recorded = event_decoder.decode_verdict(record)
    assert (recorded.assessment.event, recorded.assessment.revision, recorded.record) == ("e-1", 7, record)


def test_a_fact_is_decoded_with_its_origin() -> None:
    """It is what others read from the same record: when intake received it, and the trace that it belongs to."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = plans.a_submission(receivedtime="2024-12-01T12:00:00+07:00", traceparent=parent)
    for attributes in ({}, {"traceparent": 7}, {"tracestate": "a=1"}, {"receivedtime": "yesterday"}):
        record = json.dumps(event | attributes).encode()
        fact = event_decoder.decode_fact(record, recorded_at=datetime(2024, 12, 1, tzinfo=UTC))
        assert fact is not None
        assert fact.origin == event_origins.read_fact_origin(record)
    assert event_origins.read_fact_origin(json.dumps(event).encode()).trace is not None


@pytest.mark.parametrize("without", [None, "source", "traceparent"])
def test_an_attempt_needs_no_attributes_but_type_and_id(without: str | None) -> None:
    """An attempt is stored, once for each duty, although the envelope lacks what reporting does not store."""
    duties = [ALERTED_DUTY, ALERTED_DUTY | {"obligation": "plan"}]
    recorded = event_decoder.decode_delivery(encode(an_attempt_event(duties=duties), without=without))
    assert (recorded.event, [one.key.obligation for one in recorded.attempts]) == ("e-2", ["results", "plan"])


def test_an_acknowledgement_is_passed_over_and_nothing_else_for_it() -> None:
    """That an agency has read an alert bears on no figure; an attempt is none, nor is what only looks like one."""
    record = encode(an_acknowledgement_event(duties="whatever the notifier writes there"))
    assert event_decoder.find_attempt(record) is None
    assert event_decoder.find_attempt(encode(an_attempt_event())) is not None
    for other in (encode(an_acknowledgement_event(), without="id"), b"{", None):
        with pytest.raises(UnreadableRecordError):
            event_decoder.find_attempt(other)
    with pytest.raises(UnreadableRecordError, match="/type"):
        event_decoder.decode_delivery(record)


def test_instants_are_stored_in_utc() -> None:
    """The offset of the sender does not matter: the instants that are compared in the database are all in UTC."""
    local = "2026-12-01T09:00:00+07:00"
    assessment = event_decoder.decode_verdict(
        encode(an_assessment_event(recorded_at=local, timeline=[{"from": local, "status": "late"}]))
    ).assessment
    attempt = event_decoder.decode_delivery(encode(an_attempt_event(attempted_at=local)))
    instants = [assessment.recorded_at, assessment.timeline[0].from_at, attempt.attempted_at]
    assert [instant.isoformat() for instant in instants] == [datetime(2026, 12, 1, 2, tzinfo=UTC).isoformat()] * 3


def test_the_steps_of_an_assessment_are_not_decoded() -> None:
    """Reporting shows the status of duties; an alert that it does not know leaves the assessment readable."""
    record = encode(an_assessment_event(steps=[{"kind": "telegram"}]))
    assert event_decoder.decode_verdict(record).assessment.revision == 7


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (encode(an_assessment_event(revision="x")), "/data/revision"),
        (encode(an_assessment_event(recorded_at="2026-12-01T02:00:00")), "/data/recorded_at"),
        (encode(an_assessment_event(timeline=[{"from": AT, "status": "asleep"}])), "status"),
        (encode(an_assessment_event(), without="id"), "id"),
        (encode(an_assessment_event("vn.dondoc.other.v1")), "/type"),
        (b"{", "truncated"),
        (None, "no value"),
    ],
)
def test_an_invalid_assessment_is_an_error_that_names_its_place(record: bytes | None, place: str) -> None:
    """A wrong type, a time without offset, an unknown status, no id, another type and broken JSON are all refused."""
    with pytest.raises(UnreadableRecordError, match=place):
        event_decoder.decode_verdict(record)


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (encode(an_attempt_event(outcome="lost")), "/data/outcome"),
        (encode(an_attempt_event(attempted_at="2026-12-01T02:00:00")), "/data/attempted_at"),
        (encode(an_attempt_event("vn.dondoc.other.v1")), "/type"),
        (None, "no value"),
    ],
)
def test_an_invalid_attempt_is_an_error_that_names_its_place(record: bytes | None, place: str) -> None:
    """An unknown outcome, a time without offset, another type of event and nothing at all are refused."""
    with pytest.raises(UnreadableRecordError, match=place):
        event_decoder.decode_delivery(record)
