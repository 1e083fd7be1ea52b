"""The notifier decodes assessments tolerantly, passes over other events, and refuses what it cannot decode."""

import pytest

from schemas.events.assessments import ASSESSED, Status
from schemas.events.deliveries import DELIVERED
from services.notifier.consumer import decode_assessment
from services.runtime.decoding import UnreadableRecordError
from tests.support.builders.wire_events import AT, an_assessment_event, encode


@pytest.mark.parametrize("without", [None, "id", "source", "traceparent"])
def test_an_assessment_needs_no_attribute_but_its_type(without: str | None) -> None:
    """An alert goes out although the envelope lacks what the notifier does not use, or has a field that it ignores."""
    assessment = decode_assessment(encode(an_assessment_event(mood="good"), without=without))
    assert assessment is not None
    assert (assessment.duty.agency, assessment.revision, assessment.timeline[0].status) == ("h-mot", 7, Status.PENDING)


def test_absent_optional_fields_have_their_defaults() -> None:
    """An assessment without period and steps is decoded as one that has none."""
    assessment = decode_assessment(encode(an_assessment_event()))
    assert assessment is not None
    assert (assessment.duty.period, assessment.timeline[0].due_at, assessment.alerts) == (None, None, ())


def test_of_the_flags_those_are_kept_that_ask_for_a_review() -> None:
    """The officer is told of them; all others would only make each schedule longer."""
    flagged = [{"from": AT, "status": "late", "flags": ["past_due", "needs_reconciliation", "accepted"]}]
    assessment = decode_assessment(encode(an_assessment_event(timeline=flagged)))
    assert assessment is not None
    assert assessment.timeline[0].flags == ("needs_reconciliation", "accepted")


def test_an_event_of_another_type_is_none() -> None:
    """An event of another type is passed over, whether or not its data happens to fit."""
    assert decode_assessment(encode(an_assessment_event("vn.dondoc.other.v1"))) is None
    assert decode_assessment(encode(an_assessment_event("vn.dondoc.other.v1", revision="x"))) is None


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (encode(an_assessment_event(revision="x")), "/data/revision"),
        (encode(an_assessment_event(recorded_at="2026-12-01T02:00:00")), "/data/recorded_at"),
        (encode(an_assessment_event(timeline=[{"from": AT, "status": "asleep"}])), "status"),
        (
            encode(an_assessment_event(DELIVERED))
            .replace(DELIVERED.encode(), ASSESSED.encode())
            .replace(b'"plan"', b'"plans"'),
            "plan",
        ),
        (encode(an_assessment_event(), without="type"), "type"),
        (b"{", "truncated"),
        (None, "no value"),
    ],
)
def test_an_invalid_assessment_is_an_error_that_names_its_place(record: bytes | None, place: str) -> None:
    """A wrong type, a time without offset, an unknown status, an absent field, broken JSON and nothing are refused."""
    with pytest.raises(UnreadableRecordError, match=place):
        decode_assessment(record)
