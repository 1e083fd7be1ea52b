"""Properties of a processor: a log determines its output, a restore changes nothing, the order of facts no outcome."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from services.rules import fact_decoder
from services.rules.core.assess import assess
from services.rules.core.facts import Docket
from services.rules.state import state_store
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog, a_recorded_report, facts_of_every_kind

FIRST = plans.AGENCIES[0]


@settings(max_examples=25)
@given(some.lists(some.integers(min_value=0, max_value=7), max_size=12))
def test_a_restored_processor_goes_on_as_if_it_had_never_stopped(numbers: list[int]) -> None:
    """After any facts, a restored processor answers the next record with the same bytes as the original."""
    log = PartitionLog()
    log.adopt()
    facts = facts_of_every_kind()
    for number in numbers:
        log.append_raw(facts[number])
    restored = log.restore_processor()
    last = fact_decoder.decode_fact(json.dumps(a_recorded_report("s-last")).encode())
    log.offset += 1
    assert list(restored.process(last, position=log.position)) == list(
        log.processor.process(last, position=log.position)
    )


@settings(max_examples=25)
@given(some.lists(some.integers(min_value=0, max_value=7), max_size=12))
def test_the_same_log_gives_the_same_bytes(numbers: list[int]) -> None:
    """A log that is processed twice from its beginning leads to identical assessments."""
    facts = facts_of_every_kind()
    first, second = PartitionLog(), PartitionLog()
    assert first.adopt() == second.adopt()
    assert [first.append_raw(facts[one]) for one in numbers] == [second.append_raw(facts[one]) for one in numbers]


@settings(max_examples=25)
@given(some.permutations(range(8)))
def test_the_order_of_facts_changes_no_final_timeline(order: list[int]) -> None:
    """The last assessment of each period is the same in whatever order the facts lie in the log."""
    facts = facts_of_every_kind()
    log, other = PartitionLog(), PartitionLog()
    for one in (log, other):
        one.adopt()
    in_order = [log.append_raw(fact) for fact in facts]
    permuted = [other.append_raw(facts[number]) for number in order]
    assert _final_outcomes(in_order) == _final_outcomes(permuted)


def test_states_are_decoded_as_they_were_encoded() -> None:
    """A fact of every kind is the same after its state record was encoded and decoded."""
    log = PartitionLog()
    log.adopt()
    for fact in facts_of_every_kind():
        log.append_raw(fact)
    (catalogue,) = log.catalogues.all_latest()
    known = log.processor.facts_bearing_on(catalogue.duty(agency=FIRST, obligation="results", period="2024"))
    decoded = {
        fact
        for key, value in log.changelog.items()
        if "|results|" in key
        for fact in map(repr, state_store.decode_facts(value))
    }
    assert decoded == {repr(fact) for fact in known}


@settings(max_examples=50)
@given(some.lists(some.sampled_from(range(12)), unique=True))
def test_the_facts_that_bear_on_a_duty_assess_it_as_the_whole_docket_does(numbers: list[int]) -> None:
    """Leaving out the reports of other years changes nothing, whatever withdrawals, moves and reliefs there are."""
    log = PartitionLog()
    log.adopt()
    whole = Docket()
    reports = (a_recorded_report(f"o-{year}", period=str(year)) for year in (2022, 2023, 2024, 2025))
    facts = [*facts_of_every_kind(), *reports]
    for number in numbers:
        log.append_raw(facts[number])
        whole.add(fact_decoder.decode_fact(json.dumps(facts[number]).encode(), recorded_at=log.position.recorded_at))
    (catalogue,) = log.catalogues.all_latest()
    for period in ("2022", "2023", "2024", "2025"):
        duty = catalogue.duty(agency=FIRST, obligation="results", period=period)
        assert assess(duty, log.processor.facts_bearing_on(duty)) == assess(duty, whole)


def _final_outcomes(batches: list[list[bytes]]) -> dict[str, Any]:
    """Return the last timeline and steps of each period."""
    assessed = [json.loads(value)["data"] for batch in batches for value in batch]
    return {one["period"]: (one["timeline"], one["steps"]) for one in assessed}
