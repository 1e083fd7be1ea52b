"""Creates the catalogues of plans that are in force side by side, each knowing the plan before and after it."""

from collections.abc import Mapping

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.rules.core import plan_succession
from services.rules.core.duty_catalogue import DutyCatalogue

# The documents of plans by plan id: a version of the plan and a version of its registry.
PlanDocuments = Mapping[str, tuple[Plan, Registry]]


class CatalogueLinker:
    """Keeps every catalogue that it has created: the same versions of the same documents share one."""

    def __init__(self) -> None:
        self._catalogues: dict[tuple[str, str], DutyCatalogue] = {}

    def link(self, documents: PlanDocuments) -> Mapping[str, DutyCatalogue]:
        """Return the catalogue of each plan of *documents*, given that these plans and no others are in force."""
        return {plan: self._find_catalogue(plan, documents, frozenset()) for plan in documents}

    def _find_catalogue(self, plan_id: str, documents: PlanDocuments, following: frozenset[str]) -> DutyCatalogue:
        """Return the catalogue of a plan; the plans *following* it are not looked for before it, even in a circle."""
        plan, registry = documents[plan_id]
        supersedes, predecessor = plan.supersedes, None
        behind = following | {plan_id}
        if supersedes and supersedes.carries and supersedes.plan in documents and supersedes.plan not in behind:
            predecessor = self._find_catalogue(supersedes.plan, documents, behind)
        successor = plan_succession.find_successor(plan_id, (one for one, _ in documents.values()))
        origin = plan_succession.name_origin(plan, registry, None if predecessor is None else predecessor.origin)
        key = plan_id, plan_succession.name_versions(origin, successor)
        if key not in self._catalogues:
            self._catalogues[key] = DutyCatalogue(plan, registry, successor=successor, predecessor=predecessor)
        return self._catalogues[key]
