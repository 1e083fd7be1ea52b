"""Which plan takes the place of which, from when, and whose reports it carries over (contract section 7).

It looks at plans alone. What follows for a duty is decided by `duty_catalogue` and `assess`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.plan import calendar
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry


def find_successor(plan_id: str, plans: Iterable[Plan]) -> Plan | None:
    """Return the plan among *plans* that supersedes *plan_id*; of several the one that does so first."""
    found = [
        (one.supersedes.from_, one.plan, one)
        for one in plans
        if one.supersedes is not None and one.supersedes.plan == plan_id and one.plan != plan_id
    ]
    return min(found, key=lambda one: one[:2])[2] if found else None


def list_related(plan_id: str, plans: Iterable[Plan]) -> tuple[str, ...]:
    """Return *plan_id* and the plans before and after it, near and far, in the order of their ids."""
    pairs = [(one.plan, one.supersedes.plan) for one in plans if one.supersedes is not None]
    found, pending = {plan_id}, [plan_id]
    while pending:
        one = pending.pop()
        near = {new for new, old in pairs if old == one} | {old for new, old in pairs if new == one}
        pending.extend(near - found)
        found |= near
    return tuple(sorted(found))


def find_end(successor: Plan | None) -> datetime | None:
    """Return the instant from which *successor* stands in the place of the plan that it supersedes."""
    if successor is None or successor.supersedes is None:
        return None
    return calendar.midnight(successor.supersedes.from_, ZoneInfo(successor.zone))


# Plan and obligation.
ObligationName = tuple[str, str]


def list_carried(plan: Plan, obligation: str) -> Iterator[ObligationName]:
    """Yield the obligations of the superseded plan whose reports count for *obligation* of *plan* too."""
    if plan.supersedes is not None:
        yield from ((plan.supersedes.plan, old) for old, new in plan.supersedes.carries.items() if new == obligation)


def map_carried(
    plan: Plan, of_predecessor: Mapping[ObligationName, tuple[str, ...]]
) -> Mapping[ObligationName, tuple[str, ...]]:
    """Return for each obligation of an earlier plan the obligations of *plan* for which its reports count.

    *of_predecessor* is the same of the superseded plan: what was carried over to that one is carried on.
    """
    if plan.supersedes is None:
        return {}
    carries = plan.supersedes.carries
    own = {(plan.supersedes.plan, old): (new,) for old, new in carries.items()}
    earlier = {
        name: tuple(dict.fromkeys(carries[one] for one in obligations if one in carries))
        for name, obligations in of_predecessor.items()
    }
    return {name: one for name, one in {**earlier, **own}.items() if one}


def name_origin(plan: Plan, registry: Registry, predecessor: str | None) -> str:
    """Return the versions of the documents from which the reports of a duty are judged, *predecessor* that of another.

    A plan that carries nothing over is named as it was before plans could.
    """
    own = f"{plan.version}/{registry.registry}@{registry.version}"
    return own if predecessor is None or plan.supersedes is None else f"{own}>{plan.supersedes.plan}@{predecessor}"


def name_versions(origin: str, successor: Plan | None) -> str:
    """Return the versions of all documents on which the assessments of a plan rest."""
    return origin if successor is None else f"{origin}<{successor.plan}@{successor.version}"
