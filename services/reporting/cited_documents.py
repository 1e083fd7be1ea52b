"""Find the versions of plan and registry that assessments cite, so that an old report reads as it did when written."""

from typing import Protocol

from schemas.plan.plan import Plan
from schemas.plan.registry import Registry
from schemas.plan.values import Bilingual
from services.reporting.core.registry_index import RegistryIndex
from services.reporting.current.known_duties import CitedVersions
from services.runtime.kafka.published_documents import PLAN, REGISTRY


class NotFoundError(Exception):
    """Nothing is published or recorded under that id; check the id."""

    def __init__(self, *, en: str, vi: str) -> None:
        super().__init__(en)
        self.detail = Bilingual.of(en=en, vi=vi)


class DocumentSource(Protocol):
    """Finds published plans and registries."""

    @property
    def is_known(self) -> bool: ...
    def plans(self) -> tuple[Plan, ...]: ...
    def registry(self, registry_id: str) -> Registry | None: ...
    def version(self, kind: str, document_id: str, version: int) -> Plan | Registry | None: ...


class CitedVersionFinder:
    """Finds versions of documents in *source*, and indexes each registry once."""

    def __init__(self, source: DocumentSource) -> None:
        self._source = source
        self._indexes: dict[str, RegistryIndex] = {}

    def find(self, latest: Plan, cited: CitedVersions | None) -> tuple[Plan, Registry]:
        """Return the versions that are *cited*, where they are published, else the latest ones.

        Raises `NotFoundError` where the plan's registry is not published at all.
        """
        plan, registry = latest, self._source.registry(latest.registry)
        if cited is not None:
            cited_plan = self._source.version(PLAN, latest.plan, cited.plan_version)
            plan = cited_plan if isinstance(cited_plan, Plan) else plan
            cited_registry = self._source.version(REGISTRY, cited.registry, cited.registry_version)
            registry = cited_registry if isinstance(cited_registry, Registry) else registry
        if registry is None:
            raise NotFoundError(
                en=f"the registry {latest.registry!r} of plan {latest.plan!r} is not published",
                vi=f"chưa công bố danh sách đơn vị {latest.registry!r} của kế hoạch {latest.plan!r}",
            )
        return plan, registry

    def index(self, registry: Registry) -> RegistryIndex:
        """Return the index of *registry*, which takes a millisecond for ten thousand agencies."""
        index = self._indexes.get(registry.registry)
        if index is None or index.registry is not registry:
            index = self._indexes[registry.registry] = RegistryIndex.of(registry)
        return index

    def resolve_agency(self, name: str, plan_id: str | None = None) -> str:
        """Return the permanent id of the agency whose id or alias is *name*, in the registry of a plan or of any.

        It is *name* itself where no registry has it, or where registries have it for several agencies.
        """
        asked = (plan.registry for plan in self._source.plans() if plan_id in {None, plan.plan})
        registries = [one for one in map(self._source.registry, dict.fromkeys(asked)) if one is not None]
        if any(registry.agency(name) is not None for registry in registries):
            return name
        found = {registry.resolve(name) for registry in registries} - {None}
        return (found.pop() if len(found) == 1 else None) or name

    def find_groups(self, agency_id: str) -> frozenset[str]:
        """Return the groups that an agency was ever a member of, in the registry of any plan."""
        registries = (self._source.registry(plan.registry) for plan in self._source.plans())
        agencies = (registry.agency(agency_id) for registry in registries if registry is not None)
        return frozenset(membership.id for agency in agencies if agency is not None for membership in agency.groups)
