"""The worlds in which rules is measured: who owes what, and the reports that come in.

*Own duty*: each event is the report of another duty, two days before it is due. *Deadline night*: reports come in the
weeks after due, when reminders, urgings and escalations lie behind them; one in ten lacks a section, each has figures
and a condition. *Demo*: the year of `make demo`, with every kind of fact, under one plan id after the other.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.console.demo.plan_6766 import scenario
from services.console.demo.plan_6766.scenario import BEGINS_AT
from services.console.support import inputs
from services.intake.core.fact_record import format_instant
from tests.support.builders import plans

DEMO = Path(__file__).parents[2] / "deploy" / "plans" / "6766-kh-ubnd"
MONTHS = 40
NOW = datetime(2026, 5, 1, 1, tzinfo=UTC)
HORIZON = datetime(2027, 6, 1, tzinfo=UTC)  # thirteen months later; every period of the worlds opens before
ENDS_ON = "2027-12-31"  # an agency ends one day, as nearly all of plan 6766 do
ALERTS = {
    "before": ["P30D", "P7D", "P1D"],
    "after": ["PT0S", "P3D"],
    "then_every": "P7D",
    "escalate": [{"after": "P5D", "to": "parent"}],
}
CONDITION = {"id": "sum", "cel": "indicators.a + indicators.b <= indicators.total", "message": {"vi": "Sai tổng"}}

# Each month of the worlds, and the month after it.
PERIODS = [f"{2024 + month // 12}-{month % 12 + 1:02d}" for month in range(MONTHS)]
FOLLOWING = [*PERIODS[1:], "2027-05"]


@dataclass(frozen=True, kw_only=True)
class World:
    """Published documents, and the records that come in under them, each after its key."""

    name: str
    registry: Registry
    plans: tuple[Plan, ...]
    now: datetime
    records: list[tuple[str, bytes]]


def build_own_duties(events: int) -> World:
    """Build the world in which each event is the report of another duty."""
    version = plans.a_version(recurrence="month", due={"day": 10}, **{"from": "2024-01-01"})
    registry, agencies = _a_registry(events // MONTHS)
    records = [
        _report(agency, period, f"{period}-08T0{number % 9}:{number % 50 + 10}:00+07:00", {})
        for number, period in enumerate(PERIODS)
        for agency in agencies
    ]
    plan = plans.a_plan(plans.an_obligation(version))
    return World(name="own duty", registry=registry, plans=(plan,), now=NOW, records=records)


def build_deadline_nights(events: int) -> World:
    """Build the world in which reports are late."""
    requires = {"sections": ["results"], "checks": [CONDITION]}
    changes = {"from": "2024-01-01", "reminders": ALERTS, "requires": requires}
    version = plans.a_version(recurrence="month", due={"day": 10}, **changes)
    registry, agencies = _a_registry(events // MONTHS)
    records = []
    for period, following in zip(PERIODS, FOLLOWING, strict=True):
        for number, agency in enumerate(agencies):
            sections = {"results": "Đã thực hiện"} if number % 10 else {}
            content = {"nil_return": False, "sections": sections, "indicators": {"a": 1, "b": 2.5, "total": 4 + number}}
            at = f"{following}-{11 + number % 17}T0{number % 9}:{number % 50 + 10}:{number % 60:02d}+07:00"
            records.append(_report(agency, period, at, {"content": content}))
    plan = plans.a_plan(plans.an_obligation(version))
    return World(name="deadline night", registry=registry, plans=(plan,), now=NOW, records=records)


def build_demo_years(events: int) -> World:
    """Build the world of the demo's year, which comes again under another plan id until there are enough *events*."""
    catalogue = inputs.read_plan_folder(DEMO)
    year = scenario.build_scenario(catalogue.registry)
    posts = [*((BEGINS_AT, event) for event in year.archive), *((one.at, one.event) for one in year.posts)]
    copies = tuple(
        catalogue.plan.model_copy(update={"plan": f"{catalogue.plan.plan}-{number}"})
        for number in range(max(1, events // len(posts)))
    )
    records = []
    for plan in copies:
        for at, event in posts:
            data = {**event["data"], "plan": plan.plan}
            recorded = {**event, "receivedtime": format_instant(at), "data": data}
            records.append((str(data["agency"]), json.dumps(recorded, ensure_ascii=False).encode()))
    return World(name="demo", registry=catalogue.registry, plans=copies, now=BEGINS_AT, records=records)


def _a_registry(count: int) -> tuple[Registry, list[str]]:
    agencies = [f"a-{number:05d}" for number in range(count)]
    valid = {"from": plans.SINCE, "to": ENDS_ON}
    return plans.a_registry(*[plans.an_agency(one, valid=valid) for one in agencies]), agencies


def _report(agency: str, period: str, at: str, data: plans.Json) -> tuple[str, bytes]:
    received = format_instant(datetime.fromisoformat(at))
    data = {"agency": agency, "period": period} | data
    event = plans.a_submission(f"{agency}-{period}", data=data, receivedtime=received)
    return agency, json.dumps(event).encode()
