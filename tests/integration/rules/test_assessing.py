"""Rules assesses every duty of an adopted plan from its facts, once for each fact."""

import json
from datetime import datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from schemas.events.assessments import Status
from schemas.events.facts import ADOPTED
from schemas.events.topics import DUTIES, FACTS
from services.runtime.clock import steer
from tests.support.assertions.eventually import eventually
from tests.support.builders import plans
from tests.support.servers.rules import QUICK_SESSION, RulesClient, status_at
from tests.support.servers.services import Launch, Service

FIRST, SECOND, THIRD = plans.AGENCIES
AFTER_DUE = "2024-12-10T00:00:00+07:00"
BEFORE_DUE = "2024-12-09T23:59:59+07:00"


async def test_a_silent_agency_is_assessed_when_the_plan_is_adopted(rules: RulesClient, launch: Launch) -> None:
    """The duty of an agency that has sent nothing is assessed at adoption, with the time at which it is overdue."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    assessed = (await rules.assessments_of(THIRD))[-1]
    assert status_at(assessed, BEFORE_DUE) is Status.PENDING
    assert status_at(assessed, AFTER_DUE) is Status.OVERDUE
    assert [step.step for step in assessed.steps] == ["P7D", "P1D", "PT0S", "P3D"]


async def test_a_report_leads_to_one_assessment_and_its_repetition_to_none(rules: RulesClient, launch: Launch) -> None:
    """The same event twice in the log leads to one assessment and one state record."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    report = plans.a_submission()
    record = await rules.append_fact(report)
    await rules.append_fact(report)
    await rules.wait_until_consumed()
    _, assessed = await rules.wait_for_assessments(FIRST, times=2)
    assert (status_at(assessed, AFTER_DUE), assessed.revision) == (Status.ON_TIME, record.offset)
    assert len(await rules.assessments_of(FIRST)) == 2
    assert len([one for one in await rules.bus.records(DUTIES.name) if one.key == b"P-1|h-mot|results|2024"]) == 1


async def test_an_exemption_leads_to_an_assessment_of_every_period_it_may_touch(
    rules: RulesClient, launch: Launch
) -> None:
    """An exemption, which is about no one period, has the agency's other years assessed anew as well."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    await rules.append_fact(plans.an_exemption("e-1", "2024-01-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00"))
    _, of_2024 = await rules.wait_for_assessments(FIRST, times=2)
    _, of_2023 = await rules.wait_for_assessments(FIRST, times=2, period="2023")
    assert status_at(of_2024, AFTER_DUE) is Status.EXEMPT
    assert status_at(of_2023, AFTER_DUE) is Status.OVERDUE


async def test_a_later_plan_version_is_adopted_and_every_duty_assessed_anew(rules: RulesClient, launch: Launch) -> None:
    """A new plan version has every duty assessed anew, with its due date and the facts known before."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    later = plans.a_version(due={"month": 11, "day": 10})
    await rules.publish(plans.a_plan(plans.an_obligation(later), version=2))
    _, _, assessed = await rules.wait_for_assessments(FIRST, times=3)
    assert (assessed.plan_version, status_at(assessed, AFTER_DUE)) == (2, Status.LATE)
    await rules.wait_for_assessments(THIRD, times=2)


async def test_the_horizon_moves_with_the_clock(rules: RulesClient, launch: Launch, tmp_path: Path) -> None:
    """A year later the duties of one more year are assessed, and those assessed before are not assessed again."""
    clock = tmp_path / "clock"
    steer(clock, datetime.fromisoformat("2024-01-10T08:00:00+07:00"))
    launch("rules", ready=False, DONDOC_CLOCK=f"steered:{clock}")
    await rules.publish_usual_plan()
    await rules.wait_for_assessments(SECOND, times=1, period="2025")
    assert await rules.assessments_of(SECOND, "2026") == []
    steer(clock, datetime.fromisoformat("2025-01-10T08:00:00+07:00"))
    await rules.wait_for_assessments(SECOND, times=1, period="2026")
    await rules.wait_until_consumed()
    assert len(await rules.assessments_of(SECOND)) == 1


async def test_a_restart_goes_on_where_it_stopped(rules: RulesClient, launch: Launch) -> None:
    """After a restart a repeated report leads to nothing, and a withdrawal finds the report that it names."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await rules.publish_usual_plan()
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    first.stop()
    launch("rules", **QUICK_SESSION)
    await rules.append_fact(plans.a_submission())
    await rules.append_fact(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-05T08:00:00+07:00"))
    await rules.wait_until_consumed()
    _, _, assessed = await rules.wait_for_assessments(FIRST, times=3)
    assert status_at(assessed, AFTER_DUE) is Status.OVERDUE
    assert status_at(assessed, "2024-12-02T00:00:00+07:00") is Status.ON_TIME
    assert len(await rules.assessments()) == len({event.id for event in await rules.assessment_events()})


async def test_two_replicas_share_the_partitions(rules: RulesClient, launch: Launch) -> None:
    """Two replicas own all three partitions between them, and every duty is assessed once."""
    replicas = [launch("rules", ready=False, **QUICK_SESSION) for _ in range(2)]

    async def shares() -> list[float] | None:
        owned = [_read_metric(one, "rules_partitions_owned") for one in replicas if one.is_ready()]
        return owned if sorted(owned) == [1.0, 2.0] else None

    await rules.publish(plans.a_registry(), plans.a_plan())
    await eventually(shares, "two replicas owning three partitions")
    await rules.publish_usual_plan()
    assert await rules.find_repeated() == []


async def test_a_dry_run_answers_from_the_record_and_records_nothing(rules: RulesClient, launch: Launch) -> None:
    """A dry run counts the facts on record, names what is missing, and appends nothing to the log."""
    service = launch("rules", ready=False)
    await rules.publish_usual_plan()
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    empty = plans.a_submission("s-2", data={"content": {"nil_return": False, "sections": {}, "indicators": {}}})
    answer = _post_dry_run(service, empty)
    assert (answer["basis"], answer["missing"], answer["segment"]["submissions"]) == ("record", ["sections.results"], 2)
    undone = _post_dry_run(service, plans.a_withdrawal("w-1", "s-1"))
    assert undone["segment"]["status"] == "overdue"
    returned = _post_dry_run(service, plans.a_return("b-1", "s-1", respond_by="2030-01-01T00:00:00Z"))
    assert (returned["segment"]["missing"][0], returned["returned"]["submission"]) == ("returned", "s-1")
    released = _post_dry_run(service, plans.an_exemption("e-1", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"))
    assert (released["duty"], released["missing"]) == (None, [])
    with pytest.raises(HTTPError, match="422"):
        _post_dry_run(service, plans.a_submission(data={"agency": "h-bon"}))
    assert [one.json["id"] for one in await rules.bus.records(FACTS.name) if one.json["type"] != ADOPTED] == ["s-1"]


def _post_dry_run(service: Service, event: plans.Json) -> plans.Json:
    request = Request(f"{service.url}/v1/dry-run", data=json.dumps(event).encode(), method="POST")  # noqa: S310 # loopback
    with urlopen(request, timeout=5.0) as answer:  # noqa: S310 # loopback
        found: plans.Json = json.load(answer)
        return found


def _read_metric(service: Service, name: str) -> float:
    with urlopen(f"{service.url}/metrics", timeout=5.0) as answer:  # noqa: S310 # loopback
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


async def test_a_plan_that_takes_the_place_of_another_supersedes_its_duties_and_counts_its_reports(
    rules: RulesClient, launch: Launch
) -> None:
    """Once both are adopted the old duty is superseded, and a report under the old plan discharges the new one."""
    launch("rules", ready=False)
    await rules.publish_usual_plan()
    await rules.append_fact(plans.a_submission())
    await rules.wait_for_assessments(FIRST, times=2)
    obligation = plans.an_obligation(plans.a_version(**{"from": "2024-09-25"}), id="annual")
    supersedes = {"plan": plans.PLAN, "from": "2024-09-25", "carries": {plans.OBLIGATION: "annual"}}
    await rules.publish(plans.a_plan(obligation, plan="P-2", issued_on="2024-09-25", supersedes=supersedes))

    async def find_both() -> dict[str, Status] | None:
        newest = {one.plan: one for one in await rules.assessments_of(FIRST)}
        found = {plan: status_at(one, AFTER_DUE) for plan, one in newest.items()}
        return found if len(found) == 2 and found[plans.PLAN] is not Status.ON_TIME else None

    assessed = await eventually(find_both, "the duties of both plans assessed anew", timeout=30.0)
    assert assessed == {plans.PLAN: Status.SUPERSEDED, "P-2": Status.ON_TIME}
