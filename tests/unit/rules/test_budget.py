"""A record has a budget of work, counted and not timed; beyond it the record is rejected without a trace."""

from typing import Any

import pytest

from services.rules import assessment_event, processor
from services.rules.core import conditions
from services.rules.fact_validation import Rejection
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog, a_recorded_report

FIRST = plans.AGENCIES[0]


@pytest.fixture
def log() -> PartitionLog:
    """A log in which the usual plan is adopted."""
    log = PartitionLog()
    log.adopt()
    return log


def reject(log: PartitionLog, event: dict[str, Any]) -> str:
    """Append a record that is rejected, and return the kind; the state must be as before."""
    before = (log.processor.digest.records, log.processor.digest.hex())
    with pytest.raises(Rejection) as rejection:
        log.append(event)
    assert log.processor.drain_changes() == []
    assert (log.processor.digest.records, log.processor.digest.hex()) == before
    return rejection.value.kind


def a_report_with_long_id(number: int) -> dict[str, Any]:
    """Build a report of its own number, with an id of 1,024 characters."""
    event = f"{number:04d}".ljust(1_024, "x")
    return a_recorded_report(event, document={"number": f"{number}/BC", "issued_on": "2024-12-01", "signed_by": "A"})


def test_long_ids_make_no_assessment_larger_than_its_bound(log: PartitionLog) -> None:
    """Reports with ids of 1,024 characters are assessed as long as the evidence fits, and then rejected."""
    sizes: list[int] = []

    def append_all() -> None:
        for number in range(processor.MOST_FACTS_A_DUTY):
            received = f"2024-12-01T08:{number // 60:02d}:{number % 60:02d}Z"
            (assessed,) = log.append_raw(a_report_with_long_id(number) | {"receivedtime": received})
            sizes.append(len(assessed))

    with pytest.raises(Rejection) as rejection:
        append_all()
    assert rejection.value.kind == "oversized"
    assert max(sizes) < processor.LARGEST_ASSESSMENT_BYTES + 100_000
    assert len(sizes) > 50


def test_evidence_is_measured_before_an_assessment_is_encoded(
    log: PartitionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An assessment beyond the bound is never built: encoding it is not even begun."""
    for number in range(20):
        log.append(a_report_with_long_id(number))
    monkeypatch.setattr(processor, "LARGEST_ASSESSMENT_BYTES", 10_000)
    monkeypatch.setattr(assessment_event, "wire", None)
    assert reject(log, a_report_with_long_id(20)) == "oversized"


def test_facts_that_bear_on_one_duty_are_counted_over_all_periods(
    log: PartitionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A withdrawal makes the whole docket bear on each of its duties; beyond the limit it is rejected."""
    monkeypatch.setattr(processor, "MOST_FACTS_AN_ASSESSMENT", 3)
    for number, period in enumerate(("2021", "2022", "2023")):
        log.append(a_recorded_report(f"s-{number}", period=period))
    assert reject(log, plans.a_withdrawal("w-1", "s-1") | {"receivedtime": "2024-12-01T08:00:00Z"}) == "costly"
    assert len(log.append(a_recorded_report("s-9", period="2024"))) == 1


def test_a_fact_that_touches_all_periods_is_bounded_by_their_facts(
    log: PartitionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exemption has every period assessed anew, and is rejected where that reads too many facts."""
    exemption = plans.an_exemption("e-1", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
    recorded = exemption | {"receivedtime": "2024-12-01T08:00:00Z"}
    monkeypatch.setattr(processor, "MOST_FACTS_A_RECORD", 5)
    assert reject(log, recorded) == "costly"
    monkeypatch.setattr(processor, "MOST_FACTS_A_RECORD", 5_000)
    monkeypatch.setattr(processor, "LARGEST_EVENTS_BYTES", 2_000)
    assert reject(log, recorded) == "oversized"
    monkeypatch.undo()
    assert len(log.append(recorded)) == 11


@pytest.mark.parametrize(
    "other",
    [
        a_recorded_report("s-1", content={"nil_return": False, "sections": {"results": "other"}, "indicators": {}}),
        a_recorded_report("s-1", period="2023"),
        plans.a_withdrawal("s-1", "s-0") | {"receivedtime": "2024-12-01T08:00:00Z"},
    ],
)
def test_the_same_id_with_other_content_is_rejected(log: PartitionLog, other: dict[str, Any]) -> None:
    """The fact that was recorded first stays; the other one is a conflict, and counts for nothing."""
    log.append(a_recorded_report("s-1"))
    assert reject(log, other) == "conflict"
    (assessed,) = log.append(a_recorded_report("s-2"))
    assert assessed["timeline"][-1]["evidence"] == ["s-1", "s-2"]


def test_the_same_fact_received_again_is_no_conflict(log: PartitionLog) -> None:
    """Intake stamps an event anew that it no longer remembers; what it says is the same."""
    log.append(a_recorded_report("s-1"))
    assert log.append(a_recorded_report("s-1") | {"receivedtime": "2024-12-02T08:00:00+07:00"}) == []


def test_the_conditions_of_all_reports_of_a_duty_have_a_bound_together(
    log: PartitionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they cost at most is known from the plan alone, so it is counted before any is evaluated."""
    condition = "indicators.all(code, indicators[code] >= 0)"
    check = {"id": "c", "cel": condition, "message": {"vi": "Sai"}}
    version = plans.a_version(requires={"checks": [check]})
    costly = PartitionLog(plans.a_registry(), plans.a_plan(plans.an_obligation(version)))
    costly.adopt()
    monkeypatch.setattr(processor, "MOST_CONDITION_UNITS", 2 * conditions.cost_of(condition))
    for number in range(2):
        costly.append(a_recorded_report(f"s-{number}"))
    assert reject(costly, a_recorded_report("s-2")) == "costly"
    monkeypatch.setattr(processor, "MOST_CONDITION_UNITS", 0)
    assert len(log.append(a_recorded_report("s-0"))) == 1
