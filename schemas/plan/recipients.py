"""Who receives a report: the plan's recipient, or whoever is above the agency as for the duty (contract section 7)."""

from datetime import date
from typing import Protocol

from schemas.plan import periods
from schemas.plan.calendar import Calendar
from schemas.plan.plan import PARENT, Obligation, Plan
from schemas.plan.registry import Registry
from schemas.plan.working_days import WorkingDays


class NamedDuty(Protocol):
    """A duty by name, as a duty key has it."""

    @property
    def agency(self) -> str: ...

    @property
    def obligation(self) -> str: ...

    @property
    def period(self) -> str | None: ...


def find_recipient(plan: Plan, registry: Registry, key: NamedDuty, *, today: date) -> str | None:
    """Return who receives the report of the duty *key*, else the issuer of the plan; None where neither is named.

    The recipient `parent` is the agency above on the last good day that the plan gives, whatever was extended; on
    *today* where there is no such day.
    """
    obligation = plan.obligation(key.obligation)
    recipient = None if obligation is None else obligation.recipient
    if obligation is not None and recipient == PARENT:
        recipient = registry.parent_on(key.agency, _find_last_good_day(plan, registry, obligation, key) or today)
    return recipient or plan.issuer


def _find_last_good_day(plan: Plan, registry: Registry, obligation: Obligation, key: NamedDuty) -> date | None:
    period = periods.parse(key.period) if key.period else None
    terms = Calendar(plan, WorkingDays(registry)).terms_of(obligation, period)
    return None if terms is None or terms.membership_decided_on == date.max else terms.membership_decided_on
