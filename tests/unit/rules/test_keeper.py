"""What one partition knows and says: once each, refusing what cannot be applied without a trace of it."""

from datetime import timedelta
from typing import Any

import pytest

from services.rules import adoption, processor
from services.rules.fact_validation import Refused
from tests.support.builders import plans
from tests.support.builders.partition_log import NOON, PartitionLog, a_report

FIRST, SECOND, _ = plans.AGENCIES


@pytest.fixture
def log() -> PartitionLog:
    """A log in which the usual plan is adopted."""
    log = PartitionLog()
    log.adopt()
    return log


def test_adoption_speaks_of_every_duty_that_opens_before_the_horizon() -> None:
    """Three agencies, from 2016 to the year of the horizon, sent or silent."""
    said = PartitionLog().adopt()
    assert {one["agency"] for one in said} == set(plans.AGENCIES)
    assert {one["period"] for one in said} == {str(year) for year in range(2016, 2027)}


def test_a_repeated_fact_says_and_changes_nothing(log: PartitionLog) -> None:
    """The identity of an event is its source and id."""
    assert len(log.append(a_report())) == 1
    assert log.append(a_report()) == []
    assert log.keeper.changes() == []


def test_a_repeated_adoption_says_nothing(log: PartitionLog) -> None:
    """A zombie's or a replica's second word on the same versions and horizon is heard once."""
    assert log.adopt() == []


def test_a_moved_horizon_speaks_only_of_what_it_uncovers(log: PartitionLog) -> None:
    """A year later one more year of each agency is told."""
    said = log.adopt(now=NOON + timedelta(days=366))
    assert {one["period"] for one in said} == {"2027"}


def test_a_fact_before_the_adoption_waits_and_counts_then() -> None:
    """The plan is published but not adopted here: the fact is kept, and the adoption tells of it."""
    log = PartitionLog()
    assert log.append(a_report()) == []
    (said,) = [one for one in log.adopt() if (one["agency"], one["period"]) == (FIRST, "2024")]
    assert said["timeline"][-1]["status"] == "on_time"


def test_a_fact_for_an_agency_of_a_later_registry_waits_for_its_adoption(log: PartitionLog) -> None:
    """Intake may know a new version a moment before the partition adopts it."""
    agencies = [*plans.a_registry().agencies, plans.an_agency("h-moi")]
    log.shelf.documents.append(plans.a_registry(*agencies, version=2))
    assert log.append(a_report(agency="h-moi")) == []
    (said,) = [one for one in log.adopt() if (one["agency"], one["period"]) == ("h-moi", "2024")]
    assert (said["registry_version"], said["timeline"][-1]["status"]) == (2, "on_time")


def test_an_older_version_is_never_adopted_over_a_newer(log: PartitionLog) -> None:
    """A replica whose documents lag behind cannot take a plan back."""
    (old,) = log.books.all_latest()
    log.shelf.documents.append(plans.a_plan(version=2))
    log.adopt()
    late = adoption.wanted(old, partition=0, now=NOON + timedelta(days=400))
    assert log.append(adoption.event(late, now=NOON)) == []
    assert log.keeper.adoptions["P-1"].plan_version == 2


@pytest.mark.parametrize(
    "event, kind",
    [
        (None, "unreadable"),
        (b"{", "unreadable"),
        (a_report(plan="P-9"), "unknown"),
        (a_report(agency="nobody"), "unknown"),
        (a_report(period="2024-Q1"), "unknown"),
    ],
)
def test_what_cannot_be_applied_is_refused_and_leaves_no_trace(log: PartitionLog, event: Any, kind: str) -> None:
    """The refusal names its kind; the keeper knows nothing of the record."""
    before = dict(log.changelog)
    with pytest.raises(Refused) as refused:
        log.append(event)
    assert (refused.value.kind, log.keeper.changes()) == (kind, [])
    assert log.changelog == before


def test_a_duty_takes_only_so_many_facts(log: PartitionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood for one duty ends in dead letters, not in ever larger states; a later year is not touched by it."""
    monkeypatch.setattr(processor, "MOST_FACTS_A_DUTY", 2)
    log.append(a_report("s-1"))
    log.append(a_report("s-2"))
    with pytest.raises(Refused) as refused:
        log.append(a_report("s-3"))
    assert refused.value.kind == "oversized"
    assert len(log.append(a_report("s-4", period="2023"))) == 1
