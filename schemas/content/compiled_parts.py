"""Whose reports a compiled one consolidates, as far as plan and registry say (contract section 7, `compiles`).

Forms and sheets ask for these. Whether a part is missing is decided by rules.
"""

from dataclasses import dataclass

from schemas.plan import periods
from schemas.plan.calendar import Calendar, NamedDuty, PeriodTerms
from schemas.plan.plan import Plan
from schemas.plan.registry import Agency, Registry, WorkingDays
from schemas.plan.values import Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedPart:
    """The report of an agency below that a compiled one is to name; it may be required for completeness."""

    agency: str
    name: Bilingual
    is_required: bool


def list_parts(plan: Plan, registry: Registry, key: NamedDuty) -> tuple[RequestedPart, ...]:
    """Return the parts of the compiled report *key*: who is below on its last good day and owes the compiled one."""
    obligation = plan.obligation(key.obligation)
    compiles = None if obligation is None else obligation.compiles
    compiled = None if compiles is None else plan.obligation(compiles.obligation)
    if obligation is None or compiled is None:
        return ()
    calendar = Calendar(plan, WorkingDays(registry))
    period = periods.parse(key.period) if key.period else None
    terms, owed = calendar.terms_of(obligation, period), calendar.terms_of(compiled, period)
    if terms is None or owed is None:
        return ()
    day = terms.membership_decided_on
    below = [one for one in registry.agencies if registry.parent_on(one.id, day) == key.agency]
    return tuple(
        RequestedPart(
            agency=one.id,
            name=Bilingual.of(vi=one.name_on(day), en=one.name_on(day, "en")),
            is_required=terms.version.requires.parts is not None,
        )
        for one in sorted(below, key=lambda agency: agency.id)
        if _is_bound(one, owed)
    )


def _is_bound(agency: Agency, terms: PeriodTerms) -> bool:
    bearers, day = terms.obligation.bearers, terms.membership_decided_on
    return agency.id in bearers or any(one.id in bearers and one.contains(day) for one in agency.groups)
