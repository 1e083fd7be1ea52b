"""A plan and its registry, prepared for the questions of admission: who is this agency, whose heir, which periods.

Built once for each pair of published versions; every answer is a dictionary lookup.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from schemas.plan.periods import Recurrence
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanIndex:
    """What admission knows of one plan."""

    plan_id: str
    recurrences: Mapping[str, frozenset[Recurrence]]
    ids: Mapping[str, str]
    groups: Mapping[str, frozenset[str]]
    predecessors: Mapping[str, frozenset[str]]

    def resolve(self, name: str) -> str | None:
        """Return the permanent id behind an agency's id or alias."""
        return self.ids.get(name)

    def groups_of(self, agency: str) -> frozenset[str]:
        """Return every group that *agency* is or was a member of."""
        return self.groups.get(agency, frozenset())

    def is_successor(self, agency: str, predecessor: str) -> bool:
        """Whether *agency* stands in the place of *predecessor*, however many successions lie between."""
        return predecessor in self.predecessors.get(agency, frozenset())


def build_plan_index(plan: Plan, registry: Registry) -> PlanIndex:
    """Prepare *plan* with *registry*. An id wins over another agency's alias of the same writing."""
    aliases = {alias: agency.id for agency in reversed(registry.agencies) for alias in agency.aliases}
    return PlanIndex(
        plan_id=plan.plan,
        recurrences={one.id: frozenset(version.recurrence for version in one.versions) for one in plan.obligations},
        ids=aliases | {agency.id: agency.id for agency in registry.agencies},
        groups={agency.id: frozenset(member.id for member in agency.groups) for agency in registry.agencies},
        predecessors=_predecessors(registry),
    )


def _predecessors(registry: Registry) -> dict[str, frozenset[str]]:
    direct: dict[str, set[str]] = {}
    for succession in registry.successions:
        for heir in succession.to:
            direct.setdefault(heir, set()).update(succession.from_)
    return {heir: _closure(heir, direct) for heir in direct}


def _closure(heir: str, direct: Mapping[str, set[str]]) -> frozenset[str]:
    reached: set[str] = set()
    ahead = set(direct[heir])
    while ahead:
        reached |= ahead
        ahead = set(chain.from_iterable(direct.get(one, ()) for one in ahead)) - reached
    return frozenset(reached - {heir})
