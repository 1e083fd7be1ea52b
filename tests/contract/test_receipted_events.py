"""What intake gives a receipt for can be read by every consumer, and so can what rules concludes from it."""

import random
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events.facts import MODEL_OF
from services.console.support.inputs import read_plan_folder
from services.intake.cloudevents import pipeline
from services.intake.core.admission import AcceptedEvent
from services.intake.dedup import entry_decoder
from services.rules import assessment_event, fact_decoder
from services.rules.assessment_event import LogPosition
from services.rules.core import facts
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Exemption, Revocation
from services.runtime.decoding import LEVELS_MAX
from tests.fuzz import mutation
from tests.support.assertions.decoding import RECEIVED, ROOT, RequestChecker, seeds
from tests.support.hostile import readers, records
from tests.support.hostile.sending import NOW

SEEDS = [text for name, text in seeds() if name.rpartition("-")[0] in MODEL_OF]
SIZE_MAX = 64 * 1024


@lru_cache
def catalogue() -> DutyCatalogue:
    """Return the duties of plan 6766."""
    return read_plan_folder(ROOT / "deploy" / "plans" / "6766-kh-ubnd")


@pytest.fixture(scope="module")
def checker() -> RequestChecker:
    """Return a checker that validates as intake does."""
    return RequestChecker()


@pytest.mark.parametrize("text", SEEDS)
def test_the_published_examples_are_read_by_all(checker: RequestChecker, text: bytes) -> None:
    """Each example that intake accepts is read by rules, by reporting and by intake's own log reader."""
    accepted = checker.check(text)
    assert accepted
    for one in accepted:
        assert_read_by_all(one)


@pytest.mark.parametrize(("levels", "is_accepted"), [(LEVELS_MAX - 2, True), (LEVELS_MAX - 1, False), (971, False)])
def test_what_is_too_deep_for_a_consumer_gets_no_receipt(
    checker: RequestChecker, levels: int, *, is_accepted: bool
) -> None:
    """An unknown attribute, two levels down in its event, is as deep as all consumers read, or is refused by intake."""
    text = next(text for text in SEEDS if text.startswith(b"structured") and b"report.submitted" in text)
    accepted = checker.check(text.replace(b'"data": {', b'"data": {"zz": ' + records.nest(levels).encode() + b",", 1))
    assert len(accepted) == is_accepted
    for one in accepted:
        assert_read_by_all(one)


@settings(max_examples=600)
@given(text=st.sampled_from(SEEDS), seed=st.integers(0, 2**32), rounds=st.integers(1, 3))
def test_whatever_is_receipted_is_read_by_all(checker: RequestChecker, text: bytes, seed: int, rounds: int) -> None:
    """A mutated request is refused, or its records and the verdicts on them are read by every consumer."""
    for round_ in range(rounds):
        text = mutation.mutate_request(text, SIZE_MAX, seed + round_, _change_a_byte)
    for one in checker.check(text):
        assert_read_by_all(one)


def assert_read_by_all(accepted: AcceptedEvent) -> None:
    """Assert that all consumers read the record of *accepted*, and that what rules concludes from it is read too."""
    value = pipeline.build_record(accepted, RECEIVED).value
    assert entry_decoder.decode_entry(value) is not None
    assert readers.read_fact(value) is not None
    received = fact_decoder.decode_fact(value)
    if received.plan != catalogue().plan.plan:
        return
    fact = catalogue().resolve_names(received)
    if isinstance(fact, Exemption | Revocation):
        return  # about no one duty
    duty = catalogue().duty(agency=fact.agency, obligation=fact.obligation, period=facts.record_period(fact))
    position = LogPosition(offset=1, recorded_at=NOW)
    verdict = assessment_event.encode_assessment(catalogue(), duty, [fact], position=position)
    readers.read_verdict(verdict)
    assert readers.read_assessment(verdict) is not None


def _change_a_byte(text: bytes, _size_max: int) -> bytes:
    chance = random.Random(len(text))  # noqa: S311 - an arbitrary place, the same at each run
    at = chance.randrange(len(text) + 1)
    return text[:at] + bytes([chance.randrange(256)]) + text[at + 1 :]
