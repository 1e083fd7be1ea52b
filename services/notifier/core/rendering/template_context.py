"""Matters: what a telling speaks of, looked up in the plan and registry versions that the assessment cites.

No sentence is made here; a matter holds names, dates and what is missing, in the reader's language where the documents
have it.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from schemas.events.assessments import StepKind
from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry
from services.notifier.core.rendering.missing_parts import Lack, lacks
from services.notifier.core.scheduling.routing import Language
from services.notifier.core.scheduling.scheduled_alert import Telling


class Library(Protocol):
    """The reference documents, by id and version. Raises `LookupError` for one that has not come yet."""

    def plan(self, plan_id: str, version: int) -> Plan: ...

    def registry(self, registry_id: str, version: int) -> Registry: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A due instant in plain words: the last good day, and the wall time where the day is not good to its end."""

    last_day: date
    before: time | None
    days_left: int
    has_passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One telling, ready to be put into words. `receiver` is who gets the report and in whose name the alert speaks.

    `link` opens the form for it, where the reader may use it.
    """

    kind: StepKind
    agency: str
    receiver: str | None
    title: str
    period: str | None
    clause: str
    source: str
    source_issued_on: date | None
    deadline: Deadline | None
    lacks: tuple[Lack, ...]
    link: str | None = None


def matter(telling: Telling, library: Library, *, language: Language, now: datetime) -> Matter:
    """Return what *telling* speaks of as it stands at *now*."""
    plan = library.plan(telling.duty.plan, telling.plan_version)
    registry = library.registry(telling.registry, telling.registry_version)
    obligation = plan.obligation(telling.duty.obligation)
    if obligation is None:
        raise LookupError(f"plan {plan.plan}@{plan.version} has no obligation {telling.duty.obligation}")
    zone = ZoneInfo(plan.zone)
    today = now.astimezone(zone).date()
    source = next((one for one in plan.sources if one.id == obligation.citation.source), None)
    due_at = telling.call.due_at
    return Matter(
        kind=telling.call.kind,
        agency=name_of(telling.duty.agency, registry, today, language) or telling.duty.agency,
        receiver=_receiver(obligation, plan, registry, today, language),
        title=obligation.title.in_language(language),
        period=telling.duty.period,
        clause=telling.clause,
        source=source.number if source else plan.plan,
        source_issued_on=source.issued_on if source else plan.issued_on,
        deadline=deadline(due_at, zone, now) if due_at else None,
        lacks=lacks(telling.call.missing, obligation, on=(due_at or now).astimezone(zone).date(), language=language),
    )


def deadline(due_at: datetime, zone: ZoneInfo, now: datetime) -> Deadline:
    """Return the exclusive instant *due_at* as people say it: midnight is the end of the day before."""
    local = due_at.astimezone(zone)
    is_midnight = local.time() == time.min
    last_day = local.date() - timedelta(days=1) if is_midnight else local.date()
    return Deadline(
        last_day=last_day,
        before=None if is_midnight else local.time(),
        days_left=(last_day - now.astimezone(zone).date()).days,
        has_passed=now >= due_at,
    )


def name_of(agency: str, registry: Registry, day: date, language: Language) -> str | None:
    """Return the name that *agency* bears on *day*, or nothing for a contact list."""
    found = registry.agency(agency)
    return found.name_on(day, language) if found else None


def _receiver(obligation: Obligation, plan: Plan, registry: Registry, day: date, language: Language) -> str | None:
    candidates = (obligation.recipient, plan.issuer)
    return next((name for one in candidates if one and (name := name_of(one, registry, day, language))), None)
