"""The duty catalogues, created once for the documents they rest on: plans in force side by side know each other."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey, partition_of
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.rules.core import plan_succession
from services.rules.core.duty_catalogue import DutyCatalogue, DutySelection

YIELD_EVERY_DUTIES = 500  # after so many duties the event loop may run

# The id of a plan, and the versions of all documents that its catalogue rests on.
_Versions = tuple[str, str]

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


class PublishedVersions(Protocol):
    """The published documents, as `services.runtime.kafka.published_documents` provides them."""

    def registry(self, registry_id: str) -> Registry | None: ...
    def plans(self) -> tuple[Plan, ...]: ...
    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None: ...


class DutyCatalogues:
    """Finds the catalogues of adoptions, the latest ones, and the duties that each partition expects by them."""

    def __init__(
        self, published: PublishedVersions, partitions: int, *, selection: DutySelection | None = None
    ) -> None:
        """Expect all duties, or only those of *selection*, for a reader that follows some agencies."""
        self._published = published
        self.partitions = partitions
        self._selection = selection
        self._linker = CatalogueLinker()
        # One entry for each pair of versions: when the horizon moves, the list of the earlier horizon is dropped.
        self._duties: dict[_Versions, tuple[datetime, Mapping[int, Sequence[DutyKey]]]] = {}

    def latest(self, plan_id: str) -> DutyCatalogue | None:
        """Return the catalogue of the latest versions, or None if the plan or its registry is not published."""
        return self._link_latest().get(plan_id)

    def all_latest(self) -> tuple[DutyCatalogue, ...]:
        """Return the latest catalogue of every published plan."""
        return tuple(self._link_latest().values())

    def link_adopted(self, adoptions: Iterable[PlanAdopted]) -> Mapping[str, DutyCatalogue]:
        """Return by plan the catalogues of *adoptions* that are in force together; without the unpublished ones."""
        documents: dict[str, tuple[Plan, Registry]] = {}
        for one in adoptions:
            plan = self._published.version("plan", one.plan, one.plan_version)
            registry = self._published.version("registry", one.registry, one.registry_version)
            if isinstance(plan, Plan) and isinstance(registry, Registry):
                documents[one.plan] = plan, registry
        return self._linker.link(documents)

    async def prepare(self, until: datetime, catalogue: DutyCatalogue) -> None:
        """List the duties that open before *until* in small steps, because for a large plan this takes seconds."""
        for count, _ in enumerate(self._list_duties(until, catalogue), start=1):
            if count % YIELD_EVERY_DUTIES == 0:
                await asyncio.sleep(0)

    def duties_opening_before(self, until: datetime, catalogue: DutyCatalogue, *, partition: int) -> Sequence[DutyKey]:
        """Return the duties of *catalogue* that open before *until*, of the agencies of *partition*.

        `prepare` has listed them before in nearly all cases; otherwise they are listed here, in one step.
        """
        for _ in self._list_duties(until, catalogue):
            pass
        return self._duties[_versions_of(catalogue)][1].get(partition, ())

    def _list_duties(self, until: datetime, catalogue: DutyCatalogue) -> Iterator[DutyKey]:
        """List the duties that open before *until*, unless they are listed; yield each when it is."""
        found = self._duties.get(_versions_of(catalogue))
        if found is not None and found[0] == until:
            return
        by_partition: dict[int, list[DutyKey]] = {}
        for key in catalogue.duties_opening_before(until, self._selection):
            by_partition.setdefault(partition_of(key.agency, self.partitions), []).append(key)
            yield key
        self._duties[_versions_of(catalogue)] = (until, by_partition)

    def _link_latest(self) -> Mapping[str, DutyCatalogue]:
        pairs = ((plan, self._published.registry(plan.registry)) for plan in self._published.plans())
        return self._linker.link({plan.plan: (plan, registry) for plan, registry in pairs if registry is not None})


def _versions_of(catalogue: DutyCatalogue) -> _Versions:
    return catalogue.plan.plan, catalogue.versions
