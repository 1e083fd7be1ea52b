"""A plan and its registry as an index for admission: the id of an agency, its predecessors, the periods of a duty.

Built once for each pair of published versions; every look-up is one in a dictionary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from schemas.plan.plan import Obligation, Plan
from schemas.plan.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanIndex:
    """What admission needs of one plan.

    `obligations` are by id, `groups` and `predecessors` by agency.
    """

    plan_id: str
    obligations: Mapping[str, Obligation]
    registry: Registry
    groups: Mapping[str, frozenset[str]]
    predecessors: Mapping[str, frozenset[str]]

    def resolve(self, name: str) -> str | None:
        """Return the permanent id of the agency with the id or alias *name*, or None."""
        return self.registry.resolve(name)

    def groups_of(self, agency: str) -> frozenset[str]:
        """Return every group that *agency* is or was a member of."""
        return self.groups.get(agency, frozenset())

    def is_successor(self, agency: str, predecessor: str) -> bool:
        """Whether *agency* has succeeded *predecessor*, directly or through other agencies."""
        return predecessor in self.predecessors.get(agency, frozenset())


def build_plan_index(plan: Plan, registry: Registry) -> PlanIndex:
    """Return the index of *plan* with *registry*."""
    return PlanIndex(
        plan_id=plan.plan,
        obligations={one.id: one for one in plan.obligations},
        registry=registry,
        groups={agency.id: frozenset(member.id for member in agency.groups) for agency in registry.agencies},
        predecessors=_predecessors(registry),
    )


def _predecessors(registry: Registry) -> dict[str, frozenset[str]]:
    direct: dict[str, set[str]] = {}
    for succession in registry.successions:
        for successor in succession.to:
            direct.setdefault(successor, set()).update(succession.from_)
    return {successor: _all_predecessors(successor, direct) for successor in direct}


def _all_predecessors(successor: str, direct: Mapping[str, set[str]]) -> frozenset[str]:
    """Return the transitive closure; a cycle of successions ends, because a visited agency is not followed again."""
    visited: set[str] = set()
    pending = set(direct[successor])
    while pending:
        visited |= pending
        pending = set(chain.from_iterable(direct.get(one, ()) for one in pending)) - visited
    return frozenset(visited - {successor})
