"""Whose reports of a year the demo of any plan posts: every dated duty that the plan lays on its agencies.

Whom a duty binds is worked out here a second time, without rules, because rules are what is compared with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from schemas.plan import calendar, periods
from schemas.plan.calendar import Calendar, PeriodTerms
from schemas.plan.periods import Period
from schemas.plan.plan import Obligation, ObligationVersion, Plan
from schemas.plan.registry import Agency, Registry, WorkingDays

DutyName = tuple[str, str, str]
"""Agency, obligation and period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDuty:
    """The report that one agency owes for one period.

    `parts` are the agencies whose reports it consolidates. `last_day` is the last good day, in the plan's zone.
    """

    obligation: Obligation
    version: ObligationVersion
    period: Period
    agency: str
    opens_at: datetime
    due_at: datetime
    last_day: date
    cut_off: date
    parts: tuple[str, ...] = ()

    @property
    def name(self) -> DutyName:
        return self.agency, self.obligation.id, self.period.text

    @property
    def seed(self) -> str:
        return "/".join(self.name)


def list_duties(plan: Plan, registry: Registry, year: str) -> tuple[PlannedDuty, ...]:
    """Return the dated duties of *year*; those that compile others come after these."""
    resolved = Calendar(plan, WorkingDays(registry))
    found: dict[DutyName, PlannedDuty] = {}
    for obligation in sorted(plan.obligations, key=lambda one: one.compiles is not None):
        for terms in _list_terms(obligation, resolved, year):
            for agency in _list_bearers(obligation, registry, terms.membership_decided_on):
                if plan.tracked_from is None or terms.membership_decided_on >= plan.tracked_from:
                    duty = _plan_duty(agency, terms, resolved.zone)
                    parts = () if obligation.compiles is None else _list_parts(duty, registry, found)
                    found[duty.name] = replace(duty, parts=parts)
    return tuple(found.values())


def _list_terms(obligation: Obligation, resolved: Calendar, year: str) -> Iterator[PeriodTerms]:
    whole = periods.parse(year)
    for recurrence in sorted({one.recurrence for one in obligation.versions if one.recurrence.is_periodic}):
        for period in periods.within(whole, recurrence):
            terms = resolved.terms_of(obligation, period)
            if terms is not None and terms.due_at is not None:
                yield terms


def _list_bearers(obligation: Obligation, registry: Registry, day: date) -> Iterator[Agency]:
    for agency in registry.agencies:
        groups = {one.id for one in agency.groups if one.contains(day)}
        if registry.exists_on(agency.id, day) and not {agency.id, *groups}.isdisjoint(obligation.bearers):
            yield agency


def _plan_duty(agency: Agency, terms: PeriodTerms, zone: ZoneInfo) -> PlannedDuty:
    if terms.period is None or terms.due_at is None:
        raise ValueError(f"{terms.obligation.id} has no period or no date; only dated periodic duties are planned")
    begins_on = max(terms.opens_on, agency.valid.from_ or terms.opens_on)
    return PlannedDuty(
        obligation=terms.obligation,
        version=terms.version,
        period=terms.period,
        agency=agency.id,
        opens_at=datetime.combine(begins_on, time(), zone),
        due_at=terms.due_at.astimezone(zone),
        last_day=terms.membership_decided_on,
        cut_off=calendar.find_cut_off(terms.version, terms.period),
    )


def _list_parts(duty: PlannedDuty, registry: Registry, known: Mapping[DutyName, PlannedDuty]) -> tuple[str, ...]:
    compiled = "" if duty.obligation.compiles is None else duty.obligation.compiles.obligation
    return tuple(
        one.id
        for one in registry.agencies
        if (one.id, compiled, duty.period.text) in known and registry.parent_on(one.id, duty.last_day) == duty.agency
    )
