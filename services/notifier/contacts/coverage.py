"""Finds the agencies and lists that no contact reaches on a day."""

from datetime import date

from schemas.plan.plan import PARENT, Plan
from schemas.plan.registry import Registry
from services.notifier.core.scheduling.routing import SELF, ContactBook, resolve_recipient


def find_unreached(book: ContactBook, plan: Plan, registry: Registry, day: date) -> list[str]:
    """Return the agencies and lists without a contact on *day*: those that *plan* addresses, and its escalations."""
    owing = [
        agency.id
        for agency in registry.agencies
        if registry.exists_on(agency.id, day) and _is_addressed(agency.id, plan, registry, day)
    ]
    recipients = [
        resolve_recipient(to, agency, registry, on=day)
        for agency in owing
        for to in sorted({SELF, *_list_escalations(plan)})
    ]
    return [one for one in dict.fromkeys(recipients) if one != PARENT and not book.find_reachable(one, day)]


def list_recipients(plan: Plan, registry: Registry) -> frozenset[str]:
    """Return every id, alias and name of a list under which *plan* and *registry* know somebody to write to."""
    return frozenset(registry.ids_by_name) | (_list_escalations(plan) - {SELF, PARENT})


def _list_escalations(plan: Plan) -> frozenset[str]:
    return frozenset(
        one.to
        for obligation in plan.obligations
        for version in obligation.versions
        for one in version.reminders.escalate
    )


def _is_addressed(agency_id: str, plan: Plan, registry: Registry, day: date) -> bool:
    agency = registry.agency(agency_id)
    groups = {one.id for one in agency.groups if one.contains(day)} if agency else set()
    return any({agency_id, *groups} & set(obligation.bearers) for obligation in plan.obligations)
