"""The msgspec structs of the events are held to the published models: the same fields, the same values, both ways."""

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.events import wire
from schemas.events.assessments import (
    ASSESSED,
    AlertStep,
    DutyAssessed,
    EventReference,
    ReturnedReport,
    Status,
    StepKind,
    SuccessorTerm,
    TimelineSegment,
)
from schemas.events.deliveries import DELIVERED, AlertAttempted, AlertedDuty, AttemptOutcome, Channel
from schemas.events.envelope import Envelope
from schemas.events.wire import (
    WireAlertAttempted,
    WireAlertedDuty,
    WireDutyAssessed,
    WireEvent,
    WireEventReference,
    WireReturnedReport,
    WireSegment,
    WireStep,
    WireSuccessor,
)

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
PAIRS: list[tuple[type[BaseModel], type[msgspec.Struct]]] = [
    (EventReference, WireEventReference),
    (TimelineSegment, WireSegment),
    (ReturnedReport, WireReturnedReport),
    (SuccessorTerm, WireSuccessor),
    (AlertStep, WireStep),
    (DutyAssessed, WireDutyAssessed),
    (AlertedDuty, WireAlertedDuty),
    (AlertAttempted, WireAlertAttempted),
]
ASSESSMENT_DECODER = msgspec.json.Decoder(WireEvent[WireDutyAssessed])
ATTEMPT_DECODER = msgspec.json.Decoder(WireEvent[WireAlertAttempted])
ONLY_INTAKE_WRITES = {"dataschema", "receivedtime", "receiptid", "dispatchproof"}

texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
maybe = st.none() | texts
numbers = st.integers(0, 2**31)
instants = st.datetimes(timezones=st.just(UTC))
maybe_instants = st.none() | instants
tuples_of_texts = st.lists(texts, max_size=2).map(tuple)
segments = st.builds(
    TimelineSegment,
    from_=instants,
    status=st.sampled_from(Status),
    due_at=maybe_instants,
    effective_at=maybe_instants,
    submissions=numbers,
    flags=tuples_of_texts,
    missing=tuples_of_texts,
    evidence=tuples_of_texts,
    standing=st.none() | st.builds(EventReference, source=texts, id=texts),
    returns=numbers,
    respond_by=maybe_instants,
)
steps = st.builds(
    AlertStep,
    kind=st.sampled_from(StepKind),
    step=texts,
    at=instants,
    due_at=maybe_instants,
    to=texts,
    every=maybe,
    until=maybe_instants,
    returned=st.none() | st.builds(ReturnedReport, submission=texts, reason=texts, respond_by=maybe_instants),
    passes_at=maybe_instants,
    successors=st.lists(st.builds(SuccessorTerm, agency=texts, from_=instants, until=maybe_instants), max_size=2).map(
        tuple
    ),
)
assessments = st.builds(
    DutyAssessed,
    plan=texts,
    plan_version=numbers,
    registry=texts,
    registry_version=numbers,
    agency=texts,
    obligation=texts,
    period=maybe,
    clause=texts,
    opens_at=maybe_instants,
    recorded_at=instants,
    revision=numbers,
    timeline=st.lists(segments, max_size=3).map(tuple),
    steps=st.lists(steps, max_size=3).map(tuple),
)
duties = st.builds(
    AlertedDuty,
    plan=texts,
    agency=texts,
    obligation=texts,
    period=maybe,
    kind=st.sampled_from(StepKind),
    step=texts,
    due_at=maybe_instants,
)
attempts = st.builds(
    AlertAttempted,
    alert=texts,
    channel=st.sampled_from(Channel),
    to_agency=texts,
    kind=st.sampled_from(StepKind),
    step=texts,
    duties=st.lists(duties, max_size=2).map(tuple),
    attempt=numbers,
    outcome=st.sampled_from(AttemptOutcome),
    reason=maybe,
    attempted_at=instants,
    message_id=maybe,
    segments=st.none() | numbers,
)


@pytest.mark.parametrize(("model", "struct"), PAIRS, ids=lambda one: one.__name__)
def test_a_struct_has_the_fields_of_its_model(model: type[BaseModel], struct: type[msgspec.Struct]) -> None:
    """Each published field has a field in the struct, with the same name in JSON and in the same order."""
    published = [field.alias or name for name, field in model.model_fields.items()]
    assert list(struct.__struct_encode_fields__) == published


def test_the_envelope_has_the_fields_that_rules_and_the_notifier_write() -> None:
    """Only the attributes that intake adds to facts have no field in the struct."""
    assert set(Envelope.model_fields) - set(WireEvent.__struct_encode_fields__) == ONLY_INTAKE_WRITES


@given(event=st.builds(Envelope[DutyAssessed], id=names, source=names, type=st.just(ASSESSED), data=assessments))
def test_every_assessment_comes_back_from_the_struct(event: Envelope[DutyAssessed]) -> None:
    """What the model writes the struct reads, and what the struct writes the model reads, without a loss."""
    decoded = ASSESSMENT_DECODER.decode(event.model_dump_json(by_alias=True).encode())
    assert Envelope[DutyAssessed].model_validate_json(wire.encode(decoded)) == event


@given(event=st.builds(Envelope[AlertAttempted], id=names, source=names, type=st.just(DELIVERED), data=attempts))
def test_every_attempt_comes_back_from_the_struct(event: Envelope[AlertAttempted]) -> None:
    """What the model writes the struct reads, and what the struct writes the model reads, without a loss."""
    decoded = ATTEMPT_DECODER.decode(event.model_dump_json(by_alias=True).encode())
    assert Envelope[AlertAttempted].model_validate_json(wire.encode(decoded)) == event


def test_the_example_of_an_assessment_is_written_again_to_the_letter() -> None:
    """Decoding and encoding the published example gives the same JSON value."""
    example = _example(ASSESSED)
    decoded = ASSESSMENT_DECODER.decode(json.dumps(example).encode())
    assert json.loads(wire.encode(decoded)) == example


def test_the_example_of_an_attempt_comes_back_from_the_struct() -> None:
    """Decoding and encoding the published example gives an event that the model reads as the same."""
    example = json.dumps(_example(DELIVERED)).encode()
    decoded = ATTEMPT_DECODER.decode(example)
    model = Envelope[AlertAttempted]
    assert model.model_validate_json(wire.encode(decoded)) == model.model_validate_json(example)


def _example(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return event
