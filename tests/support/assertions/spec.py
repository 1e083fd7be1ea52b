"""Builders and queries for tests of rules: given a duty and facts, then its status over time.

Wall times are written `2024-12-09 23:59` and are in the plan's zone.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from schemas.events.wire import WireSegment
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry
from services.rules import fact_decoder
from services.rules.core.alerts import plan_alerts
from services.rules.core.assess import Assessment, assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import DutyCatalogue
from services.rules.core.facts import Fact
from tests.support.builders.plans import AGENCIES, Json, a_plan, a_registry, a_version, an_obligation

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def instant(wall: str, zone: ZoneInfo = HANOI) -> datetime:
    """Return the instant at which clocks in *zone* show *wall*."""
    return datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)


def wall(at: datetime | None, zone: ZoneInfo = HANOI) -> str | None:
    """Return what clocks in *zone* show at an instant."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else None


def rfc3339(wall_time: str) -> str:
    """Return a wall time of the plan's zone as it is written on the wire."""
    return instant(wall_time).isoformat()


def a_fact(event: Json, at: str, *, recorded: str | None = None) -> Fact:
    """Build the fact of *event*, received at a wall time and, unless said otherwise, recorded at the same time."""
    stamped = event | {"receivedtime": rfc3339(at), "recordedtime": rfc3339(recorded or at)}
    return fact_decoder.decode_fact(msgspec.json.encode(stamped))


def with_decision_date(event: Json, on: str) -> Json:
    """Return the same decision, issued on another day."""
    return event | {"data": event["data"] | {"decision": event["data"]["decision"] | {"issued_on": on}}}


def a_catalogue(plan: Plan | None = None, registry: Registry | None = None) -> DutyCatalogue:
    """Build the duty catalogue of the usual plan and registry, or of others."""
    return DutyCatalogue(plan or a_plan(), registry or a_registry())


def a_duty(
    *versions: Json,
    obligation: Obligation | None = None,
    registry: Registry | None = None,
    period: str | None = "2024",
    agency: str = AGENCIES[0],
) -> Duty:
    """Build the first agency's duty for 2024, under the usual settings or under *versions* of them."""
    catalogue = a_catalogue(a_plan(obligation or an_obligation(*versions)), registry)
    return catalogue.duty(agency=agency, obligation=catalogue.plan.obligations[0].id, period=period)


def an_undated_version(**changes: object) -> Json:
    """Build the settings of a continuous duty without a date."""
    return a_version(recurrence="none", due=None, reminders={}, **changes)


def status_history(duty: Duty, *facts: Fact) -> list[tuple[str | None, str]]:
    """Return when the duty's status changes, and to what."""
    changes: list[tuple[str | None, str]] = []
    for segment in assess(duty, facts).timeline:
        if not changes or changes[-1][1] != segment.status.value:
            changes.append((wall(segment.starts_at), segment.status.value))
    return changes


def segment_at(when: str, duty: Duty, *facts: Fact) -> WireSegment:
    """Return the answer about *duty* at a wall time, from *facts*."""
    return assess(duty, facts).at(instant(when))


def facts_recorded_by(instant: datetime, facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts that the log had recorded by then."""
    return [fact for fact in facts if fact.recorded_at <= instant]


def list_alerts(assessment: Assessment) -> list[tuple[str | None, str, str, str]]:
    """Return the alerts that an assessment calls for as wall time, kind, step and recipient."""
    return [(wall(one.at), one.kind.value, one.step, one.to) for one in plan_alerts(assessment)]
