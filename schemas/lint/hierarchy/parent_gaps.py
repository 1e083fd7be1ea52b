"""Finds when nobody stands above an agency although a plan asks for whoever does.

A step `to: parent` is then left out, and a letter about a report to `parent` speaks for the issuer of the plan.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.lint.diagnostics import DocumentPath, Finding, Severity
from schemas.plan.plan import PARENT, Obligation, ObligationVersion, Plan
from schemas.plan.registry import Agency, Registry

# Half-open local dates.
_Range = tuple[date, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    """The first days on which nobody stands above an agency that owes a report."""

    agency: str
    days: _Range

    def __str__(self) -> str:
        from_, to = self.days
        return f"{self.agency!r} from {from_}" + ("" if to == date.max else f" to {to}")


def find_parent_gaps(plan: Plan, registry: Registry) -> Iterator[Finding]:
    """Yield a warning at each place of *plan* that asks for the parent of agencies which have none for some time."""
    for position, obligation in enumerate(plan.obligations):
        path: DocumentPath = ("obligations", position)
        for number, version in enumerate(obligation.versions):
            needs = [
                (*path, "versions", number, "reminders", "escalate", step, "to")
                for step, one in enumerate(version.reminders.escalate)
                if one.to == PARENT
            ]
            gaps = _list_gaps(plan, obligation, version, registry) if needs or obligation.recipient == PARENT else []
            if gaps and obligation.recipient == PARENT:
                yield _warn((*path, "recipient"), gaps, "letters then speak for the issuer of the plan")
            if gaps:
                yield from (_warn(one, gaps, "the step is left out then") for one in needs)


def _warn(path: DocumentPath, gaps: Sequence[_Gap], effect: str) -> Finding:
    others = f", nor above {len(gaps) - 1} more at some time" if len(gaps) > 1 else ""
    return Finding(path=path, message=f"no agency is above {gaps[0]}{others}; {effect}", severity=Severity.WARNING)


def _list_gaps(plan: Plan, obligation: Obligation, version: ObligationVersion, registry: Registry) -> list[_Gap]:
    """Return the first gap of each agency that owes the report while *version* is in force."""
    begins = max(one for one in (version.from_, plan.issued_on, plan.tracked_from) if one is not None)
    in_force = begins, version.to or date.max
    found = []
    for agency in registry.agencies:
        gap = _find_gap(agency, [in_force, _lifetime(registry, agency.id)], obligation, registry)
        if gap is not None:
            found.append(_Gap(agency=agency.id, days=gap))
    return found


def _find_gap(agency: Agency, bounds: Sequence[_Range], obligation: Obligation, registry: Registry) -> _Range | None:
    bearers = obligation.bearers
    memberships = [(one.from_ or date.min, one.to or date.max) for one in agency.groups if one.id in bearers]
    owing = [(date.min, date.max)] if agency.id in bearers else memberships
    covered = sorted(
        _intersect((one.from_ or date.min, one.to or date.max), _lifetime(registry, one.id)) for one in agency.parents
    )
    for one in sorted(owing):
        begins, ends = one
        for bound in bounds:
            begins, ends = _intersect((begins, ends), bound)
        for from_, to in covered:
            if from_ <= begins < to:
                begins = to
        if begins < ends:
            return begins, min((from_ for from_, to in covered if begins < from_ < to), default=ends)
    return None


def _lifetime(registry: Registry, agency_id: str) -> _Range:
    lifetime = registry.lifetimes.get(agency_id)
    if lifetime is None:
        return date.min, date.max
    return lifetime.from_ or date.min, lifetime.to or date.max


def _intersect(one: _Range, other: _Range) -> _Range:
    return max(one[0], other[0]), min(one[1], other[1])
