"""Rules writes what `schemas.events.assessments` describes: its structs are held to the published models."""

import json
from datetime import UTC, datetime

from schemas.events.assessments import ASSESSED, DutyAssessed
from schemas.events.envelope import Envelope
from services.rules import fact_decoder
from services.rules.assessment_event import LogPosition, encode_assessment
from services.rules.core.duty_catalogue import DutyCatalogue
from tests.support.builders import plans

AT = datetime(2024, 12, 1, 1, tzinfo=UTC)


def test_an_assessment_is_read_by_the_published_model_without_loss() -> None:
    """The published model knows every field of an assessment that rules has encoded, and of its segments and steps."""
    raw = _an_assessment_event()
    event = Envelope[DutyAssessed].model_validate_json(raw)
    assert (event.type, event.subject, event.data.revision) == (ASSESSED, "h-mot", 7)
    again = event.data.model_dump(mode="json", by_alias=True)
    written = json.loads(raw)["data"]
    assert set(again) == set(written)
    assert [set(one) - set(again["steps"][0]) for one in written["steps"]] == [set()] * len(written["steps"])
    assert [set(one) - set(again["timeline"][0]) for one in written["timeline"]] == [set()] * len(written["timeline"])


def test_an_assessment_is_the_same_bytes_for_the_same_facts() -> None:
    """The same facts are encoded to the same bytes, as nothing in an assessment comes from a clock or from chance."""
    assert _an_assessment_event() == _an_assessment_event()


def _an_assessment_event() -> bytes:
    catalogue = DutyCatalogue(plans.a_plan(), plans.a_registry())
    late = plans.a_submission(receivedtime="2024-12-11T08:00:00+07:00")
    facts = [fact_decoder.decode_fact(json.dumps(late).encode(), recorded_at=AT)]
    duty = catalogue.duty(agency="h-mot", obligation="results", period="2024")
    return encode_assessment(catalogue, duty, facts, position=LogPosition(offset=7, recorded_at=AT))
