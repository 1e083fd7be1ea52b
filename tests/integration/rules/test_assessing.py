"""Rules says what the facts mean, once, of every duty that a plan lays down."""

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
from tests.support.servers.rules import QUICK_SESSION, Rules, status_at
from tests.support.servers.services import Launch, Service

FIRST, SECOND, THIRD = plans.AGENCIES
AFTER_DUE = "2024-12-10T00:00:00+07:00"
BEFORE_DUE = "2024-12-09T23:59:59+07:00"


async def test_a_silent_agency_is_assessed_when_the_plan_is_adopted(rules: Rules, launch: Launch) -> None:
    """Nobody has sent anything, and every agency's duty already says when it will be overdue."""
    launch("rules", ready=False)
    await rules.adopted()
    said = (await rules.of(THIRD))[-1]
    assert status_at(said, BEFORE_DUE) is Status.PENDING
    assert status_at(said, AFTER_DUE) is Status.OVERDUE
    assert [step.step for step in said.steps] == ["P7D", "P1D", "PT0S", "P3D"]


async def test_a_report_is_answered_by_one_verdict_and_its_repetition_by_none(rules: Rules, launch: Launch) -> None:
    """The second delivery of the same event adds no verdict and no state."""
    launch("rules", ready=False)
    await rules.adopted()
    report = plans.a_submission()
    record = await rules.accept(report)
    await rules.accept(report)
    await rules.settled()
    _, said = await rules.told(FIRST, times=2)
    assert (status_at(said, AFTER_DUE), said.revision) == (Status.ON_TIME, record.offset)
    assert len(await rules.of(FIRST)) == 2
    assert len([one for one in await rules.bus.records(DUTIES.name) if one.key == b"P-1|h-mot|results|2024"]) == 1


async def test_an_exemption_is_told_of_every_period_it_may_touch(rules: Rules, launch: Launch) -> None:
    """A fact about no one period has the agency's other years assessed anew as well."""
    launch("rules", ready=False)
    await rules.adopted()
    await rules.accept(plans.an_exemption("e-1", "2024-01-01T00:00:00+07:00", "2025-01-01T00:00:00+07:00"))
    _, of_2024 = await rules.told(FIRST, times=2)
    _, of_2023 = await rules.told(FIRST, times=2, period="2023")
    assert status_at(of_2024, AFTER_DUE) is Status.EXEMPT
    assert status_at(of_2023, AFTER_DUE) is Status.OVERDUE


async def test_a_later_plan_version_is_adopted_and_everything_is_said_anew(rules: Rules, launch: Launch) -> None:
    """The new due date reaches every agency, the facts known stay known."""
    launch("rules", ready=False)
    await rules.adopted()
    await rules.accept(plans.a_submission())
    await rules.told(FIRST, times=2)
    later = plans.a_version(due={"month": 11, "day": 10})
    await rules.publish(plans.a_plan(plans.an_obligation(later), version=2))
    _, _, said = await rules.told(FIRST, times=3)
    assert (said.plan_version, status_at(said, AFTER_DUE)) == (2, Status.LATE)
    await rules.told(THIRD, times=2)


async def test_the_horizon_moves_with_the_clock(rules: Rules, launch: Launch, tmp_path: Path) -> None:
    """A year later the duties of the year after are assessed, those known before are not said again."""
    clock = tmp_path / "clock"
    steer(clock, datetime.fromisoformat("2024-01-10T08:00:00+07:00"))
    launch("rules", ready=False, DONDOC_CLOCK=f"steered:{clock}")
    await rules.adopted()
    await rules.told(SECOND, times=1, period="2025")
    assert await rules.of(SECOND, "2026") == []
    steer(clock, datetime.fromisoformat("2025-01-10T08:00:00+07:00"))
    await rules.told(SECOND, times=1, period="2026")
    await rules.settled()
    assert len(await rules.of(SECOND)) == 1


async def test_a_restart_goes_on_where_it_stopped(rules: Rules, launch: Launch) -> None:
    """The restored state knows the facts: a repetition says nothing, a withdrawal undoes the report it names."""
    first = launch("rules", ready=False, **QUICK_SESSION)
    await rules.adopted()
    await rules.accept(plans.a_submission())
    await rules.told(FIRST, times=2)
    first.stop()
    launch("rules", **QUICK_SESSION)
    await rules.accept(plans.a_submission())
    await rules.accept(plans.a_withdrawal("w-1", "s-1", receivedtime="2024-12-05T08:00:00+07:00"))
    await rules.settled()
    _, _, said = await rules.told(FIRST, times=3)
    assert status_at(said, AFTER_DUE) is Status.OVERDUE
    assert status_at(said, "2024-12-02T00:00:00+07:00") is Status.ON_TIME
    assert len(await rules.verdicts()) == len({event.id for event in await rules.events()})


async def test_two_replicas_share_the_partitions(rules: Rules, launch: Launch) -> None:
    """Each owns some, together all, and every duty is said once."""
    replicas = [launch("rules", ready=False, **QUICK_SESSION) for _ in range(2)]

    async def shares() -> list[float] | None:
        owned = [_figure(one, "rules_partitions_owned") for one in replicas if one.is_ready()]
        return owned if sorted(owned) == [1.0, 2.0] else None

    await rules.publish(plans.a_registry(), plans.a_plan())
    await eventually(shares, "two replicas owning three partitions")
    await rules.adopted()
    assert await rules.repeated() == []


async def test_a_dry_run_answers_from_the_record_and_records_nothing(rules: Rules, launch: Launch) -> None:
    """What is missing is named, what is on file counts, and the log stays as it was."""
    service = launch("rules", ready=False)
    await rules.adopted()
    await rules.accept(plans.a_submission())
    await rules.told(FIRST, times=2)
    empty = plans.a_submission("s-2", data={"content": {"nil_return": False, "sections": {}, "indicators": {}}})
    answer = _tried(service, empty)
    assert (answer["basis"], answer["missing"], answer["segment"]["submissions"]) == ("record", ["sections.results"], 2)
    undone = _tried(service, plans.a_withdrawal("w-1", "s-1"))
    assert undone["segment"]["status"] == "overdue"
    released = _tried(service, plans.an_exemption("e-1", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"))
    assert (released["duty"], released["missing"]) == (None, [])
    with pytest.raises(HTTPError, match="422"):
        _tried(service, plans.a_submission(data={"agency": "h-bon"}))
    assert [one.json["id"] for one in await rules.bus.records(FACTS.name) if one.json["type"] != ADOPTED] == ["s-1"]


def _tried(service: Service, event: plans.Json) -> plans.Json:
    request = Request(f"{service.url}/v1/dry-run", data=json.dumps(event).encode(), method="POST")  # noqa: S310 # loopback
    with urlopen(request, timeout=5.0) as answer:  # noqa: S310 # loopback
        found: plans.Json = json.load(answer)
        return found


def _figure(service: Service, name: str) -> float:
    with urlopen(f"{service.url}/metrics", timeout=5.0) as answer:  # noqa: S310 # loopback
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))
