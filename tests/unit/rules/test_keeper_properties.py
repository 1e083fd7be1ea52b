"""Whatever the log holds: the same log says the same, a restore changes nothing, the order of facts changes no end."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from schemas.events.ids import DutyKey
from services.rules import fact_decoder, state_codec
from services.rules.core.assess import assess
from services.rules.core.docket import Docket
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog, a_report, facts_of_every_kind

FIRST = plans.AGENCIES[0]


@settings(max_examples=25)
@given(some.lists(some.integers(min_value=0, max_value=7), max_size=12))
def test_a_restored_keeper_goes_on_as_if_it_had_never_stopped(numbers: list[int]) -> None:
    """After any facts, what is said of the next one is the same byte for byte."""
    log = PartitionLog()
    log.adopt()
    facts = facts_of_every_kind()
    for number in numbers:
        log.raw(facts[number])
    restored = log.restored()
    last = json.dumps(a_report("s-last")).encode()
    log.offset += 1
    assert list(restored.apply(last, applied=log.applied)) == list(log.keeper.apply(last, applied=log.applied))


@settings(max_examples=25)
@given(some.lists(some.integers(min_value=0, max_value=7), max_size=12))
def test_the_same_log_gives_the_same_bytes(numbers: list[int]) -> None:
    """Replayed from the beginning, verdicts are identical."""
    facts = facts_of_every_kind()
    first, second = PartitionLog(), PartitionLog()
    assert first.adopt() == second.adopt()
    assert [first.raw(facts[one]) for one in numbers] == [second.raw(facts[one]) for one in numbers]


@settings(max_examples=25)
@given(some.permutations(range(8)))
def test_the_order_of_facts_changes_no_final_timeline(order: list[int]) -> None:
    """Whatever comes first, once all are known the duty stands as it stands."""
    facts = facts_of_every_kind()
    log, other = PartitionLog(), PartitionLog()
    for one in (log, other):
        one.adopt()
    last = [log.raw(fact) for fact in facts]
    moved = [other.raw(facts[number]) for number in order]
    assert _final(last) == _final(moved)


def test_states_are_read_back_as_they_were_written() -> None:
    """Every kind of fact survives its state record."""
    log = PartitionLog()
    log.adopt()
    for fact in facts_of_every_kind():
        log.raw(fact)
    known = log.keeper.known(DutyKey(plan="P-1", agency=FIRST, obligation="results", period="2024"))
    kept = {
        fact
        for key, value in log.changelog.items()
        if "|results|" in key
        for fact in map(repr, state_codec.read(value))
    }
    assert kept == {repr(fact) for fact in known}


@settings(max_examples=50)
@given(some.lists(some.sampled_from(range(12)), unique=True))
def test_the_facts_that_bear_on_a_duty_assess_it_as_the_whole_docket_does(numbers: list[int]) -> None:
    """Leaving out the reports of other years changes nothing, whatever withdrawals, moves and reliefs there are."""
    log = PartitionLog()
    log.adopt()
    whole = Docket()
    facts = [*facts_of_every_kind(), *(a_report(f"o-{year}", period=str(year)) for year in (2022, 2023, 2024, 2025))]
    for number in numbers:
        log.raw(facts[number])
        whole.add(fact_decoder.read_fact(json.dumps(facts[number]).encode(), recorded_at=log.applied.recorded_at))
    (book,) = log.books.all_latest()
    for period in ("2022", "2023", "2024", "2025"):
        duty = book.duty(agency=FIRST, obligation="results", period=period)
        assert assess(duty, log.keeper.known(duty.key)) == assess(duty, whole)


def _final(said: list[list[bytes]]) -> dict[str, Any]:
    """Return the last timeline told of each period."""
    told = [json.loads(value)["data"] for batch in said for value in batch]
    return {one["period"]: (one["timeline"], one["steps"]) for one in told}
