"""Several plans in one partition: an adoption changes what it must of the others, and a report counts where it may."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan.plan import Plan
from tests.support.builders import plans
from tests.support.builders.partition_log import PartitionLog, a_recorded_report

OLD, NEW, OTHER = "P-1", "P-2", "P-3"
FROM = "2024-09-25"


def a_successor(**changes: Any) -> Plan:
    """Build the plan that takes the place of the usual one on 25 September 2024 and carries its reports over."""
    obligation = plans.an_obligation(plans.a_version(**{"from": FROM}), id="annual")
    supersedes = {"plan": OLD, "from": FROM, "carries": {"results": "annual"}}
    return plans.a_plan(obligation, **{"plan": NEW, "issued_on": FROM, "supersedes": supersedes} | changes)


def a_log() -> PartitionLog:
    """Build a log with the usual plan, its successor and a plan that has nothing to do with either."""
    other = plans.a_plan(plan=OTHER)
    return PartitionLog(plans.a_registry(), plans.a_plan(), a_successor(), other)


def find_last(batches: list[list[dict[str, Any]]]) -> dict[tuple[str, str, str | None], Any]:
    """Return the last timeline and steps of each duty in *batches* of assessments, if it binds anybody."""
    last = {
        (one["plan"], one["agency"], one["period"]): (one["timeline"], one["steps"])
        for batch in batches
        for one in batch
    }
    return {duty: found for duty, found in last.items() if found[0]}


def statuses(assessments: list[dict[str, Any]], plan: str, period: str) -> list[str]:
    """Return the statuses of the first agency's duty in the last of *assessments* about it."""
    found = [one for one in assessments if (one["plan"], one["agency"], one["period"]) == (plan, "h-mot", period)]
    return [segment["status"] for segment in found[-1]["timeline"]]


def test_the_adoption_of_a_successor_assesses_the_duties_of_the_old_plan_anew() -> None:
    """The open duty is superseded from the day on, and one that was expected for later is taken back."""
    log = a_log()
    before = log.adopt(OLD)
    assert statuses(before, OLD, "2025") == ["pending", "overdue"]
    after = log.adopt(NEW)
    assert statuses(after, OLD, "2024") == ["pending", "superseded"]
    assert statuses(after, OLD, "2025") == []
    assert statuses(after, NEW, "2024") == ["pending", "overdue"]


def test_a_plan_that_nobody_supersedes_is_left_alone() -> None:
    """The adoption of one plan says nothing about the duties of another."""
    log = a_log()
    log.adopt(OTHER)
    assert {one["plan"] for one in [*log.adopt(OLD), *log.adopt(NEW)]} == {OLD, NEW}


@pytest.mark.parametrize("order", list(permutations((OLD, NEW, "report", "withdrawal"))))
def test_the_order_of_adoptions_and_facts_changes_nothing(order: tuple[str, ...]) -> None:
    """Whatever comes first, the last assessment of each duty is the same."""
    records = {
        "report": a_recorded_report(),
        "withdrawal": plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-02T08:00:00+07:00"),
    }

    def replay(names: tuple[str, ...]) -> dict[tuple[str, str, str | None], Any]:
        log = a_log()
        return find_last([log.append(records[one]) if one in records else log.adopt(one) for one in names])

    assert replay(order) == replay((OLD, NEW, "report", "withdrawal"))


def test_a_report_under_the_old_plan_leads_to_an_assessment_under_both() -> None:
    """It changes nothing about the superseded duty, and discharges the new one."""
    log = a_log()
    log.adopt(OLD)
    log.adopt(NEW)
    found = log.append(a_recorded_report())
    assert [one["plan"] for one in found] == [OLD, NEW]
    assert statuses(found, NEW, "2024") == ["pending", "on_time"]
    assert found[1]["timeline"][-1]["standing"] == {"source": plans.SOURCE, "id": "s-1"}


def test_a_decision_under_the_old_plan_concerns_it_alone() -> None:
    """An extension of the old duty moves no due instant of the new one."""
    log = a_log()
    log.adopt(OLD)
    log.adopt(NEW)
    extension = plans.an_extension("x-1", "2024-12-20T00:00:00+07:00", receivedtime="2024-12-01T08:00:00+07:00")
    assert [one["plan"] for one in log.append(extension)] == [OLD]


def test_a_return_under_the_new_plan_acts_on_a_report_under_the_old_one() -> None:
    """Who receives the report under the new plan may ask for its correction."""
    log = a_log()
    log.adopt(OLD)
    log.adopt(NEW)
    log.append(a_recorded_report())
    event = plans.a_return("r-1", "s-1", receivedtime="2024-12-02T08:00:00+07:00")
    (found,) = log.append(event | {"data": event["data"] | {"plan": NEW, "obligation": "annual"}})
    assert found["timeline"][-1]["missing"] == ["returned"]


def test_a_restored_processor_goes_on_as_the_one_before() -> None:
    """The plans know each other again after a restart."""
    log = a_log()
    log.adopt(OLD)
    log.adopt(NEW)
    log.processor = log.restore_processor()
    assert [one["plan"] for one in log.append(a_recorded_report())] == [OLD, NEW]


def test_a_later_version_of_the_successor_moves_the_day() -> None:
    """Both plans are assessed anew, and the old duty is superseded from the other day on."""
    log = a_log()
    log.adopt(OLD)
    log.adopt(NEW)
    supersedes = {"plan": OLD, "from": "2024-11-01", "carries": {"results": "annual"}}
    log.documents.publish(a_successor(version=2, supersedes=supersedes))
    found = log.adopt(NEW)
    (old,) = [one for one in found if (one["plan"], one["agency"], one["period"]) == (OLD, "h-mot", "2024")]
    assert old["timeline"][-1]["from"] == "2024-10-31T17:00:00Z"


def test_a_duty_that_a_later_version_drops_is_taken_back() -> None:
    """An agency that the registry takes out of the group is no longer called overdue."""
    log = PartitionLog()
    log.adopt()
    agencies = [plans.an_agency(one) for one in plans.AGENCIES[1:]]
    log.documents.publish(plans.a_registry(plans.an_agency("h-mot", groups=[]), *agencies, version=2))
    assert statuses(log.adopt(), OLD, "2024") == []


@settings(max_examples=40)
@given(st.lists(st.sampled_from([OLD, NEW, OTHER, 0, 1, 2, 3]), max_size=10))
def test_a_replay_of_a_log_with_several_plans_writes_the_same_bytes(steps: list[str | int]) -> None:
    """The same records give the same assessments in the same order, also through a processor that was restored."""
    first, second = a_log(), a_log()
    reports = [a_recorded_report(f"s-{number}", period=str(2023 + number % 2)) for number in range(4)]
    for step in steps:
        raw = [
            log.append_raw(reports[step]) if isinstance(step, int) else log.adopt_raw(step) for log in (first, second)
        ]
        assert raw[0] == raw[1]
        second.processor = second.restore_processor()
