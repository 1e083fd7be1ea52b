"""Given a duty and facts, then its history: the functions with which the tests of rules are written.

Wall times are written `2024-12-09 23:59` and mean the plan's zone.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry
from services.rules import fact_decoder
from services.rules.core.alerts import steps
from services.rules.core.assess import Assessment, Segment, assess
from services.rules.core.duty import Duty
from services.rules.core.duty_catalogue import Book
from services.rules.core.facts import Fact
from tests.support.builders.plans import AGENCIES, Json, a_plan, a_registry, a_version, an_obligation

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def instant(wall: str, zone: ZoneInfo = HANOI) -> datetime:
    """Return the instant of the local time *wall* in *zone*."""
    return datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)


def wall(moment: datetime | None, zone: ZoneInfo = HANOI) -> str | None:
    """Return the local time in *zone* at *moment*."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else None


def rfc3339(wall_time: str) -> str:
    """Return a local time of the plan's zone in RFC 3339."""
    return instant(wall_time).isoformat()


def received(event: Json, at: str, *, recorded: str | None = None) -> Fact:
    """Return the fact of *event*, received (and recorded, unless *recorded* is given) at a local time."""
    stamped = event | {"receivedtime": rfc3339(at), "recordedtime": rfc3339(recorded or at)}
    return fact_decoder.read_fact(msgspec.json.encode(stamped))


def decided(event: Json, on: str) -> Json:
    """Return the same decision with another date."""
    return event | {"data": event["data"] | {"decision": event["data"]["decision"] | {"issued_on": on}}}


def a_book(plan: Plan | None = None, registry: Registry | None = None) -> Book:
    """Return the duty catalogue of the usual plan and registry, or of others."""
    return Book(plan or a_plan(), registry or a_registry())


def a_duty(
    *versions: Json,
    obligation: Obligation | None = None,
    registry: Registry | None = None,
    period: str | None = "2024",
    agency: str = AGENCIES[0],
) -> Duty:
    """Return the first agency's duty for 2024, with the usual settings or with *versions* of them."""
    book = a_book(a_plan(obligation or an_obligation(*versions)), registry)
    return book.duty(agency=agency, obligation=book.plan.obligations[0].id, period=period)


def undated(**changes: object) -> Json:
    """Return the settings of a continuous duty without a date."""
    return a_version(recurrence="none", due=None, reminders={}, **changes)


def history(duty: Duty, *facts: Fact) -> list[tuple[str | None, str]]:
    """Return the times at which the duty's status changes, and the statuses."""
    told: list[tuple[str | None, str]] = []
    for segment in assess(duty, facts).timeline:
        if not told or told[-1][1] != segment.status.value:
            told.append((wall(segment.starts_at), segment.status.value))
    return told


def at(when: str, duty: Duty, *facts: Fact) -> Segment:
    """Return the segment of *duty* at a local time, from *facts*."""
    return assess(duty, facts).at(instant(when))


def known(facts: Iterable[Fact], by: datetime) -> list[Fact]:
    """Return the facts that were recorded by then."""
    return [fact for fact in facts if fact.recorded_at <= by]


def alerts(assessment: Assessment) -> list[tuple[str | None, str, str, str]]:
    """Return the steps as local time, kind, label and recipient."""
    return [(wall(one.at), one.kind.value, one.step, one.to) for one in steps(assessment)]
