"""What rules writes is what `schemas.events.assessments` says: the fast structs are held to the published models."""

import json
from datetime import UTC, datetime

from schemas.events.assessments import ASSESSED, DutyAssessed
from schemas.events.envelope import Envelope
from services.rules import fact_decoder
from services.rules.assessment_event import LogPosition, encode_assessment
from services.rules.core.duty_catalogue import DutyCatalogue
from tests.support.builders import plans

AT = datetime(2024, 12, 1, 1, tzinfo=UTC)


def test_a_verdict_is_read_back_by_the_published_model_without_loss() -> None:
    """Every field written is known to the model, and the model writes the same values again."""
    raw = _a_verdict()
    event = Envelope[DutyAssessed].model_validate_json(raw)
    assert (event.type, event.subject, event.data.revision) == (ASSESSED, "h-mot", 7)
    again = event.data.model_dump(mode="json", by_alias=True)
    told = json.loads(raw)["data"]
    assert set(again) == set(told)
    assert [set(one) - set(again["steps"][0]) for one in told["steps"]] == [set()] * len(told["steps"])
    assert [set(one) - set(again["timeline"][0]) for one in told["timeline"]] == [set()] * len(told["timeline"])


def test_a_verdict_is_the_same_bytes_for_the_same_facts() -> None:
    """Nothing in it comes from a clock or from chance."""
    assert _a_verdict() == _a_verdict()


def _a_verdict() -> bytes:
    book = DutyCatalogue(plans.a_plan(), plans.a_registry())
    late = plans.a_submission(receivedtime="2024-12-11T08:00:00+07:00")
    facts = [fact_decoder.decode_fact(json.dumps(late).encode(), recorded_at=AT)]
    duty = book.duty(agency="h-mot", obligation="results", period="2024")
    return encode_assessment(book, duty, facts, position=LogPosition(offset=7, recorded_at=AT))
