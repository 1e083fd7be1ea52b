"""A processor answers each record once, and rejects a record that cannot be processed without a trace of it."""

from datetime import timedelta
from typing import Any

import pytest

from services.rules import plan_adopter, processor
from services.rules.fact_validation import Rejection
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog, a_recorded_report

FIRST, SECOND, _ = plans.AGENCIES


@pytest.fixture
def log() -> PartitionLog:
    """A log in which the usual plan is adopted."""
    log = PartitionLog()
    log.adopt()
    return log


def test_an_adoption_assesses_every_duty_that_opens_before_the_horizon() -> None:
    """An adoption assesses all three agencies from 2016 to the year of the horizon, though none has reported."""
    assessed = PartitionLog().adopt()
    assert {one["agency"] for one in assessed} == set(plans.AGENCIES)
    assert {one["period"] for one in assessed} == {str(year) for year in range(2016, 2027)}


def test_a_repeated_fact_leads_to_nothing(log: PartitionLog) -> None:
    """A second record with the same source and id leads to no assessment and changes no state."""
    assert len(log.append(a_recorded_report())) == 1
    assert log.append(a_recorded_report()) == []
    assert log.processor.drain_changes() == []


def test_a_repeated_adoption_leads_to_nothing(log: PartitionLog) -> None:
    """A second adoption of the same versions and horizon, by a fenced owner or a replica, assesses nothing."""
    assert log.adopt() == []


def test_a_moved_horizon_assesses_only_the_duties_it_adds(log: PartitionLog) -> None:
    """An adoption a year later assesses one more year of each agency and nothing else."""
    assessed = log.adopt(now=NOON + timedelta(days=366))
    assert {one["period"] for one in assessed} == {"2027"}


def test_a_fact_before_the_adoption_is_held_and_counts_then() -> None:
    """A fact about a published plan that is not adopted yet is kept, and the adoption assesses its duty with it."""
    log = PartitionLog()
    assert log.append(a_recorded_report()) == []
    (assessed,) = [one for one in log.adopt() if (one["agency"], one["period"]) == (FIRST, "2024")]
    assert assessed["timeline"][-1]["status"] == "on_time"


def test_a_fact_about_an_agency_of_a_later_registry_is_held_until_its_adoption(log: PartitionLog) -> None:
    """A fact that only a later registry version knows is kept: intake may know the version before the partition."""
    agencies = [*plans.a_registry().agencies, plans.an_agency("h-moi")]
    log.documents.publish(plans.a_registry(*agencies, version=2))
    assert log.append(a_recorded_report(agency="h-moi")) == []
    (assessed,) = [one for one in log.adopt() if (one["agency"], one["period"]) == ("h-moi", "2024")]
    assert (assessed["registry_version"], assessed["timeline"][-1]["status"]) == (2, "on_time")


def test_an_older_version_is_never_adopted_over_a_newer(log: PartitionLog) -> None:
    """An adoption of an older version by a replica whose documents lag behind changes nothing."""
    (old,) = log.catalogues.all_latest()
    log.documents.publish(plans.a_plan(version=2))
    log.adopt()
    late = plan_adopter.plan_adoption(old, partition=0, now=NOON + timedelta(days=400))
    assert log.append(plan_adopter.encode_adoption_event(late, now=NOON)) == []
    assert log.processor.adoptions["P-1"].plan_version == 2


@pytest.mark.parametrize(
    "event, kind",
    [
        (None, "unreadable"),
        (b"{", "unreadable"),
        (a_recorded_report(plan="P-9"), "unknown"),
        (a_recorded_report(agency="nobody"), "unknown"),
        (a_recorded_report(period="2024-Q1"), "unknown"),
    ],
)
def test_a_record_that_cannot_be_processed_is_rejected_without_a_trace(
    log: PartitionLog, event: Any, kind: str
) -> None:
    """A rejection names its kind, and the processor's state does not change."""
    before = dict(log.changelog)
    with pytest.raises(Rejection) as rejection:
        log.append(event)
    assert (rejection.value.kind, log.processor.drain_changes()) == (kind, [])
    assert log.changelog == before


def test_a_duty_takes_only_so_many_facts(log: PartitionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts beyond the limit of one duty are rejected, and a duty of another year still takes facts."""
    monkeypatch.setattr(processor, "MOST_FACTS_A_DUTY", 2)
    log.append(a_recorded_report("s-1"))
    log.append(a_recorded_report("s-2"))
    with pytest.raises(Rejection) as rejection:
        log.append(a_recorded_report("s-3"))
    assert rejection.value.kind == "oversized"
    assert len(log.append(a_recorded_report("s-4", period="2023"))) == 1


def test_a_rejected_fact_takes_no_room_in_its_duty(log: PartitionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact too large for its duty is rejected, and a smaller one after it is still taken."""
    log.append(a_recorded_report("s-1"))
    monkeypatch.setattr(processor, "LARGEST_DUTY_BYTES", 3_000)
    with pytest.raises(Rejection, match=r"holds 1 facts; with this one, its record has"):
        log.append(a_recorded_report("s-2", content={"sections": {"results": "x" * 3_000}}))
    (assessed,) = log.append(a_recorded_report("s-3"))
    assert assessed["timeline"][-1]["evidence"] == ["s-1", "s-3"]
