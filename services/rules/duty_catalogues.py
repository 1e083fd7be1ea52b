"""The duty catalogues, created once for each pair of plan and registry version and shared by all partitions."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from schemas.events.facts import PlanAdopted
from schemas.events.ids import DutyKey, partition_of
from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from services.rules.core.duty_catalogue import DutyCatalogue, DutySelection

YIELD_EVERY_DUTIES = 500  # after so many duties the event loop may run

# Plan id and version, registry id and version.
_Versions = tuple[str, int, str, int]


class PublishedVersions(Protocol):
    """The published documents, as `services.runtime.kafka.published_documents` provides them."""

    def plan(self, plan_id: str) -> Plan | None: ...
    def registry(self, registry_id: str) -> Registry | None: ...
    def plans(self) -> tuple[Plan, ...]: ...
    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None: ...


class DutyCatalogues:
    """Finds the catalogue that an adoption names, the latest one, and the duties that each partition expects by it."""

    def __init__(
        self, published: PublishedVersions, partitions: int, *, selection: DutySelection | None = None
    ) -> None:
        """Expect all duties, or only those of *selection*, for a reader that follows some agencies."""
        self._published = published
        self.partitions = partitions
        self._selection = selection
        self._catalogues: dict[_Versions, DutyCatalogue] = {}
        # One entry for each pair of versions: when the horizon moves, the list of the earlier horizon is dropped.
        self._duties: dict[_Versions, tuple[datetime, Mapping[int, Sequence[DutyKey]]]] = {}

    def latest(self, plan_id: str) -> DutyCatalogue | None:
        """Return the catalogue of the latest versions, or None if the plan or its registry is not published."""
        plan = self._published.plan(plan_id)
        registry = None if plan is None else self._published.registry(plan.registry)
        return None if plan is None or registry is None else self._catalogue_of(plan, registry)

    def all_latest(self) -> tuple[DutyCatalogue, ...]:
        """Return the latest catalogue of every published plan."""
        found = (self.latest(plan.plan) for plan in self._published.plans())
        return tuple(catalogue for catalogue in found if catalogue is not None)

    def find_adopted(self, adoption: PlanAdopted) -> DutyCatalogue | None:
        """Return the catalogue of the versions that *adoption* names, or None if they are not published."""
        plan = self._published.version("plan", adoption.plan, adoption.plan_version)
        registry = self._published.version("registry", adoption.registry, adoption.registry_version)
        if isinstance(plan, Plan) and isinstance(registry, Registry):
            return self._catalogue_of(plan, registry)
        return None

    async def prepare(self, until: datetime, catalogue: DutyCatalogue) -> None:
        """List the duties that open before *until* in small steps, because for a large plan this takes seconds."""
        if self._is_prepared(until, catalogue):
            return
        by_partition: dict[int, list[DutyKey]] = {}
        for count, key in enumerate(catalogue.duties_opening_before(until, self._selection), start=1):
            by_partition.setdefault(partition_of(key.agency, self.partitions), []).append(key)
            if count % YIELD_EVERY_DUTIES == 0:
                await asyncio.sleep(0)
        self._duties[_versions_of(catalogue.plan, catalogue.registry)] = (until, by_partition)

    def duties_opening_before(self, until: datetime, catalogue: DutyCatalogue, *, partition: int) -> Sequence[DutyKey]:
        """Return the duties of *catalogue* that open before *until*, of the agencies of *partition*.

        `prepare` has listed them before in nearly all cases; otherwise they are listed here, in one step.
        """
        versions = _versions_of(catalogue.plan, catalogue.registry)
        if not self._is_prepared(until, catalogue):
            by_partition: dict[int, list[DutyKey]] = {}
            for key in catalogue.duties_opening_before(until, self._selection):
                by_partition.setdefault(partition_of(key.agency, self.partitions), []).append(key)
            self._duties[versions] = (until, by_partition)
        return self._duties[versions][1].get(partition, ())

    def _is_prepared(self, until: datetime, catalogue: DutyCatalogue) -> bool:
        found = self._duties.get(_versions_of(catalogue.plan, catalogue.registry))
        return found is not None and found[0] == until

    def _catalogue_of(self, plan: Plan, registry: Registry) -> DutyCatalogue:
        versions = _versions_of(plan, registry)
        if versions not in self._catalogues:
            self._catalogues[versions] = DutyCatalogue(plan, registry)
        return self._catalogues[versions]


def _versions_of(plan: Plan, registry: Registry) -> _Versions:
    return plan.plan, plan.version, registry.registry, registry.version
